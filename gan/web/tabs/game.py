"""The Game tab: its markup. What happens in it is in static/game/."""

from __future__ import annotations

from html import escape

from gan.web.text import Text

_PAGE = """<div class="gf gf-game gf-stack">
<div class="gf-card gf-row">
  <div class="gf-field gf-game-run"><label for="gf-game-run">{run}</label>
    <select id="gf-game-run" class="gf-select" data-gf="run"></select></div>
  <p class="gf-hint gf-game-about">{about}</p>
</div>
<section class="gf-card gf-game-play" data-gf="play" aria-live="off">
  <div class="gf-stack" data-gf="before">
    <h2 class="gf-run-title">{title}</h2>
    <p>{rules}</p>
    <div class="gf-row"><button type="button" class="gf-btn gf-btn-primary gf-btn-big" data-gf="begin" disabled
      >{begin}</button>
      <label class="gf-check gf-hint"><input type="checkbox" data-gf="no-clock"><span>{no_clock}</span></label></div>
  </div>
  <div class="gf-stack gf-game-question" data-gf="question" hidden>
    <p class="gf-hint gf-num" data-gf="number"></p>
    <canvas class="gf-canvas" data-gf="picture" role="img" aria-label="{picture}"></canvas>
    <div class="gf-game-clock" data-gf="clock" role="timer"><div data-gf="clock-bar"></div></div>
    <div class="gf-row gf-game-answers">
      <button type="button" class="gf-btn gf-btn-big" data-gf="real">← {real}</button>
      <button type="button" class="gf-btn gf-btn-big" data-gf="fake">{fake} →</button>
    </div>
    <p class="gf-game-feedback" data-gf="feedback" role="status"></p>
  </div>
  <div class="gf-stack" data-gf="after" hidden>
    <h2 class="gf-run-title" data-gf="result" role="status" tabindex="-1"></h2>
    <p data-gf="verdict"></p>
    <ul class="gf-game-shown" data-gf="shown" aria-label="{shown}"></ul>
    <div class="gf-row"><button type="button" class="gf-btn gf-btn-primary" data-gf="again">{again}</button>
      <button type="button" class="gf-btn" data-gf="watch">{watch}</button></div>
  </div>
</section>
<section class="gf-card gf-stack" data-gf="scores-box" hidden>
  <div class="gf-row"><h3 class="gf-how-title">{scores}</h3><p class="gf-hint" data-gf="rounds"></p>
    <button type="button" class="gf-btn gf-btn-quiet gf-small gf-push" data-gf="forget" hidden>{forget}</button></div>
  <div class="gf-game-scores" data-gf="scores"></div>
</section>
</div>"""


def markup(text: Text) -> str:
    return _PAGE.format_map({key: escape(value) for key, value in text["game"].items()})
