// The grid of pictures with the discriminator's verdict under each, drawn from one sheet.

import { cssColor, drawTiles, fitCanvas, tileLayout } from "../core/canvas.js";
import { fixed, percentOf } from "../core/format.js";

const BELOW = 20; // CSS pixels under a tile for bar and number
const HEADING = 18; // over the columns of a conditional run, where the names fit
const LONGEST_HEADING = 120; // where they are written upright
const FONTS = [11, 9]; // sizes that are tried for the names

/**
 * what: {sheet: bitmap or null, tiles: {count, columns, size}, columns, verdicts: array or null, probability,
 * color: CSS variable, classNames: [] or one for each column, width, maxScale}. Returns the layout, as drawTiles does.
 */
export function drawGrid(canvas, what) {
  const options = {
    size: what.tiles.size,
    count: what.tiles.count,
    sourceColumns: what.tiles.columns,
    columns: what.columns,
    width: what.width,
    gap: what.width < 600 ? 4 : 6,
    below: BELOW,
    maxScale: what.maxScale,
    justify: true,
  };
  const heading = headingOf(canvas, what.classNames, tileLayout(canvas, options).tile);
  options.above = heading.height;
  const drawn = what.sheet ? drawTiles(canvas, what.sheet, options) : placeholders(canvas, options);
  headings(drawn, what.classNames, heading);
  drawn.ctx.font = `${drawn.tile < 34 ? 9 : 11}px ${getComputedStyle(canvas).fontFamily}`;
  if (what.verdicts) verdicts(drawn, what);
  return drawn;
}

function placeholders(canvas, options) {
  const layout = tileLayout(canvas, options);
  const ctx = fitCanvas(canvas, layout.width, layout.height);
  ctx.fillStyle = cssColor("--gf-sunken");
  for (let i = 0; i < options.count; i++) ctx.fillRect(layout.x(i), layout.y(i), layout.tile, layout.tile);
  return { ...layout, ctx };
}

/**
 * How the names over the columns are written: as large as they fit, or else upright.
 *
 * @returns {{height: number, font?: string, upright?: boolean}}
 */
function headingOf(canvas, names, tile) {
  if (!names.length) return { height: 0 };
  const ctx = canvas.getContext("2d");
  const fonts = FONTS.map((size) => `${size}px ${getComputedStyle(canvas).fontFamily}`);
  const longest = (font) => {
    ctx.font = font;
    return Math.max(...names.map((name) => ctx.measureText(name).width));
  };
  const fitting = fonts.find((font) => longest(font) <= tile);
  if (fitting) return { font: fitting, height: HEADING };
  return { font: fonts[0], upright: true, height: Math.min(LONGEST_HEADING, longest(fonts[0])) + 8 };
}

function headings({ ctx, tile, x }, names, { font = "", upright = false, height }) {
  ctx.fillStyle = cssColor("--gf-dim");
  ctx.font = font;
  names.forEach((name, i) => {
    ctx.save();
    ctx.translate(x(i) + tile / 2, upright ? height - 6 : 0);
    if (upright) ctx.rotate(-Math.PI / 2);
    ctx.textAlign = upright ? "left" : "center";
    ctx.textBaseline = upright ? "middle" : "top";
    ctx.fillText(clipped(ctx, name, upright ? LONGEST_HEADING : tile), 0, 0);
    ctx.restore();
  });
}

function clipped(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  let kept = text;
  while (kept.length > 1 && ctx.measureText(`${kept}…`).width > room) kept = kept.slice(0, -1);
  return `${kept}…`;
}

function verdicts(drawn, { verdicts: values, probability, color }) {
  const { ctx, tile, x, y } = drawn;
  const largest = Math.max(1e-6, ...values.map(Math.abs).filter(Number.isFinite));
  const fill = cssColor(color);
  const track = cssColor("--gf-line");
  const ink = cssColor("--gf-dim");
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  values.forEach((value, i) => {
    const top = y(i) + tile + 4;
    ctx.fillStyle = track;
    ctx.fillRect(x(i), top, tile, 3);
    if (!Number.isFinite(value)) return;
    ctx.fillStyle = fill;
    if (probability) ctx.fillRect(x(i), top, tile * value, 3);
    else scoreBar(ctx, x(i), top, tile, value / largest);
    ctx.fillStyle = ink;
    ctx.fillText(probability ? percentOf(value) : fixed(value, Math.abs(value) < 9.95 ? 1 : 0), x(i) + tile / 2, top + 5);
  });
}

/** A score has no ends: the bar grows from the middle, to the right when D finds the picture real. */
function scoreBar(ctx, left, top, tile, share) {
  const middle = left + tile / 2;
  const length = (tile / 2) * share;
  ctx.fillRect(Math.min(middle, middle + length), top, Math.abs(length), 3);
}
