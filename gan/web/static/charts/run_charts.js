// The charts of the Train tab: losses and verdicts, further curves on demand, and how all of them are shown.

import { h, setText } from "../core/dom.js";
import { percentOf, short, whole } from "../core/format.js";
import { url } from "../core/server.js";
import { read, write } from "../core/storage.js";
import { t } from "../core/text.js";
import { axisControl } from "./axis_control.js";
import { curveHint, curveName, furtherCurves, recordPlaces } from "./curves.js";
import { Chart, Strip } from "./plot.js";

const LIKED = "charts"; // under this name the browser remembers how somebody likes the charts
const PAIRS = [
  ["d_grad", "g_grad"],
  ["d_weights", "g_weights"],
]; // one chart for both players
const STRIP = "verdict_strip";
const COLORS = ["--gf-ink2", "--gf-accent"];

export class RunCharts {
  /** part(name): elements of the tab. run(): {history, meta} or null. onPick(step): a moment was chosen on a curve. */
  constructor(part, { run, onPick }) {
    this.part = part;
    this.run = run;
    this.onPick = onPick;
    this.liked = { axis: "step", log: false, more: [], ...remembered() };
    this.step = null;
    this.more = new Map(); // name -> {box, chart}
    this.main = [this.pair("loss", "losses", ["d_loss", "g_loss"]), this.pair("verdict", "verdicts", ["d_real", "d_fake"])];
    this.showAxis = axisControl(part("axis"), (axis) => this.like({ axis }));
    part("log").addEventListener("change", () => this.like({ log: part("log").checked }));
    part("smoothing").addEventListener("input", () => this.apply());
    part("more-curves").addEventListener("change", (event) => this.toggleMore(event.target));
    this.apply();
  }

  get all() {
    return [...this.main, ...[...this.more.values()].map(({ chart }) => chart)];
  }

  get history() {
    return this.run()?.history ?? null;
  }

  pair(name, title, columns) {
    const labels = { d_loss: "d_loss", g_loss: "g_loss", d_real: "d_real", d_fake: "d_fake" };
    const series = columns.map((column, i) => ({
      label: t(`train.${labels[column]}`),
      color: COLORS[i],
      x: () => this.history?.column(this.liked.axis) ?? [],
      values: () => this.history?.column(column) ?? [],
    }));
    this.part(`chart-${name}`).setAttribute("aria-label", t("train.curve_label", { title: t(`train.${title}`) }));
    return new Chart(this.part(`chart-${name}`), this.part(`legend-${name}`), { series, ...this.asked() });
  }

  asked() {
    return {
      onHover: (place) => this.hover(place),
      onPick: (place) => this.onPick(this.history.stepAt(place, this.liked.axis)),
    };
  }

  // ---- a run ----

  /** Another run is shown. */
  reset() {
    const { verdict_is_probability: probability, id } = this.run().meta;
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
    const events = history?.events ?? [];
    const marks = events.map((event) => ({ x: history.placeOf(event.step, this.liked.axis), kind: event.kind }));
    for (const chart of this.all) chart.events = marks;
    this.lastEvent = events.length ? eventText(events.at(-1)) : "";
    this.moment(this.step);
    setText(this.part("event-line"), this.lastEvent);
    this.part("log-note").hidden = !this.hidesSomething();
    this.draw();
  }

  draw() {
    for (const chart of this.all) chart.refresh();
  }

  /** The moment that the pictures show; null: the newest. */
  moment(step) {
    this.step = step;
    const place = step === null || !this.history ? null : this.history.placeOf(step, this.liked.axis);
    for (const chart of this.all) {
      if (chart.cursor === place) continue;
      chart.cursor = place;
      chart.refresh();
    }
  }

  hover(place) {
    for (const chart of this.all) {
      chart.hovered = place;
      chart.refresh();
    }
    setText(this.part("event-line"), (place !== null && this.eventNear(place)) || this.lastEvent || "");
  }

  eventNear(place) {
    const reach = (this.main[0].scale?.last ?? 0) / 100;
    const at = (event) => Math.abs(this.history.placeOf(event.step, this.liked.axis) - place);
    const near = this.history?.events.filter((event) => at(event) <= reach).at(-1);
    return near ? eventText(near) : "";
  }

  /** A log axis cannot show zero and below: that is said, not hidden. */
  hidesSomething() {
    const lines = this.main.flatMap((chart) => chart.series);
    return this.liked.log && lines.some((line) => line.values().some((value) => value !== null && value <= 0));
  }

  // ---- how they are shown ----

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

  /** Names of charts that can be added: pairs of players first, then the strip, then single columns. */
  offered() {
    if (!this.history) return [];
    const found = furtherCurves(this.history);
    const pairs = PAIRS.filter((pair) => pair.some((name) => name in found));
    const single = Object.keys(found).filter((name) => !pairs.flat().includes(name));
    return [...pairs.map((pair) => pair.join("+")), STRIP, ...single];
  }

  showMore() {
    const offered = this.offered();
    for (const name of this.liked.more) if (offered.includes(name) && !this.more.has(name)) this.addMore(name);
    const shown = JSON.stringify([offered, [...this.more.keys()]]);
    if (shown === this.shownMore) return;
    this.shownMore = shown;
    const options = offered.map((name) => h("option", { value: name }, `${this.more.has(name) ? "✓ " : ""}${chartName(name)}`));
    this.part("more-curves").replaceChildren(h("option", { value: "" }, t("curves.more")), ...options);
  }

  toggleMore(select) {
    const name = select.value;
    select.value = "";
    if (!name) return;
    if (this.more.has(name)) this.removeMore(name);
    else this.like({ more: [...this.liked.more, name] });
    this.more.get(name)?.box.scrollIntoView({ block: "nearest" });
  }

  removeMore(name) {
    this.more.get(name).box.remove();
    this.more.delete(name);
    this.like({ more: this.liked.more.filter((other) => other !== name) });
  }

  addMore(name) {
    const canvas = h("canvas", { role: "img", tabIndex: 0, "aria-label": t("train.curve_label", { title: chartName(name) }) });
    const legend = h("span", { class: "gf-legend" });
    const close = h(
      "button",
      {
        type: "button",
        class: "gf-btn gf-btn-quiet gf-chart-close",
        "aria-label": t("curves.remove", { title: chartName(name) }),
        title: t("curves.remove", { title: chartName(name) }),
        onclick: () => this.removeMore(name),
      },
      "×",
    );
    const caption = h(
      "figcaption",
      { class: "gf-row", title: chartHint(name) },
      h("span", { class: "gf-section-title" }, chartName(name)),
      legend,
      close,
    );
    const box = h("figure", { class: "gf-figure gf-chart", dataset: { curve: name } }, caption, canvas);
    this.part("curves").append(box);
    const chart = name === STRIP ? this.strip(canvas, legend) : this.further(canvas, legend, name.split("+"));
    this.more.set(name, { box, chart });
    const { axis, log } = this.liked;
    Object.assign(chart, {
      axis,
      log,
      smoothing: Number(this.part("smoothing").value),
      events: this.main[0].events,
      cursor: this.main[0].cursor,
    });
  }

  further(canvas, legend, names) {
    const what = furtherCurves(this.history)[names[0]];
    const series = names.map((name, i) => ({
      label: names.length > 1 ? t(`train.${name[0]}_loss`) : curveName(name),
      color: names.length > 1 ? COLORS[i] : "--gf-accent",
      smooth: false, // few points, each of them measured
      x: () => recordPlaces(this.history, what, this.liked.axis),
      values: () => this.history.recorded(what, name),
    }));
    return new Chart(canvas, legend, { series, ...this.asked() });
  }

  strip(canvas, legend) {
    const frames = (kind) => this.history.frameSteps.map((step) => this.history.verdicts.get(step)?.[kind] ?? []);
    const x = () => this.history.frameSteps.map((step) => this.history.placeOf(step, this.liked.axis));
    const band = (kind, label, color) => ({ label: t(`train.${label}`), color, x, values: () => frames(kind) });
    const probability = () => this.run().meta.verdict_is_probability;
    return new Strip(canvas, legend, {
      series: [band("real", "d_real", "--gf-ink2"), band("fake", "d_fake", "--gf-accent")],
      range: () => (probability() ? [0, 1] : extent([...frames("real"), ...frames("fake")].flat())),
      format: (value) => (probability() ? percentOf(value) : short(value)),
      ...this.asked(),
    });
  }
}

const chartName = (name) =>
  name === STRIP ? t("curves.strip") : t(`curves.c_${name}`, {}, name.split("+").map(curveName).join(", "));
const chartHint = (name) =>
  name === STRIP ? t("curves.strip_hint") : t(`curves.h_${name}`, {}, curveHint(name.split("+")[0]));
const eventText = (event) => `${t("train.step")} ${whole(event.step)}: ${event.text}`;

/** The 1st and 99th percentile. */
function extent(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (!sorted.length) return [0, 1];
  const [low, high] = [sorted[Math.floor(0.01 * (sorted.length - 1))], sorted[Math.ceil(0.99 * (sorted.length - 1))]];
  return high > low ? [low, high] : [low - 1, high + 1];
}

/** How somebody likes the charts, as this browser remembers it. */
function remembered() {
  const { axis, log, more } = read(LIKED);
  return { ...(axis ? { axis } : {}), log: log === true, more: Array.isArray(more) ? more : [] };
}
