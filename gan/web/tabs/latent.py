"""The Latent sliders tab: its markup. What happens in it is in static/latent/."""

from __future__ import annotations

from html import escape

from gan.web.tabs import inspection
from gan.web.tabs.island import NO_WEIGHTS, SMOOTH
from gan.web.text import Text

# Row / column of the neighbours in the grid of five by five: number 0 lies to the right of the picture, then clockwise.
_RING = ("3/5", "4/5", "5/5", "5/4", "5/3", "5/2", "5/1", "4/1", "3/1", "2/1", "1/1", "1/2", "1/3", "1/4", "1/5", "2/5")

# The picture with its neighbours in a ring around it; on a phone the picture stays on top and the ring becomes a strip.
_STAGE = """
<section class="gf-ring" data-gf="ring" aria-label="{stage}">
  <div class="gf-ring-main" data-gf="main">
    <canvas class="gf-canvas" data-gf="picture" role="img" aria-label="{picture}"></canvas>
    <p class="gf-drawn" data-gf="drawn" hidden></p>
  </div>
  {neighbour_buttons}
</section>"""

_NEIGHBOUR = """<button type="button" class="gf-near" data-gf="near" style="grid-area: {place}" disabled
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
    <span class="gf-push">{smooth_choice}</span>
  </div>
  <p class="gf-note" data-gf="found" hidden><span data-gf="found-words"></span>
    <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="found-leave">{found_leave}</button></p>
  <div class="gf-classes" role="radiogroup" aria-label="{classes}" data-gf="classes" hidden></div>
  <div class="gf-row">
    <button type="button" class="gf-btn gf-btn-mini" data-gf="undo" title="{undo_hint}" disabled>{undo}</button>
    <button type="button" class="gf-btn gf-btn-mini" data-gf="redo" title="{redo_hint}" disabled>{redo}</button>
    <button type="button" class="gf-btn" data-gf="reset" title="{reset_hint}">{reset}</button>
    <button type="button" class="gf-btn gf-btn-quiet gf-push" data-gf="send" title="{send_hint}">{send}</button>
  </div>
  <div class="gf-row gf-latent-share">
    <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="copy-link">{copy_link}</button>
    <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="png" title="{png_hint}">{png}</button>
    <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="python" title="{python_hint}">{python}</button>
    <label class="gf-btn gf-btn-quiet gf-small gf-file gf-push" title="{open_file_hint}">{open_file}
      <input type="file" accept=".safetensors,.png,image/png" data-gf="file"></label>
  </div>
</div>"""

_SHARE = """
<div class="gf-drop" data-gf="drop" hidden><p>{drop}</p></div>
<dialog class="gf-dialog" data-gf="python-dialog" aria-label="{python_title}">
  <div class="gf-stack">
    <div class="gf-row"><h2 class="gf-section-title">{python_title}</h2>
      <button type="button" class="gf-btn gf-btn-quiet gf-small gf-push" data-gf="python-close">{close}</button></div>
    <p class="gf-hint" role="status" data-gf="python-about"></p>
    <textarea class="gf-input gf-code" data-gf="python-code" rows="10" readonly spellcheck="false"
      aria-label="{python_title}"></textarea>
    <div class="gf-row"><button type="button" class="gf-btn gf-btn-primary gf-push" data-gf="python-copy"
      >{python_copy}</button></div>
  </div>
</dialog>"""

_SLIDERS = """
<section class="gf-card gf-stack-tight" data-gf="attributes-box" hidden>
  <h2 class="gf-section-title">{attributes}</h2>
  <p class="gf-hint">{attributes_hint}</p>
  <div class="gf-attributes" data-gf="attributes"></div>
</section>
<section class="gf-card gf-stack-tight" data-gf="directions-box">
  <div class="gf-row">
    <h2 class="gf-section-title">{directions}</h2>
    <span class="gf-row gf-push">
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="choose" aria-expanded="false"
        title="{choose_hint}">{choose}</button>
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="voice" aria-pressed="false"
        title="{voice_hint}">{voice}</button>
      <button type="button" class="gf-btn gf-small" data-gf="teach" title="{teach_hint}">{teach}</button></span>
  </div>
  <p class="gf-note" role="status" data-gf="voice-note" hidden></p>
  <div class="gf-row gf-voice" data-gf="voice-box" hidden>
    <label class="gf-hint" for="gf-voice-slider">{voice_turns}</label>
    <select id="gf-voice-slider" class="gf-select gf-select-mini" data-gf="voice-slider"></select>
    <div class="gf-meter" data-gf="voice-meter"><i></i></div>
  </div>
  <p class="gf-hint">{directions_hint}</p>
  <div class="gf-stack-tight gf-chips-box" data-gf="chips-box" hidden>
    <div class="gf-stack-tight" data-gf="chips"></div>
    <div class="gf-row">
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="export"
        title="{export_hint}">{export}</button>
      <label class="gf-btn gf-btn-quiet gf-small gf-file" title="{import_hint}">{import}
        <input type="file" accept=".json,application/json" data-gf="import"></label>
    </div>
  </div>
  <div class="gf-directions" data-gf="directions"></div>
  <div class="gf-directions gf-whole">
    <div class="gf-direction" title="{psi_hint}">
      <label for="gf-psi">{psi}</label><output class="gf-num gf-hint" data-gf="psi-value"></output>
      <input type="range" id="gf-psi" class="gf-slider" data-gf="psi" min="0" max="1" step="0.01" value="1">
    </div>
    <div class="gf-direction" data-gf="mix-row" title="{mix_hint}" hidden>
      <span class="gf-row gf-mix"><label for="gf-mix-class">{mix}</label>
        <select id="gf-mix-class" class="gf-select gf-select-mini" data-gf="mix-class"></select></span>
      <output class="gf-num gf-hint" data-gf="mix-value"></output>
      <input type="range" class="gf-slider" data-gf="mix" min="0" max="1" step="0.01" aria-label="{mix_share}">
    </div>
  </div>
</section>
<dialog class="gf-dialog" data-gf="teach-dialog" aria-label="{teach_title}">
  <form class="gf-stack" data-gf="teach-form">
    <div class="gf-row"><h2 class="gf-section-title">{teach_title}</h2>
      <button type="button" class="gf-btn gf-btn-quiet gf-small gf-push" data-gf="teach-close">{close}</button></div>
    <p class="gf-hint">{teach_about}</p>
    <div class="gf-marks" data-gf="teach-pictures"></div>
    <div class="gf-row">
      <span class="gf-hint gf-num" role="status" data-gf="teach-count"></span>
      <span class="gf-row gf-push">
        <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="teach-open" title="{teach_open_hint}"
          disabled>{teach_open}</button>
        <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="teach-clear">{teach_clear}</button>
        <button type="button" class="gf-btn gf-small" data-gf="teach-others">{teach_others}</button></span>
    </div>
    <div class="gf-teach-strip"><canvas class="gf-canvas" data-gf="teach-strip" aria-hidden="true"></canvas></div>
    <div class="gf-row gf-teach-foot">
      <label class="gf-hint" for="gf-teach-name">{teach_name}</label>
      <input id="gf-teach-name" class="gf-input" data-gf="teach-name" maxlength="40" autocomplete="off"
        placeholder="{teach_example}">
      <button type="submit" class="gf-btn gf-btn-primary" data-gf="teach-save" disabled>{teach_save}</button>
    </div>
  </form>
</dialog>
<details class="gf-card gf-fold" data-gf="find">
  <summary>{find}</summary>
  <div class="gf-stack-tight">
    <p class="gf-hint">{find_about}</p>
    <div class="gf-find">
      <div class="gf-pen-box">
        <canvas class="gf-canvas gf-pen" data-gf="pen" role="application" tabindex="0" aria-label="{find_pen}"></canvas>
        <span class="gf-pen-hint" data-gf="pen-hint" aria-hidden="true">{find_here}</span>
      </div>
      <div class="gf-stack-tight gf-find-more">
        <div class="gf-row">
          <button type="button" class="gf-btn gf-small" data-gf="pen-clear">{find_clear}</button>
          <label class="gf-btn gf-btn-quiet gf-small gf-file">{find_file}
            <input type="file" accept="image/*" data-gf="find-file"></label>
        </div>
        <div class="gf-stack-tight" data-gf="find-tests-box" hidden>
          <span class="gf-hint">{find_tests}</span>
          <div class="gf-marks gf-tests" data-gf="find-tests"></div>
        </div>
        <div class="gf-row gf-find-result" data-gf="find-result" hidden>
          <figure><canvas class="gf-canvas" data-gf="find-target" aria-hidden="true"></canvas>
            <figcaption class="gf-hint">{find_target}</figcaption></figure>
          <figure><canvas class="gf-canvas" data-gf="find-best" aria-hidden="true"></canvas>
            <figcaption class="gf-hint">{find_best}</figcaption></figure>
          <div class="gf-find-words"><p class="gf-hint gf-num" role="status" data-gf="find-words"></p>
            <progress data-gf="find-progress" max="1" value="0" aria-label="{find_progress}"></progress></div>
        </div>
      </div>
    </div>
  </div>
</details>
{made_of}
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
  <h2 class="gf-section-title">{near}</h2>
  <p class="gf-hint">{near_hint}</p>
  <div class="gf-row">
    <label class="gf-row gf-spread"><span class="gf-hint">{spread}</span>
      <input type="range" class="gf-slider" data-gf="spread" min="0.05" max="1" step="0.05" value="0.7"></label>
    <button type="button" class="gf-btn" data-gf="others" title="{others_hint}">{others}</button>
    <button type="button" class="gf-btn" data-gf="back" disabled>{back}</button>
  </div>
</section>"""


def markup(text: Text) -> str:
    strings = {key: escape(value) for key, value in (text["common"] | text["latent"] | text["share"]).items()}
    strings["neighbour_buttons"] = "".join(_NEIGHBOUR.format(place=place) for place in _RING)
    strings["smooth_choice"] = SMOOTH.format_map(strings)
    strings["made_of"] = inspection.fragment(text)
    panel = f'<div class="gf-latent-panel gf-stack">{_CHOICE}{_SLIDERS}{_NEAR}</div>'
    # The keyboard comes to the controls before it comes to the sixteen neighbours; the style sheet says where they lie.
    view = f'<div class="gf-latent" data-gf="view" aria-busy="true">{panel}{_STAGE}{_SHARE}</div>'
    page = f'<div class="gf">{view}{NO_WEIGHTS}</div>'
    return page.format_map(strings)
