// How charts are drawn: scales, axes, lines, bands and marks, on the canvas of a chart.

import { cssColor } from "../core/canvas.js";
import { unitOf } from "./axis.js";
import { logTicks, STRIP_BINS, spread, ticks } from "./numbers.js";

/** @typedef {CanvasRenderingContext2D} Context */
/** @typedef {import("./numbers.js").Values} Values */
/** @typedef {(value: number) => string} Format */
/**
 * What a drawing made of numbers and places: where they lie, in CSS pixels.
 *
 * @typedef {object} Scale
 * @property {number} low of the values
 * @property {number} high
 * @property {number} last place of the x axis
 * @property {boolean} log whether values lie by their logarithms
 * @property {number} right edge of the drawing
 * @property {number} bottom edge of the drawing
 * @property {(place: number) => number} x
 * @property {(value: number) => number} y
 * @property {(x: number) => number} place the inverse of x
 */
/** @typedef {{x: number, kind: string}} Mark an event, at a place */

export const PAD = { left: 44, right: 10, top: 10, bottom: 22 };
const MOST_POINTS = 1500; // more than a screen can show
const MARKED = ["lr", "rewind", "failed", "fork", "machine"]; // events worth a mark

/**
 * @param {number} width
 * @param {number} height
 * @param {number} last
 * @param {number} low
 * @param {number} high
 * @param {boolean} log
 * @returns {Scale}
 */
export function scales(width, height, last, low, high, log) {
  const w = width - PAD.left - PAD.right;
  const hgt = height - PAD.top - PAD.bottom;
  const linear = (/** @type {number} */ value) => (value - low) / (high - low);
  const share = log ? (/** @type {number} */ value) => Math.log(value / low) / Math.log(high / low) : linear;
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

/**
 * Lines are not drawn beyond the axes.
 *
 * @param {Context} ctx
 * @param {Scale} scale
 */
export function clipToAxes(ctx, { right, bottom }) {
  ctx.beginPath();
  ctx.rect(PAD.left, PAD.top - 2, right - PAD.left + 2, bottom - PAD.top + 4);
  ctx.clip();
}

/**
 * The marks of the y axis, and a dashed line at the value `middle`, if there is one.
 *
 * @param {Context} ctx
 * @param {Scale} scale
 * @param {Format} format
 * @param {number | null} middle
 */
export function drawValues(ctx, scale, format, middle) {
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const value of scale.log ? logTicks(scale.low, scale.high) : ticks(scale.low, scale.high, 4)) {
    const y = Math.round(scale.y(value)) + 0.5;
    line(ctx, PAD.left, y, scale.right, y);
    ctx.fillText(format(value), PAD.left - 8, y);
  }
  if (middle !== null && middle > scale.low && middle < scale.high)
    dashed(ctx, PAD.left, scale.y(middle), scale.right, scale.y(middle), cssColor("--gf-dim"));
}

/**
 * The marks of the x axis.
 *
 * @param {Context} ctx
 * @param {Scale} scale
 * @param {string} axis
 */
export function drawPlaces(ctx, scale, axis) {
  ctx.textBaseline = "alphabetic";
  const { size, mark } = unitOf(axis, scale.last);
  const marks = ticks(0, scale.last / size, scale.right > 420 ? 5 : 3).map((value) => value * size);
  for (const place of axis === "seconds" ? marks : marks.filter(Number.isInteger)) {
    ctx.textAlign = place === 0 ? "left" : scale.x(place) > scale.right - 20 ? "right" : "center";
    ctx.fillText(mark(place), scale.x(place), scale.bottom + 16);
  }
}

/**
 * The pen for axes.
 *
 * @param {Context} ctx
 * @param {HTMLCanvasElement} canvas
 */
export function pen(ctx, canvas) {
  ctx.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  ctx.fillStyle = cssColor("--gf-dim");
  ctx.strokeStyle = cssColor("--gf-line");
  ctx.lineWidth = 1;
}

/**
 * How values are spread at each place: darker where there are more of them.
 *
 * @param {Context} ctx
 * @param {Scale} scale
 * @param {number[]} places
 * @param {Values[]} columns the values at each place
 * @param {string} color
 * @param {number} top
 * @param {number} room CSS pixels from there down
 */
export function drawBand(ctx, scale, places, columns, color, top, room) {
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

/**
 * What a band's ends mean.
 *
 * @param {Context} ctx
 * @param {Scale} scale
 * @param {Format} format
 * @param {number} top
 * @param {number} room
 */
export function drawBandEnds(ctx, { low, high }, format, top, room) {
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillStyle = cssColor("--gf-dim");
  ctx.fillText(format(high), PAD.left - 8, top + 5);
  ctx.fillText(format(low), PAD.left - 8, top + room - 5);
}

/**
 * @param {Context} ctx
 * @param {Scale} scale
 * @param {Mark[]} events
 */
export function drawEvents(ctx, scale, events) {
  for (const { kind, x: place } of events) {
    const x = Math.round(scale.x(place)) + 0.5;
    if (MARKED.includes(kind) && x <= scale.right) drawMark(ctx, x, scale.bottom, kind === "failed" ? "--gf-bad" : "--gf-text");
  }
}

/**
 * @param {Context} ctx
 * @param {number} x
 * @param {number} bottom
 * @param {string} color
 */
function drawMark(ctx, x, bottom, color) {
  dashed(ctx, x, PAD.top - 4, x, bottom, cssColor(color));
  ctx.fillStyle = cssColor(color);
  ctx.beginPath();
  ctx.moveTo(x - 4, PAD.top - 8);
  ctx.lineTo(x + 4, PAD.top - 8);
  ctx.lineTo(x, PAD.top - 2);
  ctx.fill();
}

/**
 * A line through the points that there are; gaps stay open.
 *
 * @param {Context} ctx
 * @param {Scale} scale
 * @param {number[]} places
 * @param {Values} values
 * @param {{color: string, width: number, alpha: number}} look
 */
export function drawLine(ctx, scale, places, values, { color, width, alpha }) {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.globalAlpha = alpha;
  ctx.lineJoin = "round";
  ctx.beginPath();
  const stride = Math.max(1, Math.floor(places.length / MOST_POINTS));
  let drawing = false;
  for (let i = 0; i < places.length; i += i + stride < places.length ? stride : 1) {
    const value = values[i];
    const there = typeof value === "number" && Number.isFinite(value);
    if (there) ctx[drawing ? "lineTo" : "moveTo"](scale.x(places[i]), scale.y(value));
    drawing = there;
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/**
 * @param {Context} ctx
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 */
export function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

/**
 * @param {Context} ctx
 * @param {number} x1
 * @param {number} y1
 * @param {number} x2
 * @param {number} y2
 * @param {string} color
 */
function dashed(ctx, x1, y1, x2, y2, color) {
  ctx.save();
  ctx.strokeStyle = color;
  ctx.globalAlpha = 0.55;
  ctx.setLineDash([3, 3]);
  line(ctx, x1, y1, x2, y2);
  ctx.restore();
}

/**
 * @param {Context} ctx
 * @param {number} x
 * @param {number} y
 * @param {string} color
 */
export function dot(ctx, x, y, color) {
  if (!Number.isFinite(y)) return;
  ctx.fillStyle = color;
  ctx.beginPath();
  ctx.arc(x, y, 3.5, 0, 2 * Math.PI);
  ctx.fill();
}
