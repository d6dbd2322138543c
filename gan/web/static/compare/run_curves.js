// The curves of the compared runs: a chart for each quantity, a line in it for each run.

import { curveHint, curveName, furtherCurves, recordPlaces } from "../charts/curves.js";
import { chartFigure } from "../charts/figure.js";
import { moreMenu } from "../charts/more_menu.js";
import { Chart } from "../charts/plot.js";
import { percentOf, short } from "../core/format.js";
import { colorOf, shortTitle } from "./names.js";

const FIRST_CURVES = ["d_loss", "g_loss", "d_real", "d_fake"];
const WELCOME_CURVES = ["fid", "coverage"]; // shown at once where a run has them

export class RunCurves {
  /** part(name): elements of the tab. hooks: {onPick(place on the axis), onMore(): other curves are wished}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.tracks = [];
    this.charts = new Map(); // name -> {box, chart}
    this.axis = "step";
    this.log = false;
    this.marked = { cursor: null, end: null };
    this.more = []; // curves that were asked for
    part("smoothing").addEventListener("input", () => this.apply());
    this.showMenu = moreMenu(part("more-curves"), (name) => this.toggle(name));
  }

  get all() {
    return [...this.charts.values()].map(({ chart }) => chart);
  }

  /** Columns of the rows, and of what any of the runs records besides: {name: "rows", "signals" or "measures"}. */
  known() {
    const rows = FIRST_CURVES.map((name) => [name, "rows"]);
    return Object.assign(Object.fromEntries(rows), ...this.tracks.map((track) => furtherCurves(track.history)));
  }

  /** The charts of these runs. */
  build(tracks) {
    this.tracks = tracks;
    const known = this.known();
    const wanted = [...new Set([...FIRST_CURVES, ...WELCOME_CURVES, ...this.more])].filter((name) => name in known);
    const fingerprint = JSON.stringify([tracks.map(({ id }) => id), wanted, Object.keys(known)]);
    if (fingerprint === this.shown) return;
    this.shown = fingerprint;
    this.charts = new Map(wanted.map((name) => [name, this.chart(name, known[name])]));
    this.part("curves").replaceChildren(...[...this.charts.values()].map(({ box }) => box));
    this.showMore(known, wanted);
    this.apply();
  }

  chart(name, what) {
    const verdict = name === "d_real" || name === "d_fake";
    const probability = verdict && this.tracks.every(({ meta }) => meta.verdict_is_probability);
    const remove = this.more.includes(name) && (() => this.toggle(name));
    const { box, canvas, legend } = chartFigure(name, { title: curveName(name), hint: curveHint(name), remove });
    const chart = new Chart(canvas, legend, {
      series: this.tracks.map((track, i) => this.series(track, i, name, what)),
      format: probability ? percentOf : short,
      onHover: (place) => this.hover(place),
      onPick: (place) => this.hooks.onPick(place),
    });
    if (probability) Object.assign(chart, { range: [0, 1], middle: 0.5 });
    return { box, chart };
  }

  series(track, i, name, what) {
    const { history } = track;
    const rows = what === "rows";
    return {
      label: shortTitle(track, this.tracks),
      color: colorOf(i),
      smooth: rows,
      x: () => (rows ? history.column(this.axis) : recordPlaces(history, what, this.axis)),
      values: () => history.recorded(what, name),
    };
  }

  showMore(known, wanted) {
    const names = Object.keys(known).filter((name) => !FIRST_CURVES.includes(name) && !WELCOME_CURVES.includes(name));
    this.showMenu(names.map((name) => ({ name, title: curveName(name), isShown: wanted.includes(name) })));
  }

  toggle(name) {
    this.more = this.more.includes(name) ? this.more.filter((other) => other !== name) : [...this.more, name];
    this.hooks.onMore();
    this.build(this.tracks);
  }

  /** How they are shown: the axis, a log scale, smoothing. */
  apply() {
    const smoothing = Number(this.part("smoothing").value);
    const shown = { axis: this.axis, log: this.log, smoothing, hovered: null, ...this.marked };
    for (const chart of this.all) Object.assign(chart, shown);
    this.refresh();
  }

  /** Up to `end`, with a mark at a place. */
  mark(place, end) {
    this.marked = { cursor: place, end };
    for (const chart of this.all) Object.assign(chart, this.marked);
  }

  hover(place) {
    for (const chart of this.all) {
      chart.hovered = place;
      chart.refresh();
    }
  }

  /** There are new numbers, or they are shown in another way. */
  refresh() {
    this.part("log-note").hidden = !this.all.some((chart) => chart.hidesSomething);
    for (const chart of this.all) chart.refresh();
  }
}
