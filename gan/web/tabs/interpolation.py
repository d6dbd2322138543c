"""The Interpolation tab: its markup. What happens in it is in static/interpolation/."""

from __future__ import annotations

from html import escape

from gan.web.tabs.island import NO_WEIGHTS, SMOOTH
from gan.web.text import Text

# The keyframes and, below them, what can be changed about the chosen one.
_SIDE = """
<aside class="gf-card gf-stack" aria-label="{keyframes}">
  <div class="gf-field">
    <label for="gf-path-weights">{weights}</label>
    <select id="gf-path-weights" class="gf-select" data-gf="weights" disabled><option>{loading}</option></select>
  </div>
  <div class="gf-stack-tight">
    <h2 class="gf-section-title" title="{keyframes_hint}">{keyframes}</h2>
    <div class="gf-keyframes">
      <div class="gf-keyframes-all" role="radiogroup" aria-label="{keyframes}" data-gf="keyframes"></div>
      <button type="button" class="gf-keyframe-add" data-gf="add" title="{add}" aria-label="{add}">+</button>
    </div>
    <div class="gf-row gf-keyframe-tools">
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="shuffle"
        title="{shuffle_hint}">{shuffle}</button>
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="morph" title="{morph_hint}"
        hidden>{morph}</button>
    </div>
  </div>
  <details class="gf-fold gf-keyframe" data-gf="keyframe" open>
    <summary data-gf="name"></summary>
    <div class="gf-stack-tight">
      <span class="gf-row gf-keyframe-order">
        <button type="button" class="gf-btn gf-btn-mini" data-gf="earlier" title="{earlier}"
          aria-label="{earlier}">←</button>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="later" title="{later}"
          aria-label="{later}">→</button>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="remove" title="{remove}"
          aria-label="{remove}">×</button>
        <button type="button" class="gf-btn gf-btn-quiet gf-small gf-push" data-gf="to-sliders">{to_sliders}</button>
      </span>
      <div class="gf-row gf-keyframe-seed">
        <div class="gf-field gf-seed"><label for="gf-keyframe-seed">{seed}</label>
          <input id="gf-keyframe-seed" class="gf-input gf-num" data-gf="seed" inputmode="numeric" autocomplete="off"
            maxlength="10"></div>
        <button type="button" class="gf-btn" data-gf="surprise">{surprise}</button>
      </div>
      <div class="gf-classes" role="radiogroup" aria-label="{classes}" data-gf="classes" hidden></div>
      <p class="gf-row gf-hint" data-gf="edited" hidden><span data-gf="edited-words"></span>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="clear">{clear}</button></p>
    </div>
  </details>
</aside>"""

_HEAD = """
<div class="gf-row gf-travel-head">
  <div class="gf-row gf-shows" role="radiogroup" aria-label="{shows}" data-gf="shows">
    <button type="button" class="gf-btn" role="radio" data-show="walk" title="{walk_hint}">{walk}</button>
    <button type="button" class="gf-btn" role="radio" data-show="map" title="{map_hint}">{map}</button>
    <button type="button" class="gf-btn" role="radio" data-show="sum" title="{sum_hint}">{sum}</button>
    <button type="button" class="gf-btn" role="radio" data-show="grid" title="{grid_hint}">{grid}</button>
  </div>
  <p class="gf-drawn" data-gf="drawn" hidden></p>
  <span class="gf-row gf-push">
    {smooth_choice}
    <button type="button" class="gf-btn gf-btn-quiet" data-gf="copy-link">{copy_link}</button>
    <details class="gf-menu" data-gf="export">
      <summary class="gf-btn">{export}</summary>
      <div class="gf-menu-list gf-stack-tight">
        <label class="gf-row gf-hint gf-export-scale">{export_scale}
          <select class="gf-select gf-select-mini gf-push" data-gf="scale"></select></label>
        <div>
          <a class="gf-menu-item" data-file="gif" download>{export_gif}</a>
          <a class="gf-menu-item" data-file="mp4" download>{export_mp4}</a>
          <a class="gf-menu-item" data-file="webp" download>{export_webp}</a>
          <a class="gf-menu-item" data-file="png" download>{export_png}</a>
          <a class="gf-menu-item" data-file="zip" download title="{export_zip_hint}">{export_zip}</a>
          <a class="gf-menu-item" data-file="npy" data-part="z" download title="{export_z_hint}">{export_z}</a>
          <a class="gf-menu-item" data-file="npy" data-part="c" download title="{export_c_hint}" hidden>{export_c}</a>
        </div>
      </div>
    </details>
  </span>
</div>"""

_WALK = """
<div class="gf-walk" data-view="walk">
  <section class="gf-card gf-stack-tight gf-player" aria-label="{player}">
    <canvas class="gf-canvas" data-gf="stage" role="img" aria-label="{player}"></canvas>
    <div class="gf-row gf-player-bar">
      <button type="button" class="gf-btn gf-play" data-gf="play" aria-label="{play}" title="{play}"></button>
      <input type="range" class="gf-slider" data-gf="position" min="0" max="1" step="1" value="0"
        aria-label="{position}">
      <output class="gf-num gf-position" data-gf="position-value"></output>
    </div>
    <div class="gf-row gf-player-more">
      <label class="gf-field">{after}
        <select class="gf-select" data-gf="after" title="{after_hint}">
          <option value="back">{after_back}</option><option value="again">{after_again}</option>
          <option value="loop">{after_loop}</option>
        </select></label>
      <label class="gf-field">{speed}
        <select class="gf-select" data-gf="fps">
          <option value="5">5</option><option value="10">10</option>
          <option value="20">20</option><option value="30">30</option>
        </select></label>
    </div>
  </section>
  <section class="gf-card gf-stack">
    <div class="gf-row gf-way-top">
      <div class="gf-field">
        <span class="gf-label">{mode}</span>
        <div class="gf-row" role="radiogroup" aria-label="{mode}" data-gf="modes">
          <button type="button" class="gf-btn" role="radio" data-mode="slerp" title="{slerp_hint}">{slerp}</button>
          <button type="button" class="gf-btn" role="radio" data-mode="smooth" title="{smooth_hint}">{smooth}</button>
          <button type="button" class="gf-btn" role="radio" data-mode="lerp" title="{lerp_hint}">{lerp}</button>
        </div>
      </div>
      <div class="gf-field gf-frames">
        <label for="gf-path-frames">{frames}</label>
        <div class="gf-row">
          <input type="range" id="gf-path-frames" class="gf-slider" data-gf="frames" min="2" max="120" step="1"
            title="{frames_hint}">
          <output class="gf-num" data-gf="frames-value"></output></div>
      </div>
    </div>
    <div class="gf-stack-tight">
      <h2 class="gf-section-title"><span>{strip}</span> <span class="gf-num" data-gf="count"></span></h2>
      <div class="gf-strip" data-gf="strip-box">
        <canvas class="gf-canvas" data-gf="strip" role="img" aria-label="{strip}"></canvas></div>
    </div>
  </section>
</div>"""

_NEEDS = """
<div class="gf-card gf-row gf-needs" data-gf="needs" hidden>
  <p class="gf-hint" data-gf="needs-words"></p>
  <button type="button" class="gf-btn" data-gf="needs-add">{add}</button>
</div>"""

_MAP = """
<section class="gf-card gf-plane" data-view="map" aria-label="{map}" hidden>
  <div class="gf-stack-tight" data-gf="plane-box">
    <div class="gf-plane-pad" data-gf="plane-pad">
      <canvas class="gf-canvas" data-gf="plane" aria-hidden="true"></canvas>
      <svg viewBox="0 0 9 9" aria-hidden="true"><path d="M1.5 7.5h6l-3 -6z"/></svg>
      <b style="left: 16.7%; top: 83.3%" aria-hidden="true">A</b>
      <b style="left: 83.3%; top: 83.3%" aria-hidden="true">B</b>
      <b style="left: 50%; top: 16.7%" aria-hidden="true">C</b>
      <div class="gf-plane-point" role="slider" tabindex="0" data-gf="plane-point" aria-label="{plane_point}"
        aria-valuemin="-100" aria-valuemax="200" aria-valuenow="0"></div>
    </div>
    <p class="gf-hint">{map_about}</p>
  </div>
  <div class="gf-plane-side gf-stack-tight" data-gf="plane-side">
    <canvas class="gf-canvas" data-gf="plane-picture" role="img" aria-label="{plane_point}"
      ></canvas>
    <div class="gf-stack-tight">
      <p class="gf-row gf-num gf-plane-words" data-gf="plane-words"></p>
      <div class="gf-row">
        <button type="button" class="gf-btn" data-gf="plane-open">{to_sliders}</button>
        <button type="button" class="gf-btn" data-gf="plane-keep">{keep}</button>
      </div>
    </div>
  </div>
</section>"""

_SUM = """
<section class="gf-card gf-stack" data-view="sum" aria-label="{sum}" hidden>
  <div class="gf-sum" data-gf="sum-terms">
    <div class="gf-stack-tight gf-sum-result">
      <canvas class="gf-canvas" data-gf="sum" role="img" aria-label="{sum_result}"></canvas>
      <div class="gf-row">
        <button type="button" class="gf-btn" data-gf="sum-open">{to_sliders}</button>
        <button type="button" class="gf-btn" data-gf="sum-keep">{keep}</button>
      </div>
    </div>
  </div>
  <p class="gf-hint gf-sum-about">{sum_about}</p>
</section>"""

_GRID = """
<section class="gf-card gf-stack-tight" data-view="grid" aria-label="{grid}" hidden>
  <div class="gf-row">
    <select class="gf-select gf-select-mini" data-gf="grid-kind" aria-label="{grid_kind}"></select>
    <p class="gf-hint" data-gf="grid-hint"></p>
  </div>
  <div class="gf-grid-box" data-gf="grid-box">
    <canvas class="gf-canvas" data-gf="grid" role="button" tabindex="0"></canvas></div>
</section>"""


def markup(text: Text) -> str:
    strings = {key: escape(value) for key, value in (text["common"] | text["latent"] | text["interpolation"]).items()}
    strings["smooth_choice"] = SMOOTH.format_map(strings)
    main = f'<div class="gf-stack gf-travel-main">{_HEAD}{_NEEDS}{_WALK}{_MAP}{_SUM}{_GRID}</div>'
    view = f'<div class="gf-travel" data-gf="view" aria-busy="true">{_SIDE}{main}</div>'
    return f'<div class="gf gf-interpolation">{(view + NO_WEIGHTS).format_map(strings)}</div>'
