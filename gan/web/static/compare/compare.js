// The Compare tab: two to four runs beside each other, over one axis, and forks of them.

import { AXES, placeName } from "../charts/axis.js";
import { axisControl } from "../charts/axis_control.js";
import { curveHint, curveName, furtherCurves, recordPlaces } from "../charts/curves.js";
import { Chart } from "../charts/plot.js";
import { onState, openTab, readState, writeState } from "../core/address.js";
import { boot } from "../core/boot.js";
import { drawTiles } from "../core/canvas.js";
import { copyLink } from "../core/controls/copy_link.js";
import { h, setText } from "../core/dom.js";
import { percentOf, short, whole } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { firstLine, firstSentence } from "../run/diagnosis.js";
import { shown } from "../run/form_fields.js";
import { openable, openTile, TileButton } from "../run/tile_button.js";
import { Track } from "../run/track.js";
import { ForkForm } from "./fork_form.js";

const MOST = 4;
const POLL_MS = 1000;
const RESTING_MS = 2500;
const MINE_MS = 6000; // my runs, for the list of what can be added
const SCRUB = 1000; // positions of the scrubber
const FIRST_CURVES = ["d_loss", "g_loss", "d_real", "d_fake"];
const WELCOME_CURVES = ["fid", "coverage"]; // shown at once where a run has them
const NEVER_DIFFER = ["recipe"]; // the titles say it

export async function mount(element) {
  try {
    new CompareTab(element.querySelector(".gf-compare") ?? element, await boot()).start();
  } catch (error) {
    notify(error.message, "error");
    setTimeout(() => mount(element), 2000);
  }
}

class CompareTab {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.tracks = [];
    this.charts = new Map();
    this.columns = new Map();
    this.place = null;
    this.axis = "step";
    this.log = false;
    this.more = [];
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.showAxis = axisControl(this.part("axis"), (axis) => this.setAxis(axis));
    this.form = new ForkForm(this.part, data, {
      tracks: () => this.tracks,
      full: () => this.tracks.length >= MOST,
      made: (runId) => this.add(runId),
    });
  }

  start() {
    this.listen();
    onState("compare", (state) => this.show(state));
    this.show(readState("compare"));
    this.poll = everyVisible(POLL_MS, () => this.tick());
    this.minePoll = everyVisible(MINE_MS, () => visibleTab() === "compare" && this.refreshMine());
  }

  // ---- the address ----

  async show(state) {
    this.axis = AXES.includes(state.x) ? state.x : "step";
    this.place = state.at !== undefined && Number.isFinite(Number(state.at)) ? Number(state.at) : null;
    this.log = state.log === "1";
    this.more = (state.more ?? "").split(",").filter(Boolean);
    this.part("log").checked = this.log;
    this.showAxis(this.axis);
    const wanted = [...new Set((state.runs ?? "").split(",").filter(Boolean))].slice(0, MOST);
    this.tracks = this.tracks.filter((track) => wanted.includes(track.id));
    await Promise.all(wanted.filter((id) => !this.track(id)).map((id) => this.load(id)));
    this.tracks.sort((a, b) => wanted.indexOf(a.id) - wanted.indexOf(b.id));
    this.changed();
    if (state.fork && this.track(state.fork)) this.form.open(state.fork, state.from);
  }

  write() {
    writeState("compare", {
      runs: this.tracks.map((track) => track.id).join(","),
      x: this.axis === "step" ? "" : this.axis,
      at: this.place === null ? "" : Number(this.place.toFixed(1)),
      log: this.log ? "1" : "",
      more: this.more.join(","),
    });
  }

  // ---- which runs ----

  track(runId) {
    return this.tracks.find((track) => track.id === runId);
  }

  async load(runId) {
    try {
      const track = await new Track(runId).open();
      if (!this.track(runId)) this.tracks.push(track);
      return true;
    } catch (error) {
      this.showError(error.message);
      return false;
    }
  }

  async add(runId) {
    if (this.track(runId)) return this.showError(t("compare.already"));
    if (this.tracks.length >= MOST) return this.showError(t("compare.full"));
    this.showError("");
    if (await this.load(runId)) this.changed();
    return null;
  }

  remove(track) {
    this.tracks = this.tracks.filter((other) => other !== track);
    this.changed();
  }

  showError(sentence) {
    this.part("error").hidden = !sentence;
    setText(this.part("error"), sentence);
  }

  async refreshMine() {
    this.mine = (await getJSON("runs")).runs;
    this.showOffers();
  }

  showOffers() {
    const offers = (this.mine ?? []).map(({ id, title }) => ({ id, title }));
    const recorded = this.data.recorded;
    if (recorded) offers.push({ id: recorded, title: t("train.recording") });
    const left = offers.filter(({ id }) => !this.track(id));
    const fingerprint = JSON.stringify(left);
    if (fingerprint === this.offered || document.activeElement === this.part("add")) return;
    this.offered = fingerprint;
    const options = left.map(({ id, title }) => h("option", { value: id }, title));
    this.part("add").replaceChildren(h("option", { value: "" }, t("compare.add")), ...options);
  }

  /** Other runs are shown than before. */
  changed() {
    const any = this.tracks.length > 0;
    this.part("view").hidden = !any;
    this.part("empty").hidden = any;
    this.part("begin").hidden = !this.data.recorded;
    this.write();
    this.buildColumns();
    this.buildCharts();
    this.buildTable();
    this.form.refresh();
    this.offered = "";
    this.showOffers();
    this.poll?.now();
    this.refreshMine().catch(() => {});
  }

  // ---- polling ----

  async tick() {
    if (visibleTab() !== "compare" || !this.tracks.length) return POLL_MS;
    const before = this.tracks.map((track) => track.status);
    const results = await Promise.allSettled(this.tracks.map((track) => track.update()));
    if (results.some(succeeded)) this.refresh();
    const judged = await Promise.allSettled(this.tracks.map((track) => track.diagnose())); // the pictures do not wait for it
    if (judged.some(succeeded)) this.showHeads();
    if (this.tracks.some((track, i) => track.status !== before[i])) this.statusChanged(before);
    for (const result of [...results, ...judged]) {
      if (result.status !== "rejected") continue;
      for (const track of this.tracks) track.startAgain();
      throw result.reason;
    }
    return this.tracks.some(({ status }) => status === "running") ? POLL_MS : RESTING_MS;
  }

  statusChanged(before) {
    this.form.refresh();
    const gone = this.tracks.filter((track, i) => track.gone && before[i] !== "gone");
    for (const { meta } of gone) this.showError(t("compare.gone", { title: meta.title }));
  }

  refresh() {
    this.buildCharts();
    this.showHeads();
    this.draw();
    for (const { chart } of this.charts.values()) chart.refresh();
  }

  // ---- pictures ----

  buildColumns() {
    this.columns = new Map(this.tracks.map((track, i) => [track, this.column(track, i)]));
    this.part("columns").style.setProperty("--gf-runs", this.tracks.length);
    this.part("columns").replaceChildren(...[...this.columns.values()].map(({ box }) => box));
    setText(this.part("latents"), this.aboutLatents());
    this.showHeads();
    this.draw();
  }

  column(track, i) {
    const canvas = h("canvas", { class: "gf-canvas", role: "img" });
    const sheet = h("div", { class: "gf-compare-sheet" }, canvas);
    const tile = new TileButton(canvas, (i) => openTile(track.meta, i, Number(canvas.dataset.step), track.step));
    const status = h("span", { class: "gf-tag" }, h("span", { class: "gf-dot", "aria-hidden": "true" }), h("span", {}));
    const title = h("h3", { class: "gf-compare-title" });
    const name = t("compare.remove", { title: track.meta.title });
    const close = h(
      "button",
      {
        type: "button",
        class: "gf-btn gf-btn-quiet gf-chart-close",
        "aria-label": name,
        title: name,
        onclick: () => this.remove(track),
      },
      "×",
    );
    const caption = h("span", { class: "gf-hint gf-num" });
    const open = h(
      "button",
      { type: "button", class: "gf-btn gf-btn-quiet gf-small", onclick: () => openTab("train", { run: track.id }) },
      t("compare.open"),
    );
    const fork = h(
      "button",
      { type: "button", class: "gf-btn gf-small", onclick: () => this.form.open(track.id) },
      t("compare.fork"),
    );
    const line = h("span", { class: "gf-diagnosis-line" }, h("b", {}), h("span", { class: "gf-hint" }));
    const verdict = h(
      "p",
      { class: "gf-compare-verdict" },
      h("span", { class: "gf-diagnosis-mark", "aria-hidden": "true" }),
      line,
    );
    const head = h(
      "header",
      { class: "gf-row" },
      h("i", { class: "gf-swatch gf-run-swatch", style: { background: `var(${color(i)})` } }),
      title,
      close,
    );
    const foot = h("div", { class: "gf-row" }, status, caption, h("span", { class: "gf-row gf-push" }, open, fork));
    const box = h("section", { class: "gf-compare-run", dataset: { run: track.id } }, head, foot, verdict, sheet);
    return { box, canvas, tile, status, title, caption, verdict };
  }

  showHeads() {
    for (const [track, { status, title, verdict }] of this.columns) {
      setText(title, shortTitle(track, this.tracks));
      title.title = forkedFrom(track) ?? track.meta.title;
      status.dataset.kind = track.status;
      setText(status.lastChild, t(`train.status_${track.status}`));
      if (track.diagnosis) showVerdict(verdict, firstLine(track.diagnosis));
    }
  }

  aboutLatents() {
    if (this.tracks.length < 2) return t("compare.one_only");
    const noise = new Set(
      this.tracks.map(({ meta }) =>
        JSON.stringify([meta.shown_seed, meta.config.z_dim, meta.config.classes, meta.tiles.count]),
      ),
    );
    return t(noise.size === 1 ? "compare.latents_same" : "compare.latents_other");
  }

  end() {
    return Math.max(1e-9, ...this.tracks.map((track) => track.last(this.axis)));
  }

  draw() {
    const end = this.end();
    const newest = this.place === null;
    const value = newest ? SCRUB : Math.min(SCRUB - 1, Math.round((this.place / end) * SCRUB));
    if (this.part("scrub").value !== String(value)) this.part("scrub").value = String(value);
    const words = newest ? t("compare.newest") : placeName(this.axis, this.place);
    setText(this.part("place"), words);
    this.part("scrub").setAttribute("aria-valuetext", words);
    for (const [track, column] of this.columns) this.drawColumn(track, column);
    for (const { chart } of this.charts.values()) Object.assign(chart, { cursor: this.place, end });
  }

  drawColumn(track, { canvas, tile, caption }) {
    const { step, sheet, ended } = track.at(this.place, this.axis, () => this.draw());
    const { count, columns, size } = track.meta.tiles;
    const width = canvas.parentElement.clientWidth;
    if (!width || !sheet) return; // what was shown stays until the picture is there
    const shown = { size, count, sourceColumns: columns, columns: columnsFor(width), width, gap: 4, justify: true };
    tile.place(drawTiles(canvas, sheet, shown), openable(track.meta));
    setText(caption, t(ended ? "compare.ended" : "compare.step", { step: whole(step) }));
    canvas.dataset.step = step;
    canvas.setAttribute("aria-label", t("compare.tiles_label", { count, title: track.meta.title, step: whole(step) }));
  }

  // ---- curves ----

  /** Columns of the rows, and of what any of the runs records besides: {name: "rows", "signals" or "measures"}. */
  known() {
    const rows = FIRST_CURVES.map((name) => [name, "rows"]);
    return Object.assign(Object.fromEntries(rows), ...this.tracks.map((track) => furtherCurves(track.history)));
  }

  wanted() {
    const known = this.known();
    return [...FIRST_CURVES, ...WELCOME_CURVES, ...this.more].filter(
      (name, i, all) => name in known && all.indexOf(name) === i,
    );
  }

  buildCharts() {
    const known = this.known();
    const wanted = this.wanted();
    const fingerprint = JSON.stringify([this.tracks.map(({ id }) => id), wanted, Object.keys(known)]);
    if (fingerprint === this.chartsShown) return;
    this.chartsShown = fingerprint;
    this.charts = new Map(wanted.map((name) => [name, this.chart(name, known[name])]));
    this.part("curves").replaceChildren(...[...this.charts.values()].map(({ box }) => box));
    this.showMore(known, wanted);
    this.apply();
  }

  chart(name, what) {
    const verdict = name === "d_real" || name === "d_fake";
    const probability = verdict && this.tracks.every(({ meta }) => meta.verdict_is_probability);
    const canvas = h("canvas", { role: "img", tabIndex: 0, "aria-label": t("train.curve_label", { title: curveName(name) }) });
    const legend = h("span", { class: "gf-legend" });
    const close =
      this.more.includes(name) &&
      h(
        "button",
        {
          type: "button",
          class: "gf-btn gf-btn-quiet gf-chart-close",
          "aria-label": t("curves.remove", { title: curveName(name) }),
          onclick: () => this.toggle(name),
        },
        "×",
      );
    const caption = h(
      "figcaption",
      { class: "gf-row", title: curveHint(name) },
      h("span", { class: "gf-section-title" }, curveName(name)),
      legend,
      close,
    );
    const box = h("figure", { class: "gf-figure gf-chart", dataset: { curve: name } }, caption, canvas);
    const chart = new Chart(canvas, legend, {
      series: this.tracks.map((track, i) => this.series(track, i, name, what)),
      format: probability ? percentOf : short,
      onHover: (place) => this.hover(place),
      onPick: (place) => this.goTo(place),
    });
    if (probability) Object.assign(chart, { range: [0, 1], middle: 0.5 });
    return { box, chart };
  }

  series(track, i, name, what) {
    const { history } = track;
    const rows = what === "rows";
    return {
      label: shortTitle(track, this.tracks),
      color: color(i),
      smooth: rows,
      x: () => (rows ? history.column(this.axis) : recordPlaces(history, what, this.axis)),
      values: () => (rows ? history.column(name) : history.recorded(what, name)),
    };
  }

  showMore(known, wanted) {
    const names = Object.keys(known).filter((name) => !FIRST_CURVES.includes(name) && !WELCOME_CURVES.includes(name));
    const options = names.map((name) => h("option", { value: name }, `${wanted.includes(name) ? "✓ " : ""}${curveName(name)}`));
    this.part("more-curves").replaceChildren(h("option", { value: "" }, t("curves.more")), ...options);
    this.part("more-curves").hidden = !names.length;
  }

  toggle(name) {
    this.more = this.more.includes(name) ? this.more.filter((other) => other !== name) : [...this.more, name];
    this.write();
    this.buildCharts();
  }

  hover(place) {
    for (const { chart } of this.charts.values()) {
      chart.hovered = place;
      chart.refresh();
    }
  }

  goTo(place) {
    this.place = place;
    this.write();
    this.draw();
    for (const { chart } of this.charts.values()) chart.refresh();
  }

  /** Another axis shows the same moment: that of the run that has come farthest. */
  setAxis(axis) {
    const longest = [...this.tracks].sort((a, b) => b.last(this.axis) - a.last(this.axis))[0];
    if (this.place !== null && longest)
      this.place = longest.history.placeOf(longest.history.stepAt(this.place, this.axis), axis);
    this.axis = axis;
    this.showAxis(axis);
    this.write();
    this.apply();
  }

  apply() {
    const smoothing = Number(this.part("smoothing").value);
    for (const { chart } of this.charts.values())
      Object.assign(chart, { axis: this.axis, log: this.log, smoothing, hovered: null });
    this.part("log-note").hidden = !(this.log && this.hidesSomething());
    this.draw();
    for (const { chart } of this.charts.values()) chart.refresh();
  }

  hidesSomething() {
    const lines = [...this.charts.values()].flatMap(({ chart }) => chart.series);
    return lines.some((line) => line.values().some((value) => value !== null && value <= 0));
  }

  // ---- what differs ----

  buildTable() {
    const rows = this.data.knobs
      .filter(({ name }) => !NEVER_DIFFER.includes(name))
      .map((knob) => ({ knob, values: this.tracks.map(({ meta }) => settingShown(this.data, knob, meta.config[knob.name])) }))
      .filter(({ values }) => new Set(values).size > 1);
    this.part("same").hidden = rows.length > 0;
    setText(this.part("same"), t(this.tracks.length > 1 ? "compare.settings_same" : "compare.one_only"));
    const heads = this.tracks.map(({ meta }, i) =>
      h(
        "th",
        { scope: "col" },
        h("i", { class: "gf-swatch gf-run-swatch", style: { background: `var(${color(i)})` } }),
        " ",
        meta.title,
      ),
    );
    const head = h("tr", {}, h("th", { scope: "col" }, t("compare.setting")), heads);
    const body = rows.map(({ knob, values }) =>
      h(
        "tr",
        { dataset: { knob: knob.name } },
        h("th", { scope: "row", title: knob.help }, knob.label),
        values.map((value) => h("td", { class: "gf-num" }, value)),
      ),
    );
    this.part("table").hidden = !rows.length;
    this.part("table").replaceChildren(h("thead", {}, head), h("tbody", {}, body));
  }

  // ---- what is pressed ----

  listen() {
    const { part } = this;
    part("add").addEventListener("change", () => {
      const { value } = part("add");
      part("add").value = "";
      part("add").blur();
      if (value) this.add(value);
    });
    part("paste").addEventListener("submit", (event) => this.pasted(event));
    part("begin").addEventListener("click", () => this.add(this.data.recorded));
    part("copy-link").addEventListener("click", (event) => copyLink(event.currentTarget));
    part("scrub").addEventListener("input", () => {
      const value = Number(part("scrub").value);
      this.goTo(value >= SCRUB ? null : (value / SCRUB) * this.end());
    });
    part("smoothing").addEventListener("input", () => this.apply());
    part("log").addEventListener("change", () => {
      this.log = part("log").checked;
      this.write();
      this.apply();
    });
    part("more-curves").addEventListener("change", (event) => {
      const { value } = event.target;
      event.target.value = "";
      if (value) this.toggle(value);
    });
    new ResizeObserver(() => this.resized()).observe(part("columns"));
    new MutationObserver(() => this.resized()).observe(document.body, { attributeFilter: ["class"] });
  }

  resized() {
    this.draw();
    for (const { chart } of this.charts.values()) chart.refresh();
  }

  async pasted(event) {
    event.preventDefault();
    const runId = runIdIn(this.part("paste-field").value);
    if (!runId) {
      this.showError(t("compare.not_a_run"));
      return;
    }
    await this.add(runId);
    if (this.track(runId)) this.part("paste-field").value = "";
  }
}

/** @param {PromiseSettledResult<boolean>} result */
const succeeded = (result) => result.status === "fulfilled" && result.value;

const color = (i) => `--gf-run-${i + 1}`;

const columnsFor = (width) => (width >= 500 ? 10 : width >= 260 ? 8 : 5);

function showVerdict(box, { kind, severity, title, seen }) {
  const [name, hint] = box.lastChild.children;
  Object.assign(box.dataset, { kind, severity });
  box.title = seen;
  setText(name, title);
  setText(hint, firstSentence(seen));
}

/** What sets a run's title apart from that of the run it was forked from, where both are shown. */
function shortTitle(track, tracks) {
  const bases = tracks.map(({ meta }) => `${meta.title} · `).filter((base) => track.meta.title.startsWith(base));
  const longest = bases.sort((a, b) => b.length - a.length)[0] ?? "";
  return track.meta.title.slice(longest.length);
}

/** The last fork that a run's history tells of, in words. */
const forkedFrom = ({ meta }) => meta.events.filter(({ kind }) => kind === "fork").at(-1)?.text;

/** The id in a link to a run, or the id itself; null when it is neither. */
function runIdIn(text) {
  const found = /[?&]runs?=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? text.trim();
  return /^([A-Za-z0-9_-]{12}|recorded)$/.test(found) ? found : null;
}

function settingShown(data, knob, value) {
  if (typeof value === "boolean") return t(value ? "compare.yes" : "compare.no");
  return data.tables[knob.name]?.find(({ name }) => name === value)?.title ?? shown(value);
}
