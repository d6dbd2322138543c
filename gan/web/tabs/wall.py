"""The Wall tab: its markup. What happens in it is in static/wall/."""

from __future__ import annotations

from html import escape

from gan.web.text import Text

_PAGE = """<div class="gf gf-wall gf-stack">
<section class="gf-stack" aria-labelledby="gf-wall-live">
  <div class="gf-row"><h2 class="gf-run-title" id="gf-wall-live">{live}</h2>
    <p class="gf-hint" data-gf="about">{live_hint}</p></div>
  <p class="gf-note gf-row" data-gf="none" hidden><span>{live_none}</span>
    <button type="button" class="gf-btn gf-push" data-gf="go-train">{go_train}</button></p>
  <ul class="gf-wall-tiles" data-gf="tiles" aria-busy="true"></ul>
</section>
<section class="gf-card gf-stack" data-gf="game-box" aria-labelledby="gf-wall-game" hidden>
  <div class="gf-row"><h2 class="gf-run-title" id="gf-wall-game" data-gf="game-title"></h2>
    <p class="gf-hint" data-gf="game-words"></p>
    <button type="button" class="gf-btn gf-push" data-gf="go-game">{play}</button></div>
  <div class="gf-game-scores" data-gf="game-scores"></div>
</section>
<section class="gf-stack" data-gf="recorded-box" aria-labelledby="gf-wall-recorded" hidden>
  <div class="gf-row"><h2 class="gf-run-title" id="gf-wall-recorded">{recorded}</h2>
    <p class="gf-hint">{recorded_hint}</p></div>
  <ul class="gf-wall-tiles" data-gf="recorded"></ul>
</section>
</div>"""


def markup(text: Text) -> str:
    return _PAGE.format_map({key: escape(value) for key, value in text["wall"].items()})
