"""The card "What is it made of" of the Latent sliders tab: its markup (static/latent/made_of/ acts)."""

from __future__ import annotations

from html import escape

from gan.web.text import Text

_CARD = """
<details class="gf-card gf-fold" data-gf="made-of">
  <summary>{title}</summary>
  <div class="gf-made gf-stack">
    <section class="gf-stack-tight" aria-label="{nearest}">
      <h3 class="gf-made-title">{nearest}</h3>
      <p class="gf-hint">{nearest_hint}</p>
      <div class="gf-stack" data-gf="made-nearest"></div>
    </section>
    <section class="gf-stack-tight" aria-label="{verdict}">
      <h3 class="gf-made-title">{verdict}</h3>
      <p class="gf-hint">{verdict_hint}</p>
      <div class="gf-stack-tight" data-gf="made-verdict"></div>
    </section>
    <section class="gf-stack-tight" aria-label="{snapshots}">
      <h3 class="gf-made-title">{snapshots}</h3>
      <p class="gf-hint">{snapshots_hint}</p>
      <div class="gf-stack-tight" data-gf="made-snapshots"></div>
    </section>
    <section class="gf-stack-tight" aria-label="{layers}">
      <h3 class="gf-made-title">{layers}</h3>
      <p class="gf-hint">{layers_hint}</p>
      <div class="gf-stack-tight" data-gf="made-layers"></div>
    </section>
  </div>
</details>"""


def fragment(text: Text) -> str:
    return _CARD.format_map({key: escape(value) for key, value in text["made_of"].items()})
