// The newest pictures of a run, put together from what was shown before and what has changed.

/** @typedef {import("./follow").Picture} Picture */

const SHADES = 256;

/**
 * The pixels after a change. The changes come in the order of the shades before, those of the same shade as they lie.
 *
 * @param {Uint8Array} before
 * @param {Uint8Array} changes
 */
export function changed(before, changes) {
  const next = firstOfEachShade(before);
  const after = new Uint8Array(before.length);
  for (let i = 0; i < before.length; i++) after[i] = before[i] + changes[next[before[i]]++]; // modulo 256, as bytes are
  return after;
}

/** @param {Uint8Array} pixels */
function firstOfEachShade(pixels) {
  const first = new Uint32Array(SHADES + 1);
  for (const shade of pixels) first[shade + 1] += 1;
  for (let shade = 1; shade <= SHADES; shade++) first[shade] += first[shade - 1];
  return first;
}

/**
 * Pixels of one or three channels as a picture that can be drawn.
 *
 * @param {Uint8Array} pixels
 * @param {Picture} picture
 */
export function bitmapOf(pixels, { width, height, channels }) {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels * i + (channels === 3 ? c : 0)];
    image.data[4 * i + 3] = 255;
  }
  return createImageBitmap(image);
}
