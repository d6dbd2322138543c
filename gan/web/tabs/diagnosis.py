"""The diagnosis of a run: a line in the Train tab that opens to a card (static/run/diagnosis.js)."""

from __future__ import annotations

# One line of a fixed height, so that nothing moves when a verdict changes; what it opens to is asked for by a person.
FRAGMENT = """
<details class="gf-diagnosis" data-gf="diagnosis" data-severity="early">
  <summary><span class="gf-diagnosis-mark" aria-hidden="true"></span>
    <span class="gf-diagnosis-line" role="status"><b data-gf="diagnosis-title">{diagnosis_early}</b>
      <span class="gf-hint" data-gf="diagnosis-seen">{diagnosis_early_hint}</span></span>
    <span class="gf-diagnosis-more" data-gf="diagnosis-more"></span></summary>
  <div class="gf-diagnosis-body gf-stack" data-gf="diagnosis-body"></div>
</details>"""
