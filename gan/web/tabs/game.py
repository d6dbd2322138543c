"""The Game tab, in two ways to play: its markup. What happens in it is in static/game/."""

from __future__ import annotations

from html import escape

from gan.web.text import Text

_PAGE = """<div class="gf gf-game gf-stack">
<div class="gf-segments gf-game-modes" role="radiogroup" aria-label="{modes}" data-gf="modes">
  <button type="button" class="gf-btn gf-segment" role="radio" data-mode="tell">{mode_tell}</button>
  <button type="button" class="gf-btn gf-segment" role="radio" data-mode="draw">{mode_draw}</button>
</div>
<div class="gf-stack" data-gf="tell">
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
</div>
<section class="gf-card gf-stack" data-gf="draw" hidden>
  <h2 class="gf-run-title">{draw_title}</h2>
  <p class="gf-hint">{draw_about}</p>
  <div class="gf-game-drawing">
    <div class="gf-pen-box gf-game-paper">
      <canvas class="gf-canvas gf-pen" data-gf="draw-pen" role="application" tabindex="0"
        aria-label="{draw_pen}"></canvas>
      <span class="gf-pen-hint" data-gf="draw-hint" aria-hidden="true">{draw_here}</span>
    </div>
    <div class="gf-stack gf-game-verdict">
      <div class="gf-stack-tight">
        <p class="gf-game-share gf-num" data-gf="draw-share">–</p>
        <div class="gf-meter gf-game-meter" role="meter" aria-valuemin="0" aria-valuemax="100" aria-label="{draw_meter}"
          data-gf="draw-meter"><i></i></div>
        <p class="gf-game-feedback" role="status" data-gf="draw-words"></p>
      </div>
      <button type="button" class="gf-btn gf-btn-primary" data-gf="draw-clear">{draw_clear}</button>
      <div class="gf-game-seen"><canvas class="gf-canvas" data-gf="draw-seen" aria-hidden="true"></canvas>
        <p class="gf-hint" data-gf="draw-best">{draw_seen}</p></div>
      <div class="gf-field"><label for="gf-game-discriminator">{draw_discriminator}</label>
        <select id="gf-game-discriminator" class="gf-select" data-gf="draw-discriminator"></select></div>
    </div>
  </div>
</section>
</div>"""


def markup(text: Text) -> str:
    return _PAGE.format_map({key: escape(value) for key, value in text["game"].items()})
