// A line chart on a canvas: raw trace faint, smoothed trace bold, event marks, a cursor and hovered values.

import { cssColor, fitCanvas, h, setText, short, t, whole } from "./common.js";

const PAD = { left: 44, right: 10, top: 10, bottom: 22 };
const MOST_POINTS = 1500; // more than a screen can show

export class Chart {
  /**
   * canvas: where to draw; its CSS height counts. legend: element that gets the names and values.
   * series: [{label, color: name of a CSS variable, values: () => array}]. steps: () => array.
   * onHover(step | null), onPick(step): what the pointer or the arrow keys ask for.
   */
  constructor(canvas, legend, { series, steps, format = short, onHover, onPick }) {
    Object.assign(this, { canvas, series, steps, format, onHover, onPick });
    this.range = null; // a fixed [low, high], or null to fit the data
    this.middle = null; // a value worth a dashed line
    this.smoothing = 0.8;
    this.cursor = null; // step shown by the scrubber
    this.hovered = null; // step under the pointer
    this.events = [];
    this.pending = 0;
    this.readouts = series.map((line) => readout(line));
    this.stepReadout = h("span", { class: "gf-num gf-legend-step" });
    legend.replaceChildren(...this.readouts.map((item) => item.box), this.stepReadout);
    listen(this);
  }

  /** Draw soon: many changes in one frame cost one drawing. */
  refresh() {
    this.pending ||= requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const width = this.canvas.parentElement.clientWidth;
    const height = Number.parseFloat(getComputedStyle(this.canvas.parentElement).getPropertyValue("--gf-chart-height")) || 176;
    if (!width) return;
    const ctx = fitCanvas(this.canvas, width, height);
    const steps = this.steps();
    const lines = this.series.map((line) => ({ ...line, raw: line.values(), smooth: smoothed(line.values(), this.smoothing) }));
    this.scale = scales(width, height, steps, lines, this.range);
    drawAxes(ctx, this);
    drawEvents(ctx, this);
    ctx.save();
    ctx.beginPath();
    ctx.rect(PAD.left, PAD.top - 2, width - PAD.left - PAD.right + 2, height - PAD.top - PAD.bottom + 4);
    ctx.clip();
    for (const line of lines) drawLine(ctx, this.scale, steps, line.raw, cssColor(line.color), 1, this.smoothing > 0 ? 0.22 : 0.9);
    if (this.smoothing > 0) for (const line of lines) drawLine(ctx, this.scale, steps, line.smooth, cssColor(line.color), 2, 1);
    ctx.restore();
    this.drawMarker(ctx, steps, lines);
  }

  drawMarker(ctx, steps, lines) {
    const step = this.hovered ?? this.cursor;
    const at = step === null ? steps.length - 1 : nearest(steps, step);
    lines.forEach((line, i) => setText(this.readouts[i].value, at < 0 ? "–" : this.format(lastFinite(line.smooth, at))));
    setText(this.stepReadout, step === null || at < 0 ? "" : `${t("train.step")} ${whole(steps[at])}`);
    if (step === null || at < 0) return;
    const x = this.scale.x(steps[at]);
    ctx.strokeStyle = cssColor(this.hovered === null ? "--gf-accent" : "--gf-dim");
    ctx.lineWidth = 1;
    line(ctx, x, PAD.top - 4, x, this.scale.bottom);
    for (const { color, smooth } of lines) dot(ctx, x, this.scale.y(lastFinite(smooth, at)), cssColor(color));
  }
}

function readout({ label, color }) {
  const value = h("b", { class: "gf-num" }, "–");
  const swatch = h("i", { class: "gf-swatch", style: { background: `var(${color})` }, "aria-hidden": "true" });
  return { value, box: h("span", { class: "gf-legend-item" }, swatch, label, value) };
}

function listen(chart) {
  const { canvas } = chart;
  const stepAt = (event) => {
    const steps = chart.steps();
    if (!steps.length || !chart.scale) return null;
    return steps[nearest(steps, chart.scale.step(event.clientX - canvas.getBoundingClientRect().left))];
  };
  canvas.addEventListener("pointermove", (event) => chart.onHover?.(stepAt(event)));
  canvas.addEventListener("pointerleave", () => chart.onHover?.(null));
  canvas.addEventListener("blur", () => chart.onHover?.(null));
  canvas.addEventListener("click", (event) => stepAt(event) !== null && chart.onPick?.(stepAt(event)));
  canvas.addEventListener("keydown", (event) => keyed(chart, event));
}

function keyed(chart, event) {
  const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
  const steps = chart.steps();
  if (!move || !steps.length) return;
  event.preventDefault();
  const at = nearest(steps, chart.hovered ?? chart.cursor ?? steps.at(-1));
  chart.onHover?.(steps[Math.max(0, Math.min(steps.length - 1, at + move))]);
}

// ---- numbers ----

/** Exponential running mean without the bias of its start; gaps (null) stay gaps. */
export function smoothed(values, weight) {
  if (weight <= 0) return values;
  let mean = 0;
  let mass = 0;
  return values.map((value) => {
    if (!Number.isFinite(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/** Index of the entry of an ascending array nearest to wanted; -1 when it is empty. */
export function nearest(ascending, wanted) {
  let low = 0;
  let high = ascending.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (ascending[middle] <= wanted) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return wanted - ascending[low] <= ascending[high] - wanted ? low : high;
}

function lastFinite(values, at) {
  for (let i = at; i >= 0 && i > at - 50; i--) if (Number.isFinite(values[i])) return values[i];
  return NaN;
}

/** From the 1st to the 99th percentile of what is drawn, so that a single spike does not flatten the rest. */
function fitted(lines) {
  const values = lines.flatMap(({ raw }) => raw.filter(Number.isFinite)).sort((a, b) => a - b);
  if (!values.length) return [0, 1];
  const low = values[Math.floor(0.01 * (values.length - 1))];
  const high = values[Math.ceil(0.99 * (values.length - 1))];
  const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 0.5;
  return [low >= 0 && low < 0.6 * high ? 0 : low - margin, high + margin];
}

function scales(width, height, steps, lines, range) {
  const [low, high] = range ?? fitted(lines);
  const last = Math.max(1, steps.at(-1) ?? 1);
  const w = width - PAD.left - PAD.right;
  const hgt = height - PAD.top - PAD.bottom;
  return {
    low, high, last,
    right: width - PAD.right,
    bottom: height - PAD.bottom,
    x: (step) => PAD.left + (step / last) * w,
    y: (value) => PAD.top + (1 - (value - low) / (high - low)) * hgt,
    step: (x) => ((x - PAD.left) / w) * last,
  }; // prettier-ignore
}

/** Round values between low and high, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) found.push(Math.abs(v) < step * 1e-6 ? 0 : v);
  return found;
}

// ---- drawing ----

function drawAxes(ctx, { scale, format, middle, canvas }) {
  ctx.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  ctx.fillStyle = cssColor("--gf-dim");
  ctx.strokeStyle = cssColor("--gf-line");
  ctx.lineWidth = 1;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const value of ticks(scale.low, scale.high, 4)) {
    const y = Math.round(scale.y(value)) + 0.5;
    line(ctx, PAD.left, y, scale.right, y);
    ctx.fillText(format(value), PAD.left - 8, y);
  }
  ctx.textBaseline = "alphabetic";
  const marks = ticks(0, scale.last, scale.right > 420 ? 5 : 3).filter(Number.isInteger);
  for (const step of marks) {
    ctx.textAlign = step === 0 ? "left" : scale.x(step) > scale.right - 20 ? "right" : "center";
    ctx.fillText(shortStep(step), scale.x(step), scale.bottom + 16);
  }
  if (middle !== null) dashed(ctx, PAD.left, scale.y(middle), scale.right, scale.y(middle), cssColor("--gf-dim"));
}

const shortStep = (step) => (step >= 10000 && step % 1000 === 0 ? `${step / 1000}k` : whole(step));

function drawEvents(ctx, { scale, events }) {
  for (const event of events) {
    if (event.kind !== "lr" && event.kind !== "rewind" && event.kind !== "failed") continue;
    const x = Math.round(scale.x(event.step)) + 0.5;
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
