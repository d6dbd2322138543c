// Charts on a canvas: lines (raw faint, smoothed bold) and a strip of colours, with event marks, a cursor and hovered values.

import { cssColor, fitCanvas } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { short } from "../core/format.js";
import { placeName } from "./axis.js";
import {
  clipToAxes,
  dot,
  drawBand,
  drawBandEnds,
  drawEvents,
  drawLine,
  drawPlaces,
  drawValues,
  line,
  PAD,
  pen,
  scales,
} from "./drawing.js";
import { median, nearest, positive, smoothed, valueAt, verticals } from "./numbers.js";

/** @typedef {import("./drawing.js").Context} Context */
/** @typedef {import("./drawing.js").Scale} Scale */
/** @typedef {import("./numbers.js").Values} Values */
/**
 * What is drawn of one thing; color: the name of a CSS variable; x: its places, ascending.
 *
 * @typedef {{label: string, color: string, x: () => number[]}} Series
 */
/** @typedef {Series & {values: () => Values, smooth?: boolean}} Line smooth: false where no mean is drawn */
/** @typedef {Series & {values: () => Values[]}} Band many values at each place */
/** @typedef {{onHover?: (place: number | null) => void, onPick?: (place: number) => void}} Asked what pointer or keys ask for */

const HEIGHT = 176; // CSS pixels, unless the style sheet says another

/**
 * What charts share. Places on the x axis are numbers of the axis that is shown ("step", "images" or "seconds").
 *
 * @template {Series} S
 */
class Plot {
  /** @type {Scale | null} */
  scale = null; // of the last drawing
  axis = "step";
  /** @type {number | null} */
  end = null; // where the x axis ends; null: at the last point
  /** @type {number | null} */
  cursor = null; // place shown by the scrubber
  /** @type {number | null} */
  hovered = null; // place under the pointer
  /** @type {import("./drawing.js").Mark[]} */
  events = [];
  /** @type {number} */
  pending = 0;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   * @param {S[]} series
   * @param {Asked} asked
   */
  constructor(canvas, legend, series, { onHover, onPick }) {
    this.canvas = canvas;
    this.series = series;
    this.onHover = onHover;
    this.onPick = onPick;
    this.readouts = series.map((line) => readout(line));
    this.placeReadout = h("span", { class: "gf-num gf-legend-step" });
    legend.replaceChildren(...this.readouts.map((item) => item.box), this.placeReadout);
    this.legend = legend;
    this.listen();
  }

  get box() {
    return /** @type {HTMLElement} */ (this.canvas.parentElement);
  }

  // ---- drawing ----

  /** Draw soon: many changes in one frame cost one drawing. */
  refresh() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  /** Size the canvas, and let each kind of chart draw itself; nothing while the chart is not shown. */
  draw() {
    const width = this.box.clientWidth;
    const height = Number.parseFloat(getComputedStyle(this.box).getPropertyValue("--gf-chart-height")) || HEIGHT;
    if (width) this.drawOn(fitCanvas(this.canvas, width, height), width, height);
  }

  /**
   * @param {Context} _ctx
   * @param {number} _width
   * @param {number} _height
   */
  drawOn(_ctx, _width, _height) {}

  lastPlace() {
    return this.end ?? Math.max(1e-9, ...this.series.map((line) => line.x().at(-1) ?? 0));
  }

  /** The place whose values are read out; null: the end. */
  get place() {
    return this.hovered ?? this.cursor;
  }

  /**
   * Write the values at that place into the legend.
   *
   * @param {string[]} values a text for each series
   */
  showReadouts(values) {
    values.forEach((value, i) => setText(this.readouts[i].value, value));
    setText(this.placeReadout, this.place === null ? "" : placeName(this.axis, this.place));
  }

  /**
   * An upright line at that place.
   *
   * @param {Context} ctx
   * @param {Scale} scale
   */
  drawPlace(ctx, scale) {
    if (this.place === null || this.place > scale.last) return;
    ctx.strokeStyle = cssColor(this.hovered === null ? "--gf-accent" : "--gf-dim");
    ctx.lineWidth = 1;
    line(ctx, scale.x(this.place), PAD.top - 4, scale.x(this.place), scale.bottom);
  }

  // ---- pointer and keys ----

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.onHover?.(this.placeAt(event)));
    canvas.addEventListener("pointerdown", (event) => this.onHover?.(this.placeAt(event)));
    canvas.addEventListener("pointerleave", () => this.onHover?.(null));
    canvas.addEventListener("blur", () => this.blurred());
    canvas.addEventListener("click", (event) => this.pick(this.placeAt(event)));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  /** Every place at which there is a point, ascending. */
  places() {
    const all = this.series.map((line) => line.x());
    if (all.every((xs) => xs === all[0])) return all[0] ?? [];
    return [...new Set(all.flat())].sort((a, b) => a - b);
  }

  /**
   * The place of a point that is nearest to the pointer; null where there is none.
   *
   * @param {MouseEvent} event
   */
  placeAt({ clientX }) {
    const places = this.places();
    if (!places.length || !this.scale) return null;
    return places[nearest(places, this.scale.place(clientX - this.canvas.getBoundingClientRect().left))];
  }

  /** @param {number | null} place */
  pick(place) {
    if (place !== null) this.onPick?.(place);
  }

  blurred() {
    this.legend.removeAttribute("aria-live");
    this.onHover?.(null);
  }

  /**
   * The arrow keys move along the curve, Enter picks the place, Escape leaves it.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const places = this.places();
    if (!places.length) return;
    const last = places.length - 1;
    const at = nearest(places, this.place ?? places[last]);
    /** @type {Record<string, number>} */
    const wanted = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 20, PageDown: at + 20, Home: 0, End: last };
    if (event.key === "Escape") this.onHover?.(null);
    else if (event.key === "Enter") this.pick(this.hovered);
    else if (event.key in wanted) {
      event.preventDefault();
      this.legend.setAttribute("aria-live", "polite"); // the values are read out while somebody walks with the keys
      this.onHover?.(places[Math.max(0, Math.min(last, wanted[event.key]))]);
    }
  }
}

/** @extends {Plot<Line>} */
export class Chart extends Plot {
  /** @type {[number, number] | null} */
  range = null; // fixed, or null to fit the data
  /** @type {number | null} */
  middle = null; // a value worth a dashed line
  smoothing = 0.8;
  log = false;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   * @param {Asked & {series: Line[], format?: import("./drawing.js").Format}} what
   */
  constructor(canvas, legend, { series, format = short, ...asked }) {
    super(canvas, legend, series, asked);
    this.format = format;
  }

  /**
   * @param {Context} ctx
   * @param {number} width
   * @param {number} height
   */
  drawOn(ctx, width, height) {
    const lines = this.series.map((line) => this.pointsOf(line));
    const scale = scales(width, height, this.lastPlace(), ...verticals(lines, this.log ? null : this.range, this.log));
    this.scale = scale;
    pen(ctx, this.canvas);
    drawValues(ctx, scale, this.format, this.middle);
    drawPlaces(ctx, scale, this.axis);
    drawEvents(ctx, scale, this.events);
    ctx.save();
    clipToAxes(ctx, scale);
    for (const line of lines) this.drawLine(ctx, scale, line);
    ctx.restore();
    this.drawMarker(ctx, scale, lines);
  }

  /** A log axis cannot show zero and below. */
  get hidesSomething() {
    return this.log && this.series.some(({ values }) => values().some((value) => value !== null && value <= 0));
  }

  /** @param {Line} line */
  pointsOf({ x, values, color, smooth = true }) {
    const raw = this.log ? positive(values()) : values();
    return { xs: x(), raw, smooth: smoothed(raw, smooth ? this.smoothing : 0), color: cssColor(color) };
  }

  /**
   * @param {Context} ctx
   * @param {Scale} scale
   * @param {ReturnType<Chart["pointsOf"]>} line
   */
  drawLine(ctx, scale, { xs, raw, smooth, color }) {
    const bold = smooth !== raw;
    drawLine(ctx, scale, xs, raw, { color, width: bold ? 1 : 1.5, alpha: bold ? 0.22 : 1 });
    if (bold) drawLine(ctx, scale, xs, smooth, { color, width: 2, alpha: 1 });
  }

  /**
   * @param {Context} ctx
   * @param {Scale} scale
   * @param {ReturnType<Chart["pointsOf"]>[]} lines
   */
  drawMarker(ctx, scale, lines) {
    const { place } = this;
    const values = lines.map(({ xs, smooth }) => valueAt(xs, smooth, place, scale.last));
    this.showReadouts(values.map((value) => this.format(value)));
    if (place === null) return;
    this.drawPlace(ctx, scale);
    values.forEach((value, i) => dot(ctx, scale.x(place), scale.y(value), lines[i].color));
  }
}

/**
 * How values are spread, over time: one band for each series, a column for each place, darker where there are more.
 *
 * @extends {Plot<Band>}
 */
export class Strip extends Plot {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} legend
   * @param {Asked & {series: Band[], range: () => [number, number], format?: import("./drawing.js").Format}} what range: of the
   *   values
   */
  constructor(canvas, legend, { series, range, format = short, ...asked }) {
    super(canvas, legend, series, asked);
    this.range = range;
    this.format = format;
  }

  /**
   * @param {Context} ctx
   * @param {number} width
   * @param {number} height
   */
  drawOn(ctx, width, height) {
    const scale = scales(width, height, this.lastPlace(), ...this.range(), false);
    this.scale = scale;
    const room = (scale.bottom - PAD.top - 6) / this.series.length;
    pen(ctx, this.canvas);
    this.series.forEach(({ x, values, color }, i) => {
      const top = PAD.top + i * (room + 6);
      drawBandEnds(ctx, scale, this.format, top, room);
      drawBand(ctx, scale, x(), values(), color, top, room);
    });
    pen(ctx, this.canvas);
    drawPlaces(ctx, scale, this.axis);
    drawEvents(ctx, scale, this.events);
    const medians = this.series.map(({ x, values }) => median(values()[nearest(x(), this.place ?? Infinity)]));
    this.showReadouts(medians.map((value) => this.format(value)));
    this.drawPlace(ctx, scale);
  }
}

/** @param {Series} series */
function readout({ label, color }) {
  const value = h("b", { class: "gf-num" }, "–");
  const swatch = h("i", { class: "gf-swatch", style: { background: `var(${color})` }, "aria-hidden": "true" });
  return { value, box: h("span", { class: "gf-legend-item" }, swatch, h("span", {}, label), value) };
}
