"""The Compare tab: its markup. What happens in it is in static/compare/."""

from __future__ import annotations

from html import escape

from gan.web.tabs.island import SMOOTH
from gan.web.text import Text

_TOP = """
<div class="gf-card gf-row gf-compare-top">
  <div class="gf-field gf-compare-add">
    <label for="gf-compare-add" title="{add_hint}">{runs}</label>
    <select id="gf-compare-add" class="gf-select" data-gf="add" title="{add_hint}"
      ><option value="">{add}</option></select>
  </div>
  <form class="gf-field gf-compare-paste" data-gf="paste">
    <label for="gf-compare-paste">{paste}</label>
    <span class="gf-row"><input id="gf-compare-paste" class="gf-input" data-gf="paste-field" autocomplete="off"
      spellcheck="false" aria-label="{paste_label}"><button type="submit" class="gf-btn">{add_button}</button></span>
  </form>
  <p class="gf-note" data-kind="error" data-gf="error" role="alert" hidden></p>
  <button type="button" class="gf-btn gf-btn-quiet gf-push" data-gf="copy-link">{copy_link}</button>
</div>"""

_FORK = """
<form class="gf-card gf-stack-tight" data-gf="fork" hidden>
  <div class="gf-row"><h3 class="gf-how-title">{fork_title}</h3><p class="gf-hint">{fork_about}</p>
    <button type="button" class="gf-btn gf-btn-quiet gf-push" data-gf="fork-close" aria-label="{close}">×</button></div>
  <div class="gf-row gf-fork-fields">
    <label class="gf-field"><span class="gf-label">{fork_run}</span>
      <select class="gf-select" data-gf="fork-run"></select></label>
    <label class="gf-field"><span class="gf-label">{fork_from}</span>
      <select class="gf-select" data-gf="fork-from"></select></label>
    <label class="gf-field"><span class="gf-label">{fork_knob}</span>
      <select class="gf-select" data-gf="fork-knob"></select></label>
    <div class="gf-field"><label for="gf-fork-value">{fork_value}</label><div data-gf="fork-value"></div></div>
    <button type="submit" class="gf-btn gf-btn-primary" data-gf="fork-go">{fork_button}</button>
  </div>
  <p class="gf-hint" data-gf="fork-hint"></p>
  <p class="gf-hint" data-gf="fork-pauses" hidden></p>
  <p class="gf-note" data-kind="error" data-gf="fork-error" role="alert" hidden></p>
</form>"""

_STAGE = """
<div class="gf-row"><p class="gf-hint" data-gf="latents"></p><span class="gf-push">{smooth_choice}</span></div>
<div class="gf-columns" data-gf="columns"></div>
<div class="gf-scrubber">
  <input type="range" class="gf-slider" data-gf="scrub" min="0" max="1000" value="1000" step="1"
    aria-label="{scrubber}">
  <output class="gf-num gf-scrub-step" data-gf="place"></output>
</div>
<div class="gf-row gf-under-curves">
  <span data-gf="axis"></span>
  <label class="gf-row gf-smoothing"><span class="gf-hint">{smoothing}</span>
    <input type="range" class="gf-slider" data-gf="smoothing" min="0" max="0.99" step="0.01" value="0.8"></label>
  <label class="gf-check gf-hint" title="{log_hint}"><input type="checkbox" data-gf="log"><span>{log}</span></label>
  <select class="gf-select gf-select-mini gf-more-curves" data-gf="more-curves" aria-label="{more}"></select>
  <span class="gf-hint" data-gf="log-note" hidden>{log_note}</span>
</div>"""

_BELOW = """
<div class="gf-curves gf-compare-curves" data-gf="curves"></div>
<section class="gf-card"><h3 class="gf-how-title">{settings}</h3>
  <p class="gf-hint" data-gf="same" hidden></p>
  <div class="gf-table-box" tabindex="0" role="region" aria-label="{settings}"><table class="gf-table" data-gf="table"
    ></table></div></section>"""

_EMPTY = """
<div class="gf-empty" data-gf="empty" hidden><h2>{empty_title}</h2><p class="gf-hint">{empty_text}</p>
  <button type="button" class="gf-btn gf-btn-primary" data-gf="begin" hidden>{empty_button}</button></div>"""

_PAGE = (
    '<div class="gf gf-compare gf-stack">'
    + _TOP
    + _EMPTY
    + '<div class="gf-stack" data-gf="view" hidden>'
    + _STAGE
    + _FORK
    + _BELOW
    + "</div></div>"
)


def markup(text: Text) -> str:
    words = text["common"] | {"smoothing": text["train"]["smoothing"]} | text["curves"] | text["compare"]
    strings = {key: escape(value) for key, value in words.items()}
    strings["smooth_choice"] = SMOOTH.format_map(strings)
    return _PAGE.format_map(strings)
