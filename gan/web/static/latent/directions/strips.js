// Strips of pictures: what a direction does, from -3 to 3.

import { drawTiles, scaleLike } from "../../core/canvas.js";
import { STRIP } from "../../engine/constants.js";
import { drawStripsHere } from "../../engine/draw_here.js";
import { fetchPixels } from "../../weights/pixels.js";

const COUNT = STRIP.length;
export const LIMIT = STRIP[COUNT - 1]; // of an amount

/** Pictures along each of these directions, from this page where it can draw them, else from the server. */
export async function stripsOf(w, spec, keys) {
  const query = { w, ...spec.toQuery(keys), along: keys.join(",") };
  return (await drawStripsHere(w, spec, keys)) ?? (await fetchPixels("strips", query, "strips"));
}

/** Strip number i on a canvas, as wide as there is room. */
export function drawStrip(canvas, { pixels, channels, size }, i) {
  const length = COUNT * channels * size * size;
  const source = { pixels: pixels.subarray(i * length, (i + 1) * length), channels, count: COUNT };
  const width = canvas.parentElement.clientWidth;
  if (width)
    drawTiles(canvas, source, {
      size,
      columns: COUNT,
      count: COUNT,
      width,
      gap: 2,
      justify: true,
      maxScale: scaleLike(2, size),
    });
}

/** The amount that the picture under the pointer was drawn with. */
export function amountAt(canvas, { clientX }) {
  const { left, width } = canvas.getBoundingClientRect();
  return STRIP[Math.min(COUNT - 1, Math.max(0, Math.floor((COUNT * (clientX - left)) / width)))];
}
