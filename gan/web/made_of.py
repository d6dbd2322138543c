"""The card "What is it made of" of the Latent sliders tab: its markup. What happens in it is in static/made_of.js."""

from __future__ import annotations

from html import escape
from typing import Any

_CARD = """
<details class="gf-card gf-fold" data-gf="made-of">
  <summary>{title}</summary>
  <div class="gf-made">
    <section class="gf-stack-tight">
      <h4 class="gf-made-title">{nearest}</h4>
      <p class="gf-hint">{nearest_hint}</p>
      <div class="gf-stack" data-gf="made-nearest"></div>
    </section>
  </div>
</details>"""


def fragment(text: dict[str, Any]) -> str:
    return _CARD.format_map({key: escape(value) for key, value in text["made_of"].items()})
