// Pictures on a canvas: with sharp pixels, unless the visitor has chosen smooth ones.

import { shell } from "./gradio_shell.js";

const SMOOTH = "gf-smooth"; // a class of the body, which the style sheets know
const LARGE = 32; // pictures with more pixels a side have a look of their own at quarter steps
const COLUMNS = [10, 8, 6, 5, 4];

/** Whether pictures are enlarged smoothly. */
export const isSmooth = () => document.body.classList.contains(SMOOTH);

/** @param {boolean} smooth */
export const setSmooth = (smooth) => document.body.classList.toggle(SMOOTH, smooth);

/**
 * Call fn whenever what is drawn is to look otherwise: in other colours, or smooth.
 *
 * @param {() => void} fn
 */
export const whenLookChanges = (fn) => new MutationObserver(fn).observe(document.body, { attributeFilter: ["class"] });

/** @param {HTMLCanvasElement} canvas */
const contextOf = (canvas) => /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));

/** @typedef {Uint8Array | Uint8ClampedArray} Pixels */
/** @typedef {{pixels: Pixels, channels: number, count: number}} RawTiles */
/** @typedef {{pixels: Pixels, channels: number, size: number}} RawPicture */
/**
 * @typedef {{size: number, columns: number, count: number, sourceColumns?: number, width?: number, gap?: number, below?: number,
 *   above?: number, maxScale?: number, justify?: boolean}} TileOptions
 */

/**
 * Raw pixels [C, S, S] of one picture (uint8) as ImageData.
 *
 * @param {Pixels} pixels
 * @param {number} channels
 * @param {number} size
 * @param {number} [offset]
 */
export function pixelsToImageData(pixels, channels, size, offset = 0) {
  const image = new ImageData(size, size);
  const plane = size * size;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[offset + (channels === 3 ? c * plane : 0) + i];
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/**
 * Draw tiles on a canvas: every source pixel becomes a square of whole device pixels, unless they are to be smooth or there is
 * less room than they have pixels.
 *
 * source: an image or bitmap of tiles without gaps (`sourceColumns` in a row), or {pixels, channels, count} raw [N, C, S, S].
 * options: size (source pixels a side), columns, count, sourceColumns, width (CSS pixels available), gap, below (CSS pixels
 * kept free under each tile), above (kept free over the first row), maxScale (CSS pixels for each source pixel), justify
 * (spread the columns over the whole width).
 * Returns the layout: {tile, x(i), y(i), width, height} in CSS pixels, and ctx scaled to CSS pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {RawTiles | CanvasImageSource} source
 * @param {TileOptions} options
 */
export function drawTiles(canvas, source, options) {
  const layout = tileLayout(canvas, options);
  const ctx = fitCanvas(canvas, layout.width, layout.height);
  ctx.imageSmoothingEnabled = isSmooth() || layout.shrunk;
  ctx.imageSmoothingQuality = "high";
  const { size, count, sourceColumns = options.columns } = options;
  const picture = "pixels" in source ? rawSheet(source, size, sourceColumns) : source;
  for (let i = 0; i < count; i++) {
    const sx = (i % sourceColumns) * size;
    const sy = Math.floor(i / sourceColumns) * size;
    ctx.drawImage(picture, sx, sy, size, size, layout.x(i), layout.y(i), layout.tile, layout.tile);
  }
  return { ...layout, ctx };
}

/**
 * Where tiles lie on a canvas, and whether they are smaller than they have pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {TileOptions} options
 */
export function tileLayout(canvas, options) {
  const { size, columns, count, width, gap = 6, below = 0, above = 0, maxScale = Infinity, justify = false } = options;
  const ratio = window.devicePixelRatio || 1;
  const room = width ?? /** @type {HTMLElement} */ (canvas.parentElement).clientWidth;
  const fitting = ((room - gap * (columns - 1)) * ratio) / (columns * size);
  const most = maxScale * ratio;
  const scale = isSmooth() ? Math.min(fitting, most) : Math.min(sharpScale(fitting, size), sharpLimit(most));
  const tile = Math.floor(scale * size) / ratio;
  const snap = (/** @type {number} */ value) => Math.round(value * ratio) / ratio;
  const rows = Math.ceil(count / columns);
  const gapX = justify && columns > 1 ? Math.max(gap, (room - columns * tile) / (columns - 1)) : gap;
  return {
    tile,
    shrunk: scale < 1,
    rows,
    columns,
    x: (/** @type {number} */ i) => snap((i % columns) * (tile + gapX)),
    y: (/** @type {number} */ i) => snap(above + Math.floor(i / columns) * (tile + gap + below)),
    width: columns * tile + (columns - 1) * gapX,
    height: above + rows * (tile + below) + (rows - 1) * gap,
  };
}

/**
 * Whole device pixels for a source pixel; half steps, or quarters in large pictures, only where whole ones would leave much of the
 * room empty, and less than one only where there is no room for one.
 *
 * @param {number} fitting
 * @param {number} size
 */
function sharpScale(fitting, size) {
  if (fitting < 1) return fitting;
  const wholeScale = Math.floor(fitting);
  const steps = size > LARGE ? 4 : 2;
  return wholeScale / fitting < 0.85 ? Math.floor(steps * fitting) / steps : wholeScale;
}

/**
 * The numbers of columns in which so many pictures leave no row unfinished, most first.
 *
 * @param {number} count
 */
export const evenColumns = (count) => COLUMNS.filter((columns) => count % columns === 0);

/**
 * In how many columns pictures lie, each as large as it has pixels or larger: as many as fit, leaving no row unfinished.
 *
 * @param {number} width
 * @param {number} each of a picture, with the gap behind it
 * @param {number} count
 * @param {number} most
 */
export function columnsIn(width, each, count, most) {
  const even = evenColumns(count).filter((columns) => columns <= most);
  return even.find((columns) => columns * each <= width) ?? even.at(-1) ?? most;
}

/**
 * What limits that: halves only below two.
 *
 * @param {number} most
 */
const sharpLimit = (most) => (most < 1 ? most : most < 2 ? Math.round(2 * most) / 2 : Math.round(most));

/**
 * Size a canvas in CSS pixels at the device's resolution, cleared; its context draws in CSS pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} width
 * @param {number} height
 */
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const ctx = contextOf(canvas);
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

/**
 * Raw tiles as one picture of them: whoever draws the same ones again and again makes it once.
 *
 * @param {RawTiles} source
 * @param {number} size
 * @param {number} columns
 */
export function rawSheet({ pixels, channels, count }, size, columns) {
  const sheet = document.createElement("canvas");
  sheet.width = columns * size;
  sheet.height = Math.ceil(count / columns) * size;
  const ctx = contextOf(sheet);
  for (let i = 0; i < count; i++) {
    const image = pixelsToImageData(pixels, channels, size, i * channels * size * size);
    ctx.putImageData(image, (i % columns) * size, Math.floor(i / columns) * size);
  }
  return sheet;
}

/**
 * A colour of the style sheet, as the canvas needs it.
 *
 * @param {string} name
 */
export function cssColor(name) {
  return getComputedStyle(shell()).getPropertyValue(name).trim() || "#888";
}

/**
 * Picture number i on a canvas of its own size; the style sheet enlarges it with sharp pixels.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {RawPicture} picture
 * @param {number} [i]
 */
export function putPicture(canvas, { pixels, channels, size }, i = 0) {
  if (canvas.width !== size || canvas.height !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  const image = pixelsToImageData(pixels, channels, size, i * channels * size * size);
  contextOf(canvas).putImageData(image, 0, 0);
}

/**
 * As large as pictures of 28 pixels are at this scale, for pictures of another size: their scale, in halves.
 *
 * @param {number} scale
 * @param {number} size
 */
export const scaleLike = (scale, size) => (size > LARGE ? Math.max(0.5, Math.round((2 * scale * 28) / size) / 2) : scale);

/**
 * Enlarge a canvas of `size` pixels to at most `room` CSS pixels: whole device pixels for each pixel of the picture, unless it is
 * to be smooth or there is less room.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {number} size
 * @param {number} room
 */
export function fitPicture(canvas, size, room) {
  const ratio = window.devicePixelRatio || 1;
  const fitting = room > 0 ? (room * ratio) / size : 1;
  const scale = isSmooth() ? fitting : fitting < 2 ? sharpScale(fitting, size) : Math.floor(fitting);
  const side = Math.floor(scale * size) / ratio;
  canvas.style.width = canvas.style.height = `${side}px`;
  canvas.style.imageRendering = scale < 1 ? "auto" : "";
  return side;
}

/**
 * What is on a canvas as a file; null where the browser has no room for it.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {string} [type]
 * @param {number} [quality] of a JPEG, from 0 to 1
 * @returns {Promise<Blob | null>}
 */
export const encoded = (canvas, type = "image/png", quality) => new Promise((done) => canvas.toBlob(done, type, quality));
