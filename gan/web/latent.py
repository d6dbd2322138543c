"""The Latent sliders tab: its markup. What happens in it is in static/latent.js."""

from __future__ import annotations

from html import escape
from typing import Any

import gradio as gr

from gan.web.island import NO_WEIGHTS, island

_RING = 16

# The picture with its neighbours in a ring around it; on a phone the picture stays on top and the ring becomes a strip.
_STAGE = """
<section class="gf-ring" data-gf="ring" aria-label="{stage}">
  <div class="gf-ring-main" data-gf="main">
    <canvas class="gf-canvas" data-gf="picture" role="img" aria-label="{picture}"></canvas>
    <p class="gf-drawn" data-gf="drawn" hidden></p>
  </div>
  {neighbour_buttons}
</section>"""

_NEIGHBOUR = """<button type="button" class="gf-near" data-gf="near" style="--gf-cell: {cell}" disabled
  ><canvas class="gf-canvas" aria-hidden="true"></canvas></button>"""

_CHOICE = """
<div class="gf-card gf-stack">
  <div class="gf-latent-top">
    <div class="gf-field gf-latent-weights">
      <label for="gf-latent-weights">{weights}</label>
      <select id="gf-latent-weights" class="gf-select" data-gf="weights" disabled><option>{loading}</option></select>
    </div>
    <div class="gf-field gf-seed">
      <label for="gf-latent-seed" title="{seed_hint}">{seed}</label>
      <input id="gf-latent-seed" class="gf-input gf-num" data-gf="seed" inputmode="numeric" autocomplete="off"
        maxlength="10" title="{seed_hint}">
    </div>
    <button type="button" class="gf-btn gf-btn-primary" data-gf="surprise" title="{surprise_hint}">{surprise}</button>
  </div>
  <div class="gf-row gf-latent-about">
    <span class="gf-tag" data-kind="running" data-gf="live" hidden><span class="gf-dot" aria-hidden="true"></span
      ><span class="gf-num" data-gf="live-text"></span></span>
    <p class="gf-hint" data-gf="about"></p>
    <label class="gf-btn gf-btn-quiet gf-small gf-file gf-push" title="{open_file_hint}">{open_file}
      <input type="file" accept=".safetensors" data-gf="file"></label>
  </div>
  <div class="gf-classes" role="radiogroup" aria-label="{classes}" data-gf="classes" hidden></div>
  <div class="gf-row gf-latent-tools">
    <button type="button" class="gf-btn" data-gf="reset" title="{reset_hint}">{reset}</button>
    <button type="button" class="gf-btn gf-btn-quiet" data-gf="copy-link">{copy_link}</button>
    <a class="gf-btn gf-btn-quiet" data-gf="png" title="{png_hint}" download>{png}</a>
    <span class="gf-row gf-push gf-send" role="group" aria-label="{send}" title="{send_hint}">
      <span class="gf-hint">{send}</span>
      <button type="button" class="gf-btn gf-btn-mini" data-gf="send" data-end="a">A</button>
      <button type="button" class="gf-btn gf-btn-mini" data-gf="send" data-end="b">B</button></span>
  </div>
</div>"""

_SLIDERS = """
<section class="gf-card gf-stack-tight" data-gf="directions-box">
  <h3 class="gf-section-title">{directions}</h3>
  <p class="gf-hint">{directions_hint}</p>
  <div class="gf-directions" data-gf="directions"></div>
</section>
<details class="gf-card gf-fold" data-gf="raw">
  <summary><span data-gf="raw-title">{raw}</span></summary>
  <p class="gf-hint">{raw_hint}</p>
  <div class="gf-faders" role="group" aria-label="{raw}" data-gf="faders"></div>
  <div class="gf-row gf-raw-foot">
    <output class="gf-num gf-hint" data-gf="raw-readout"></output>
    <button type="button" class="gf-btn gf-btn-quiet gf-push" data-gf="release" disabled>{release}</button>
  </div>
</details>"""

_NEAR = """
<section class="gf-card gf-stack-tight">
  <h3 class="gf-section-title">{near}</h3>
  <p class="gf-hint">{near_hint}</p>
  <div class="gf-row gf-near-tools">
    <label class="gf-row gf-spread"><span class="gf-hint">{spread}</span>
      <input type="range" class="gf-slider" data-gf="spread" min="0.05" max="1" step="0.05" value="0.7"></label>
    <button type="button" class="gf-btn" data-gf="others" title="{others_hint}">{others}</button>
    <button type="button" class="gf-btn" data-gf="back" disabled>{back}</button>
  </div>
</section>"""


def build(text: dict[str, Any]) -> gr.HTML:
    strings = {key: escape(value) for key, value in (text["common"] | text["latent"]).items()}
    strings["neighbour_buttons"] = "".join(_NEIGHBOUR.format(cell=cell) for cell in range(_RING))
    panel = f'<div class="gf-latent-panel gf-stack">{_CHOICE}{_SLIDERS}{_NEAR}</div>'
    view = f'<div class="gf-latent" data-gf="view" aria-busy="true">{_STAGE}{panel}</div>'
    page = f'<div class="gf">{view}{NO_WEIGHTS}</div>'
    return island(page.format_map(strings), "latent.js")
