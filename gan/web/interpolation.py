"""The Interpolation tab: its markup. What happens in it is in static/interpolation.js."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from gan.web.island import NO_WEIGHTS, island

_TOP = """
<div class="gf-card gf-row gf-path-top">
  <div class="gf-field gf-latent-weights">
    <label for="gf-path-weights">{weights}</label>
    <select id="gf-path-weights" class="gf-select" data-gf="weights" disabled><option>{loading}</option></select>
  </div>
  <div class="gf-field">
    <span class="gf-label">{mode}</span>
    <div class="gf-row" role="radiogroup" aria-label="{mode}" data-gf="modes">
      <button type="button" class="gf-btn" role="radio" data-mode="slerp" title="{slerp_hint}">{slerp}</button>
      <button type="button" class="gf-btn" role="radio" data-mode="lerp" title="{lerp_hint}">{lerp}</button>
    </div>
  </div>
  <div class="gf-field gf-frames">
    <label for="gf-path-frames">{frames}</label>
    <div class="gf-row">
      <input type="range" id="gf-path-frames" class="gf-slider" data-gf="frames" min="2" max="120" step="1">
      <output class="gf-num" data-gf="frames-value"></output></div>
  </div>
  <div class="gf-row gf-path-tools">
    <button type="button" class="gf-btn gf-btn-quiet" data-gf="copy-link">{copy_link}</button>
    <span class="gf-hint">{download}</span>
    <a class="gf-btn" data-gf="gif" download>{gif}</a>
    <a class="gf-btn" data-gf="mp4" download>{mp4}</a>
  </div>
</div>"""

_END = """
<section class="gf-card gf-stack-tight gf-end" data-end="{end}" aria-label="{title}">
  <h3 class="gf-section-title">{title}</h3>
  <canvas class="gf-canvas" data-gf="picture" role="img" aria-label="{title}"></canvas>
  <div class="gf-row gf-end-seed">
    <div class="gf-field gf-seed"><label for="gf-end-{end}">{seed}</label>
      <input id="gf-end-{end}" class="gf-input gf-num" data-gf="seed" inputmode="numeric" autocomplete="off"
        maxlength="10"></div>
    <button type="button" class="gf-btn" data-gf="surprise">{surprise}</button>
    <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="open">{open_end}</button>
  </div>
  <div class="gf-classes" role="radiogroup" aria-label="{classes}" data-gf="classes" hidden></div>
  <p class="gf-row gf-hint" data-gf="edited" hidden>{edited}
    <button type="button" class="gf-btn gf-btn-mini" data-gf="clear">{clear}</button></p>
</section>"""

_PLAYER = """
<section class="gf-card gf-stack-tight gf-player" aria-label="{player}">
  <canvas class="gf-canvas" data-gf="stage" role="img" aria-label="{player}"></canvas>
  <div class="gf-row gf-player-bar">
    <button type="button" class="gf-btn gf-play" data-gf="play" aria-label="{play}" title="{play}"></button>
    <input type="range" class="gf-slider" data-gf="position" min="0" max="1" step="1" value="0" aria-label="{position}">
    <output class="gf-num gf-position" data-gf="position-value"></output>
  </div>
  <div class="gf-row gf-player-more">
    <label class="gf-check" title="{boomerang_hint}">
      <input type="checkbox" data-gf="boomerang"><span>{boomerang}</span></label>
    <label class="gf-row gf-hint gf-push">{speed}
      <select class="gf-select gf-fps" data-gf="fps">
        <option value="5">5</option><option value="10">10</option>
        <option value="20">20</option><option value="30">30</option>
      </select></label>
    <button type="button" class="gf-btn gf-btn-quiet" data-gf="swap" title="{swap_hint}">{swap}</button>
  </div>
</section>"""

_STRIP = """
<section class="gf-card gf-stack-tight">
  <div class="gf-row"><h3 class="gf-section-title">{strip}</h3>
    <p class="gf-drawn" data-gf="drawn" hidden></p></div>
  <div class="gf-strip" data-gf="strip-box">
    <canvas class="gf-canvas" data-gf="strip" role="img" aria-label="{strip}"></canvas></div>
</section>"""


def build(text: dict[str, Any]) -> gr.HTML:
    words = text["common"] | text["latent"] | text["share"] | text["interpolation"]
    strings = {key: escape(value) for key, value in words.items()}
    ends = [_END.format_map(strings | {"end": end, "title": strings[f"end_{end}"]}) for end in "ab"]
    middle = f'<div class="gf-path">{ends[0]}{_PLAYER.format_map(strings)}{ends[1]}</div>'
    page = (_TOP + "{middle}" + _STRIP).format_map(strings | {"middle": middle})
    view = f'<div class="gf-stack" data-gf="view" aria-busy="true">{page}</div>'
    return island(f'<div class="gf">{view}{NO_WEIGHTS.format_map(strings)}</div>', "interpolation.js")
