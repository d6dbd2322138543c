// Charts on a canvas: lines (raw faint, smoothed bold) and a strip of colours, with event marks, a cursor and hovered values.

import { cssColor, fitCanvas } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { short } from "../core/format.js";
import { placeName, unitOf } from "./axis.js";
import { logTicks, median, nearest, positive, STRIP_BINS, smoothed, spread, ticks, valueAt, verticals } from "./numbers.js";

const PAD = { left: 44, right: 10, top: 10, bottom: 22 };
const MOST_POINTS = 1500; // more than a screen can show
const MARKED = ["lr", "rewind", "failed", "fork", "machine"]; // events worth a mark

/**
 * What charts share. Places on the x axis are numbers of the axis that is shown ("step", "images" or "seconds").
 * onHover(x | null), onPick(x): what the pointer or the arrow keys ask for.
 */
class Plot {
  /** @type {any} */
  scale; // what the last drawing made of numbers and places

  constructor(canvas, legend, series, { onHover, onPick }) {
    this.canvas = canvas;
    this.series = series;
    this.onHover = onHover;
    this.onPick = onPick;
    this.axis = "step";
    this.end = null; // where the x axis ends; null: at the last point
    this.cursor = null; // place shown by the scrubber
    this.hovered = null; // place under the pointer
    this.events = []; // {x, kind}
    this.pending = 0;
    this.readouts = series.map((line) => readout(line));
    this.placeReadout = h("span", { class: "gf-num gf-legend-step" });
    legend.replaceChildren(...this.readouts.map((item) => item.box), this.placeReadout);
    this.legend = legend;
    listen(this);
  }

  /** Draw soon: many changes in one frame cost one drawing. */
  refresh() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  /** Each kind of chart draws itself. */
  draw() {}

  /** Size the canvas; its context and size, or null while the chart is not shown. */
  begin() {
    const width = this.canvas.parentElement.clientWidth;
    const height = Number.parseFloat(getComputedStyle(this.canvas.parentElement).getPropertyValue("--gf-chart-height")) || 176;
    return width ? { ctx: fitCanvas(this.canvas, width, height), width, height } : null;
  }

  /** Every place at which there is a point, ascending. */
  places() {
    const all = this.series.map((line) => line.x());
    if (all.length === 1 || all.every((xs) => xs === all[0])) return all[0] ?? [];
    return [...new Set(all.flat())].sort((a, b) => a - b);
  }

  lastPlace() {
    return this.end ?? Math.max(1e-9, ...this.series.map((line) => line.x().at(-1) ?? 0));
  }

  /** Write the values at the pointer, the cursor, or the end into the legend. values: a text for each series. */
  showReadouts(values, place) {
    values.forEach((value, i) => setText(this.readouts[i].value, value));
    setText(this.placeReadout, place === null ? "" : placeName(this.axis, place));
  }

  drawPlace(ctx, place) {
    if (place === null || place > this.scale.last) return;
    ctx.strokeStyle = cssColor(this.hovered === null ? "--gf-accent" : "--gf-dim");
    ctx.lineWidth = 1;
    line(ctx, this.scale.x(place), PAD.top - 4, this.scale.x(place), this.scale.bottom);
  }
}

export class Chart extends Plot {
  /** series: [{label, color: name of a CSS variable, x: () => places, values: () => numbers or null}]. */
  constructor(canvas, legend, { series, format = short, onHover, onPick }) {
    super(canvas, legend, series, { onHover, onPick });
    this.format = format;
    this.range = null; // a fixed [low, high], or null to fit the data
    this.middle = null; // a value worth a dashed line
    this.smoothing = 0.8;
    this.log = false;
  }

  draw() {
    const sheet = this.begin();
    if (!sheet) return;
    const { ctx, width, height } = sheet;
    const lines = this.series.map((line) => {
      const raw = this.log ? positive(line.values()) : line.values();
      return { ...line, xs: line.x(), raw, smooth: smoothed(raw, line.smooth === false ? 0 : this.smoothing) };
    });
    this.scale = scales(width, height, this.lastPlace(), ...verticals(lines, this.log ? null : this.range, this.log));
    drawAxes(ctx, this);
    drawEvents(ctx, this);
    ctx.save();
    ctx.beginPath();
    ctx.rect(PAD.left, PAD.top - 2, width - PAD.left - PAD.right + 2, height - PAD.top - PAD.bottom + 4);
    ctx.clip();
    for (const line of lines) this.drawLine(ctx, line);
    ctx.restore();
    this.drawMarker(ctx, lines);
  }

  drawLine(ctx, { xs, raw, smooth, color }) {
    const bold = smooth !== raw;
    drawLine(ctx, this.scale, xs, raw, cssColor(color), bold ? 1 : 1.5, bold ? 0.22 : 1);
    if (bold) drawLine(ctx, this.scale, xs, smooth, cssColor(color), 2, 1);
  }

  drawMarker(ctx, lines) {
    const place = this.hovered ?? this.cursor;
    const values = lines.map(({ xs, smooth }) => valueAt(xs, smooth, place, this.scale.last));
    this.showReadouts(
      values.map((value) => this.format(value)),
      place,
    );
    if (place === null) return;
    this.drawPlace(ctx, place);
    values.forEach((value, i) => dot(ctx, this.scale.x(place), this.scale.y(value), cssColor(lines[i].color)));
  }
}

/** How values are spread, over time: one band for each series, a column for each place, darker where there are more. */
export class Strip extends Plot {
  /** series: [{label, color, x: () => places, values: () => [numbers]}]. range() is [low, high] of the values. */
  constructor(canvas, legend, { series, range, format = short, onHover, onPick }) {
    super(canvas, legend, series, { onHover, onPick });
    this.range = range;
    this.format = format;
  }

  draw() {
    const sheet = this.begin();
    if (!sheet) return;
    const { ctx, width, height } = sheet;
    const [low, high] = this.range();
    this.scale = scales(width, height, this.lastPlace(), low, high, false);
    const room = (this.scale.bottom - PAD.top - 6) / this.series.length;
    pen(ctx, this);
    this.series.forEach((band, i) => drawBand(ctx, this, band, PAD.top + i * (room + 6), room));
    drawPlaces(ctx, this);
    drawEvents(ctx, this);
    const place = this.hovered ?? this.cursor;
    const medians = this.series.map(({ x, values }) => median(values()[nearest(x(), place ?? Infinity)]));
    this.showReadouts(
      medians.map((value) => this.format(value)),
      place,
    );
    this.drawPlace(ctx, place);
  }
}

function readout({ label, color }) {
  const value = h("b", { class: "gf-num" }, "–");
  const swatch = h("i", { class: "gf-swatch", style: { background: `var(${color})` }, "aria-hidden": "true" });
  return { value, box: h("span", { class: "gf-legend-item" }, swatch, h("span", {}, label), value) };
}

function listen(chart) {
  const { canvas } = chart;
  const placeAt = (event) => {
    const places = chart.places();
    if (!places.length || !chart.scale) return null;
    return places[nearest(places, chart.scale.place(event.clientX - canvas.getBoundingClientRect().left))];
  };
  canvas.addEventListener("pointermove", (event) => chart.onHover?.(placeAt(event)));
  canvas.addEventListener("pointerdown", (event) => chart.onHover?.(placeAt(event)));
  canvas.addEventListener("pointerleave", () => chart.onHover?.(null));
  canvas.addEventListener("blur", () => {
    chart.legend.removeAttribute("aria-live");
    chart.onHover?.(null);
  });
  canvas.addEventListener("click", (event) => placeAt(event) !== null && chart.onPick?.(placeAt(event)));
  canvas.addEventListener("keydown", (event) => keyed(chart, event));
}

/** The arrow keys move along the curve, Enter picks the place, Escape leaves it. */
function keyed(chart, event) {
  const places = chart.places();
  if (!places.length) return;
  const at = nearest(places, chart.hovered ?? chart.cursor ?? places.at(-1));
  const wanted = { ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 20, PageDown: at + 20, Home: 0, End: places.length - 1 };
  if (event.key === "Escape") chart.onHover?.(null);
  else if (event.key === "Enter" && chart.hovered !== null) chart.onPick?.(chart.hovered);
  else if (event.key in wanted) {
    event.preventDefault();
    chart.legend.setAttribute("aria-live", "polite"); // the values are read out while somebody walks with the keys
    chart.onHover?.(places[Math.max(0, Math.min(places.length - 1, wanted[event.key]))]);
  }
}

function scales(width, height, last, low, high, log) {
  const w = width - PAD.left - PAD.right;
  const hgt = height - PAD.top - PAD.bottom;
  const share = log ? (value) => Math.log(value / low) / Math.log(high / low) : (value) => (value - low) / (high - low);
  return {
    low,
    high,
    last,
    log,
    right: width - PAD.right,
    bottom: height - PAD.bottom,
    x: (place) => PAD.left + (place / last) * w,
    y: (value) => PAD.top + (1 - share(value)) * hgt,
    place: (x) => ((x - PAD.left) / w) * last,
  };
}

function drawAxes(ctx, chart) {
  const { scale, format, middle } = chart;
  pen(ctx, chart);
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const value of scale.log ? logTicks(scale.low, scale.high) : ticks(scale.low, scale.high, 4)) {
    const y = Math.round(scale.y(value)) + 0.5;
    line(ctx, PAD.left, y, scale.right, y);
    ctx.fillText(format(value), PAD.left - 8, y);
  }
  drawPlaces(ctx, chart);
  if (middle !== null && middle > scale.low && middle < scale.high)
    dashed(ctx, PAD.left, scale.y(middle), scale.right, scale.y(middle), cssColor("--gf-dim"));
}

function pen(ctx, { canvas }) {
  ctx.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  ctx.fillStyle = cssColor("--gf-dim");
  ctx.strokeStyle = cssColor("--gf-line");
  ctx.lineWidth = 1;
}

/** The marks of the x axis. */
function drawPlaces(ctx, chart) {
  const { scale, axis } = chart;
  pen(ctx, chart);
  ctx.textBaseline = "alphabetic";
  const { size, mark } = unitOf(axis, scale.last);
  const marks = ticks(0, scale.last / size, scale.right > 420 ? 5 : 3).map((value) => value * size);
  for (const place of axis === "seconds" ? marks : marks.filter(Number.isInteger)) {
    ctx.textAlign = place === 0 ? "left" : scale.x(place) > scale.right - 20 ? "right" : "center";
    ctx.fillText(mark(place), scale.x(place), scale.bottom + 16);
  }
}

function drawBand(ctx, { scale, format }, { x, values, color }, top, room) {
  const places = x();
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillStyle = cssColor("--gf-dim");
  ctx.fillText(format(scale.high), PAD.left - 8, top + 5);
  ctx.fillText(format(scale.low), PAD.left - 8, top + room - 5);
  const columns = values();
  const cell = room / STRIP_BINS;
  ctx.fillStyle = cssColor("--gf-sunken");
  ctx.fillRect(PAD.left, top, scale.right - PAD.left, room);
  ctx.fillStyle = cssColor(color);
  columns.forEach((column, i) => {
    const left = scale.x(i > 0 ? (places[i - 1] + places[i]) / 2 : 0);
    const right = scale.x(i + 1 < places.length ? (places[i] + places[i + 1]) / 2 : places[i]);
    if (right - left < 0.2) return;
    spread(column, scale.low, scale.high).forEach((share, bin) => {
      if (!share) return;
      ctx.globalAlpha = 0.12 + 0.88 * Math.sqrt(share);
      ctx.fillRect(left, top + room - (bin + 1) * cell, Math.max(right - left, 0.6), cell);
    });
  });
  ctx.globalAlpha = 1;
}

function drawEvents(ctx, { scale, events }) {
  for (const event of events) {
    if (!MARKED.includes(event.kind)) continue;
    const x = Math.round(scale.x(event.x)) + 0.5;
    if (x > scale.right) continue;
    const color = cssColor(event.kind === "failed" ? "--gf-bad" : "--gf-text");
    dashed(ctx, x, PAD.top - 4, x, scale.bottom, color);
    ctx.fillStyle = color;
    ctx.beginPath();
    ctx.moveTo(x - 4, PAD.top - 8);
    ctx.lineTo(x + 4, PAD.top - 8);
    ctx.lineTo(x, PAD.top - 2);
    ctx.fill();
  }
}

function drawLine(ctx, scale, steps, values, color, width, alpha) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.globalAlpha = alpha;
  ctx.lineJoin = "round";
  ctx.beginPath();
  const stride = Math.max(1, Math.floor(steps.length / MOST_POINTS));
  let drawing = false;
  for (let i = 0; i < steps.length; i += i + stride < steps.length ? stride : 1) {
    if (Number.isFinite(values[i])) {
      ctx[drawing ? "lineTo" : "moveTo"](scale.x(steps[i]), scale.y(values[i]));
      drawing = true;
    } else drawing = false;
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

function dashed(ctx, x1, y1, x2, y2, color) {
  ctx.save();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.55;
  ctx.setLineDash([3, 3]);
  line(ctx, x1, y1, x2, y2);
  ctx.restore();
}

function dot(ctx, x, y, color) {
  if (!Number.isFinite(y)) return;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.arc(x, y, 3.5, 0, 2 * Math.PI);
  ctx.fill();
}
