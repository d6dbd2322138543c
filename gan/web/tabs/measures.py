"""The measure tile of the Train tab: its markup. What happens in it is in static/run/measure_tile.js."""

from __future__ import annotations

from html import escape

from gan.web.text import Text

_TILE = """
<section class="gf-measures gf-stack-tight" data-gf="measures" aria-label="{title}" hidden>
  <header class="gf-row">
    <h3 class="gf-section-title" title="{protocol_hint}">{title}</h3>
    <span class="gf-hint gf-num" data-gf="measure-moment"></span>
    <label class="gf-row gf-push" data-gf="measure-share-box" title="{share_hint}" hidden>
      <span class="gf-hint">{share}</span>
      <select class="gf-select gf-select-mini" data-gf="measure-share"><option value="0">{off}</option>
      <option value="0.05">5 %</option><option value="0.1">10 %</option><option value="0.2">20 %</option>
      </select></label>
  </header>
  <p class="gf-hint" data-gf="measure-note" role="status" hidden></p>
  <div class="gf-measure-numbers" data-gf="measure-numbers">
    <dl>
      <div><dt>{fid}</dt><dd class="gf-num" data-gf="m-fid">–</dd><dd class="gf-hint" data-gf="m-fid-real">&nbsp;</dd>
        <dd class="gf-hint" data-gf="m-fid-best">&nbsp;</dd><dd class="gf-hint">{fid_hint}</dd></div>
      <div><dt>{coverage}</dt><dd class="gf-num" data-gf="m-coverage">–</dd>
        <dd class="gf-hint" data-gf="m-coverage-real">&nbsp;</dd>
        <dd class="gf-hint" data-gf="m-coverage-best">&nbsp;</dd><dd class="gf-hint">{coverage_hint}</dd></div>
      <div><dt>{kinds}</dt><dd class="gf-num" data-gf="m-kinds">–</dd>
        <dd class="gf-hint" data-gf="m-kinds-real">&nbsp;</dd>
        <dd class="gf-hint" data-gf="m-kinds-best">&nbsp;</dd><dd class="gf-hint">{kinds_hint}</dd></div>
    </dl>
    <figure class="gf-figure">
      <div class="gf-bars" data-gf="m-bars"></div>
      <figcaption class="gf-hint">{bars_hint}</figcaption>
    </figure>
    <details class="gf-fold gf-attributes" data-gf="m-attributes" hidden>
      <summary>{attributes}</summary>
      <p data-gf="m-missing"></p>
      <p class="gf-hint">{attributes_hint}</p>
      <div class="gf-attribute-list" data-gf="m-attribute-list"></div>
    </details>
    <p class="gf-hint">{protocol}</p>
  </div>
</section>"""


def tile(text: Text) -> str:
    """The markup, its strings escaped."""
    return _TILE.format_map({key: escape(value) for key, value in text["measures"].items()})
