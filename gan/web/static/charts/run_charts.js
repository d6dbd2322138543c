// The charts of the Train tab: losses and verdicts, further curves on demand, and how all of them are shown.

import { setText } from "../core/dom.js";
import { percentOf, short, whole } from "../core/format.js";
import { url } from "../core/server.js";
import { read, write } from "../core/storage.js";
import { t } from "../core/text.js";
import { axisControl } from "./axis_control.js";
import { COLORS, chartName, furtherChart, offeredCharts } from "./further_charts.js";
import { moreMenu } from "./more_menu.js";
import { Chart } from "./plot.js";

/** @typedef {import("./further_charts.js").Event} Event */
/** @typedef {import("./further_charts.js").Run} Run */
/** @typedef {{axis: string, log: boolean, more: string[]}} Liked how somebody likes the charts; more: names of further ones */

const LIKED = "charts"; // under this name the browser remembers how somebody likes the charts

export class RunCharts {
  /** @type {number | null} */
  step = null; // the moment that the pictures show; null: the newest
  /** @type {Map<string, import("./further_charts.js").Further>} */
  more = new Map(); // by name
  lastEvent = "";

  /**
   * @param {(name: string) => any} part elements of the tab
   * @param {{run: () => Run | null, onPick: (step: number) => void}} hooks onPick: a moment was chosen on a curve
   */
  constructor(part, { run, onPick }) {
    this.part = part;
    this.run = run;
    this.onPick = onPick;
    this.liked = remembered();
    this.main = [this.pair("loss", "losses", ["d_loss", "g_loss"]), this.pair("verdict", "verdicts", ["d_real", "d_fake"])];
    this.showAxis = axisControl(part("axis"), (axis) => this.like({ axis }));
    part("log").addEventListener("change", () => this.like({ log: part("log").checked }));
    part("smoothing").addEventListener("input", () => this.apply());
    this.showMenu = moreMenu(part("more-curves"), (name) => this.toggleMore(name));
    this.apply();
  }

  get all() {
    return [...this.main, ...[...this.more.values()].map(({ chart }) => chart)];
  }

  get history() {
    return this.run()?.history ?? null;
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {string[]} columns of the rows: what D says, or loses, and G
   */
  pair(name, title, columns) {
    const series = columns.map((column, i) => ({
      label: t(`train.${column}`),
      color: COLORS[i],
      x: () => this.history?.column(this.liked.axis) ?? [],
      values: () => this.history?.column(column) ?? [],
    }));
    this.part(`chart-${name}`).setAttribute("aria-label", t("train.curve_label", { title: t(`train.${title}`) }));
    return new Chart(this.part(`chart-${name}`), this.part(`legend-${name}`), { series, ...this.asked() });
  }

  /** @returns {import("./plot.js").Asked} */
  asked() {
    return {
      onHover: (place) => this.hover(place),
      onPick: (place) => this.history && this.onPick(this.history.stepAt(place, this.liked.axis)),
    };
  }

  // ---- a run ----

  /** Another run is shown. */
  reset() {
    const { verdict_is_probability: probability, id } = this.run()?.meta ?? {};
    const verdict = this.main[1];
    verdict.range = probability ? [0, 1] : null;
    verdict.middle = probability ? 0.5 : null;
    verdict.format = probability ? percentOf : short;
    this.part("verdict-caption").title = t(probability ? "train.verdicts_hint" : "train.scores_hint");
    this.part("csv").href = url(`runs/${id}/download/history.csv`);
    this.step = null;
    for (const { box } of this.more.values()) box.remove();
    this.more.clear();
    for (const chart of this.main) Object.assign(chart, { cursor: null, hovered: null, events: [] });
    this.refresh();
  }

  /** There are new numbers or events. */
  refresh() {
    this.showMore();
    const { history } = this;
    const { events = [] } = history ?? {};
    const marks = events.map(({ step, kind }) => ({ x: history?.placeOf(step, this.liked.axis) ?? 0, kind }));
    for (const chart of this.all) chart.events = marks;
    const last = events.at(-1);
    this.lastEvent = last ? eventText(last) : "";
    this.moment(this.step);
    setText(this.part("event-line"), this.lastEvent);
    this.part("log-note").hidden = !this.main.some((chart) => chart.hidesSomething);
    this.draw();
  }

  draw() {
    for (const chart of this.all) chart.refresh();
  }

  /**
   * The moment that the pictures show; null: the newest.
   *
   * @param {number | null} step
   */
  moment(step) {
    this.step = step;
    const place = step === null || !this.history ? null : this.history.placeOf(step, this.liked.axis);
    for (const chart of this.all) {
      if (chart.cursor === place) continue;
      chart.cursor = place;
      chart.refresh();
    }
  }

  /** @param {number | null} place */
  hover(place) {
    for (const chart of this.all) {
      chart.hovered = place;
      chart.refresh();
    }
    setText(this.part("event-line"), (place !== null && this.eventNear(place)) || this.lastEvent || "");
  }

  /** @param {number} place */
  eventNear(place) {
    const { history } = this;
    const reach = (this.main[0].scale?.last ?? 0) / 100;
    const isNear = (/** @type {Event} */ { step }) =>
      Math.abs((history?.placeOf(step, this.liked.axis) ?? NaN) - place) <= reach;
    const near = history?.events.filter(isNear).at(-1);
    return near ? eventText(near) : "";
  }

  // ---- how they are shown ----

  /** @param {Partial<Liked>} change */
  like(change) {
    Object.assign(this.liked, change);
    write(LIKED, this.liked);
    this.apply();
  }

  apply() {
    const { axis, log } = this.liked;
    this.showAxis(axis);
    this.part("log").checked = log;
    const smoothing = Number(this.part("smoothing").value);
    for (const chart of this.all) Object.assign(chart, { axis, log, smoothing, hovered: null });
    this.refresh();
  }

  // ---- further curves ----

  showMore() {
    const offered = this.history ? offeredCharts(this.history) : [];
    for (const name of this.liked.more) if (offered.includes(name) && !this.more.has(name)) this.addMore(name);
    this.showMenu(offered.map((name) => ({ name, title: chartName(name), isShown: this.more.has(name) })));
  }

  /** @param {string} name */
  toggleMore(name) {
    if (this.more.has(name)) this.removeMore(name);
    else this.like({ more: [...this.liked.more, name] });
    this.more.get(name)?.box.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} name */
  removeMore(name) {
    this.more.get(name)?.box.remove();
    this.more.delete(name);
    this.like({ more: this.liked.more.filter((other) => other !== name) });
  }

  /** @param {string} name */
  addMore(name) {
    const further = furtherChart(name, { run: () => this.run(), axis: () => this.liked.axis }, this.asked(), () =>
      this.removeMore(name),
    );
    this.part("curves").append(further.box);
    this.more.set(name, further);
    const { axis, log } = this.liked;
    const { events, cursor } = this.main[0];
    Object.assign(further.chart, { axis, log, smoothing: Number(this.part("smoothing").value), events, cursor });
  }
}

/** @param {Event} event */
const eventText = (event) => `${t("train.step")} ${whole(event.step)}: ${event.text}`;

/**
 * As this browser remembers it.
 *
 * @returns {Liked}
 */
function remembered() {
  const { axis = "step", log, more } = read(LIKED);
  return { axis, log: log === true, more: Array.isArray(more) ? more : [] };
}
