"""The Train tab: its markup. What happens in it is in static/train/: setup.js (the form), live.js (the view)."""

from __future__ import annotations

from html import escape

from gan.web.tabs import diagnosis, measures
from gan.web.tabs.island import SMOOTH
from gan.web.text import Text

# Elements the scripts fill in carry data-gf; nothing else of the markup is known to them.
_SETUP = """
<aside class="gf-setup gf-card" aria-label="{setup}">
  <div class="gf-setup-scroll gf-stack">
    <div data-gf="recipes"></div>
    <div class="gf-field">
      <label for="gf-dataset">{dataset}</label>
      <select id="gf-dataset" class="gf-select" data-gf="dataset"></select>
      <p class="gf-hint" data-gf="dataset-about"></p>
      <p class="gf-note gf-why" data-gf="dataset-why" role="status" hidden></p>
    </div>
    <div class="gf-own gf-stack-tight" data-gf="own" hidden>
      <div class="gf-stack-tight" data-gf="own-ways">
        <label class="gf-btn gf-file">{own_choose}
          <input type="file" multiple accept="image/*,.zip,application/zip" data-gf="own-files"></label>
        <label class="gf-btn gf-file" data-gf="own-folder-box">{own_folder}
          <input type="file" multiple webkitdirectory data-gf="own-folder"></label>
        <button type="button" class="gf-btn" data-gf="own-camera">{own_camera}</button>
        <div class="gf-stack-tight" data-gf="camera" hidden>
          <video class="gf-camera" data-gf="camera-video" muted playsinline aria-label="{camera_seen}"></video>
          <p class="gf-hint">{camera_hint}</p>
          <div class="gf-row">
            <button type="button" class="gf-btn gf-btn-mini" data-gf="camera-take"></button>
            <button type="button" class="gf-btn gf-btn-mini" data-gf="camera-close">{cancel}</button>
          </div>
        </div>
        <p class="gf-hint" data-gf="camera-note" role="status" hidden></p>
      </div>
      <p class="gf-hint" data-gf="own-hint"></p>
      <div data-gf="own-preview-box" hidden><canvas class="gf-canvas gf-own-preview" data-gf="own-preview" role="img"
        ></canvas></div>
      <div class="gf-own-form gf-stack-tight">
        <div class="gf-knobs">
          <label class="gf-field"><span class="gf-label">{own_size}</span>
            <select class="gf-select" data-gf="own-size"></select></label>
          <label class="gf-field"><span class="gf-label">{own_colours}</span>
            <select class="gf-select" data-gf="own-channels"><option value="1">{own_grey}</option>
            <option value="3">{own_colour}</option></select></label>
          <label class="gf-field gf-own-fit"><span class="gf-label">{own_fit}</span>
            <select class="gf-select" data-gf="own-fit"></select></label>
        </div>
        <div class="gf-hint gf-one-of" data-gf="own-fit-about"></div>
      </div>
      <div class="gf-own-state">
        <p class="gf-hint" data-gf="own-note" role="status"></p>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="own-cancel" hidden>{cancel}</button>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="own-again" hidden>{own_again}</button>
      </div>
      <details class="gf-section" data-gf="own-classes" hidden>
        <summary data-gf="own-classes-title"></summary>
        <form class="gf-stack-tight" data-gf="own-classes-form">
          <p class="gf-hint">{own_classes_hint}</p>
          <ul class="gf-own-classes" data-gf="own-classes-list"></ul>
          <div class="gf-row">
            <button type="submit" class="gf-btn gf-btn-mini" data-gf="own-classes-apply">{apply}</button>
            <button type="button" class="gf-btn gf-btn-mini" data-gf="own-classes-back">{own_classes_back}</button>
          </div>
        </form>
      </details>
      <div data-gf="own-foot" hidden>
        <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="own-delete">{own_delete}</button>
        <div class="gf-row gf-own-sure" data-gf="own-sure" hidden>
          <span class="gf-hint">{own_delete_sure}</span>
          <button type="button" class="gf-btn gf-btn-mini gf-btn-bad" data-gf="own-delete-now">{delete}</button>
          <button type="button" class="gf-btn gf-btn-mini" data-gf="own-keep">{cancel}</button>
        </div>
      </div>
    </div>
    <div class="gf-stack-tight">
      <label class="gf-field"><span class="gf-label">{start_from}</span>
        <select class="gf-select" data-gf="start-from"></select></label>
      <p class="gf-hint" data-gf="start-about" hidden>{start_about}</p>
    </div>
    <div class="gf-knobs" data-gf="knobs-main"></div>
    <details class="gf-more">
      <summary data-gf="more-title">{more}</summary>
      <div class="gf-knobs" data-gf="knobs-more"></div>
    </details>
    <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="reset" hidden>{reset}</button>
    <section class="gf-runs">
      <div class="gf-row">
        <h2 class="gf-section-title">{my_runs}</h2>
        <label class="gf-btn gf-btn-quiet gf-small gf-file gf-push" title="{bring_back_hint}">{bring_back}
          <input type="file" accept=".zip,application/zip" data-gf="bring-back"></label>
      </div>
      <p class="gf-hint" data-gf="runs-hint" hidden>{runs_hint}</p>
      <ul class="gf-run-list" data-gf="runs"></ul>
    </section>
  </div>
  <div class="gf-setup-foot gf-stack-tight">
    <p class="gf-note" data-gf="keeps-nothing" role="status" hidden>{keeps_nothing}
      <a href="?" data-gf="open-directly" target="_blank" rel="noopener" hidden>{open_directly}</a></p>
    <p class="gf-note" data-kind="error" data-gf="setup-error" role="alert" hidden></p>
    <label class="gf-check gf-hint" data-gf="shown-box" title="{shown_hint}"><input type="checkbox" data-gf="shown"
      checked><span>{shown}</span></label>
    <div class="gf-note gf-busy gf-stack-tight" data-kind="accent" data-gf="busy" hidden></div>
    <p class="gf-hint" data-gf="only-here" hidden>{only_here}</p>
    <button type="button" class="gf-btn gf-btn-primary gf-btn-big" data-gf="train" disabled>{train}</button>
  </div>
</aside>"""

_HEAD = """
<header class="gf-live-head gf-stack-tight">
  <div class="gf-row">
    <h2 class="gf-run-title" data-gf="title">{loading}</h2>
    <span class="gf-tag" data-gf="status"><span class="gf-dot" aria-hidden="true"></span
      ><span data-gf="status-text"></span></span>
    <span class="gf-hint gf-subtitle" data-gf="subtitle" hidden></span>
    <div class="gf-row gf-push gf-controls" data-gf="controls" hidden>
      <button type="button" class="gf-btn gf-main-control" data-gf="pause">{pause}</button>
      <span class="gf-step-group" role="group" aria-label="{step_once}" title="{step_when_paused}">
        <span class="gf-hint">{step_once}</span>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="step" data-players="d" title="{step_d_hint}"
          >{step_d}</button>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="step" data-players="g" title="{step_g_hint}"
          >{step_g}</button>
        <button type="button" class="gf-btn gf-btn-mini" data-gf="step" data-players="both" title="{step_both_hint}"
          >{step_both}</button>
      </span>
      <button type="button" class="gf-btn" data-gf="stop">{stop}</button>
      <button type="button" class="gf-btn" data-gf="start-over" title="{start_over_hint}">{start_over}</button>
    </div>
  </div>
  <div class="gf-progress" data-gf="progress" role="progressbar" aria-label="{step}" aria-valuemin="0"
    aria-valuemax="100"><div data-gf="progress-bar"></div></div>
  <dl class="gf-stats">
    <div><dt>{step}</dt><dd class="gf-num"><span data-gf="n-step">–</span> <small data-gf="n-total"></small></dd></div>
    <div title="{epoch_hint}"><dt>{epoch}</dt><dd class="gf-num" data-gf="n-epoch">–</dd></div>
    <div><dt>{images}</dt><dd class="gf-num" data-gf="n-images">–</dd></div>
    <div><dt>{images_per_s}</dt><dd class="gf-num" data-gf="n-rate">–</dd></div>
    <div><dt>{elapsed}</dt><dd class="gf-num" data-gf="n-elapsed">–</dd></div>
    <div><dt>{left}</dt><dd class="gf-num" data-gf="n-left">–</dd></div>
    <div title="{show_share_hint}"><dt>{show_share}</dt><dd class="gf-num" data-gf="n-share">–</dd></div>
  </dl>
  <div class="gf-note gf-row" data-gf="message" role="status" hidden><span data-gf="message-text"></span>
    <button type="button" class="gf-btn gf-btn-primary" data-gf="rewind" hidden></button>
    <button type="button" class="gf-btn gf-btn-primary" data-gf="gone-over" title="{start_over_hint}" hidden
      >{start_over}</button>
    <button type="button" class="gf-btn" data-gf="gone-recorded" hidden>{recording}</button></div>
</header>"""

_STAGE = """
<div class="gf-stage gf-stack">
  <figure class="gf-figure gf-figure-real">
    <figcaption class="gf-row"><span class="gf-section-title gf-is-real">{real}</span></figcaption>
    <canvas class="gf-canvas" data-gf="real" role="img" aria-label="{real}"></canvas>
  </figure>
  <div class="gf-pictures gf-stack">
  <figure class="gf-figure">
    <figcaption class="gf-row"><span class="gf-section-title gf-is-fake" title="{same_noise}">{fake}</span>
      <span class="gf-hint" data-gf="fake-caption"></span>
    <div class="gf-row gf-tools gf-push">
      {smooth_choice}
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="sliders" title="{sliders_hint}"
        >{sliders}</button>
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="compare" title="{compare_hint}"
        >{compare}</button>
      <button type="button" class="gf-btn gf-btn-quiet gf-small" data-gf="copy-link">{copy_link}</button>
      <details class="gf-menu" data-gf="download">
        <summary class="gf-btn gf-btn-quiet gf-small">{download}</summary>
        <div class="gf-menu-list" data-gf="download-list"></div>
      </details>
    </div>
    </figcaption>
    <canvas class="gf-canvas" data-gf="fake" role="img" aria-label="{fake}"></canvas>
  </figure>
  <div class="gf-scrubber">
    <button type="button" class="gf-btn gf-play" data-gf="play" aria-label="{play}" title="{play}"></button>
    <input type="range" class="gf-slider" data-gf="scrub" min="0" max="0" value="0" step="1" aria-label="{scrubber}">
    <output class="gf-num gf-scrub-step" data-gf="scrub-step"></output>
    <label class="gf-hint gf-speed" title="{speed}"><span>{speed}</span>
      <select class="gf-select gf-select-mini" data-gf="speed" aria-label="{speed}"><option value="0.25">¼×</option>
      <option value="0.5">½×</option><option value="1" selected>1×</option>
      <option value="2">2×</option><option value="4">4×</option></select></label>
    <details class="gf-menu" data-gf="from-box" style="visibility: hidden">
      <summary class="gf-btn gf-btn-mini" data-gf="from-here" title="{from_here_hint}">{from_here}</summary>
      <div class="gf-menu-list">
        <button type="button" class="gf-menu-item" data-gf="fork-here"></button>
        <button type="button" class="gf-menu-item" data-gf="back-here"></button>
        <button type="button" class="gf-menu-item" data-gf="fork-best" hidden></button>
        <button type="button" class="gf-menu-item" data-gf="back-best" hidden></button>
      </div>
    </details>
    <button type="button" class="gf-btn gf-btn-mini" data-gf="to-live">{back_to_live}</button>
  </div>
  </div>
</div>"""

_CURVES = """
<div class="gf-stack gf-numbers"><div class="gf-curves" data-gf="curves">
  <figure class="gf-figure gf-chart">
    <figcaption class="gf-row" title="{losses_hint}"><span class="gf-section-title">{losses}</span>
      <span class="gf-legend" data-gf="legend-loss"></span></figcaption>
    <canvas data-gf="chart-loss" role="img" tabindex="0" aria-label="{losses}"></canvas>
  </figure>
  <figure class="gf-figure gf-chart">
    <figcaption class="gf-row" data-gf="verdict-caption" title="{verdicts_hint}"><span class="gf-section-title"
      >{verdicts}</span><span class="gf-legend" data-gf="legend-verdict"></span></figcaption>
    <canvas data-gf="chart-verdict" role="img" tabindex="0" aria-label="{verdicts}"></canvas>
  </figure>
</div>
<div class="gf-row gf-under-curves">
  <label class="gf-row gf-smoothing"><span class="gf-hint">{smoothing}</span>
    <input type="range" class="gf-slider" data-gf="smoothing" min="0" max="0.99" step="0.01" value="0.8"></label>
  <span data-gf="axis"></span>
  <label class="gf-check gf-hint" title="{log_hint}"><input type="checkbox" data-gf="log"><span>{log}</span></label>
  <select class="gf-select gf-select-mini gf-more-curves" data-gf="more-curves" aria-label="{more_curves}"><option
    value="">{more_curves}</option></select>
  <a class="gf-btn gf-btn-quiet gf-small" data-gf="csv" title="{csv_hint}" download>{csv}</a>
  <span class="gf-hint" data-gf="log-note" hidden>{log_note}</span>
  <span class="gf-hint gf-event-line" data-gf="event-line" aria-live="polite"></span>
  <form class="gf-row gf-rates gf-push" data-gf="rates" hidden>
    <span class="gf-hint">{rates}</span>
    <label class="gf-row"><span class="gf-is-real">{rate_d}</span><input class="gf-input gf-num" data-gf="rate-d"
      inputmode="decimal" autocomplete="off" aria-label="{rate_d_label}"></label>
    <label class="gf-row"><span class="gf-is-fake">{rate_g}</span><input class="gf-input gf-num" data-gf="rate-g"
      inputmode="decimal" autocomplete="off" aria-label="{rate_g_label}"></label>
    <button type="submit" class="gf-btn">{apply}</button>
  </form>
</div>{measures_tile}</div>"""

_CURVE_TEXTS = ("log", "log_hint", "log_note", "csv", "csv_hint")

_LIVE = """
<section class="gf-live" data-gf="live" aria-busy="true">
  <div class="gf-empty" data-gf="empty" hidden><h2>{empty_title}</h2><p class="gf-hint">{empty_text}</p></div>
  <div class="gf-stack gf-view" data-gf="view">"""

_PAGE = (
    '<div class="gf gf-train"><div class="gf-drop" data-gf="drop" hidden><p>{own_drop}</p></div>'
    + _SETUP
    + _LIVE
    + _HEAD
    + diagnosis.FRAGMENT
    + _STAGE
    + _CURVES
    + '</div></section><div class="gf-bar" data-gf="bar"></div></div>'
)


def markup(text: Text) -> str:
    curves = {"more_curves": text["curves"]["more"], **{k: text["curves"][k] for k in _CURVE_TEXTS}}
    early = {k: v for k, v in text["diagnosis"].items() if k.startswith("diagnosis_")}
    strings = {key: escape(value) for key, value in (text["common"] | text["train"] | early | curves).items()}
    strings["smooth_choice"] = SMOOTH.format_map(strings)
    return _PAGE.format_map(strings | {"measures_tile": measures.tile(text)})
