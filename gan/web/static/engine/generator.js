// A generator that runs in the page, drawn with typed arrays. No DOM in here.

import { CODE_SHARPNESS } from "./constants.js";
import { readNetwork } from "./page_file.js";

/** @typedef {ArrayLike<number>} Mixture of classes, or of the values of each code */
/**
 * What the header of a generator's file says; codes: how many values each has that a latent votes for (gan/models/layers.py);
 * unseen: how many numbers of a latent do nothing but vote.
 *
 * @typedef {import("./page_file.js").Header & {z_dim: number, classes: number, codes: number[], unseen: number,
 *   directions: number, stamp: string, digest: string}} Header
 */
/** @typedef {ReturnType<typeof readGenerator>} Generator */

/**
 * ArrayBuffer of a file -> {about, directions, draw}. Throws an Error when it is not one of ours.
 *
 * @param {ArrayBuffer} buffer
 */
export function readGenerator(buffer) {
  const { about, tensors, input, run } = readNetwork(
    buffer,
    (/** @type {Header} */ { z_dim, classes, codes, unseen }) => z_dim - unseen + (classes || votesOf(codes)),
  );
  const { z_dim, classes, codes, unseen, directions } = about;
  return {
    about,
    directions: Array.from({ length: directions }, (_, k) => tensors.directions.subarray(k * z_dim, (k + 1) * z_dim)),
    /**
     * What a picture is to be: the class as a mixture, or the values that z votes for; null where there is neither.
     *
     * @param {ArrayLike<number>} z
     * @param {number | null} [label]
     * @param {readonly [number, number]} [mix] another class, and its share
     * @returns {Mixture | null}
     */
    condition(z, label, mix = [0, 0]) {
      if (classes) return mixture(classes, label ?? 0, mix);
      return codes.length ? vote(z, tensors.odds, codes) : null;
    },
    /**
     * z [z_dim] and what `condition` gave (or a mixture of it) -> uint8 pixels in planes, [channels][y][x].
     *
     * @param {ArrayLike<number>} z
     * @param {Mixture | null} mixture
     */
    draw(z, mixture) {
      for (let i = unseen; i < z_dim; i++) input[i - unseen] = z[i];
      if (mixture) input.set(mixture, z_dim - unseen);
      return toPixels(run(), about);
    },
  };
}

/**
 * One class, with a share of another.
 *
 * @param {number} classes
 * @param {number} label
 * @param {readonly [number, number]} mix [other class, its share]
 */
function mixture(classes, label, [other, share]) {
  return Float32Array.from({ length: classes }, (_, i) => (i === label ? 1 - share : 0) + (i === other ? share : 0));
}

/**
 * How many numbers of a latent vote.
 *
 * @param {number[]} codes
 */
export const votesOf = (codes) => codes.reduce((sum, values) => sum + values, 0);

/**
 * The part of each code in what is said of all values, side by side: views of the same numbers.
 *
 * @param {Float32Array} all
 * @param {number[]} codes
 */
export function partsOf(all, codes) {
  let start = 0;
  return codes.map((values) => {
    start += values;
    return all.subarray(start - values, start);
  });
}

/**
 * For each code the softmax of its latent numbers and their odds; what is less than 1e-9 is nothing.
 *
 * @param {ArrayLike<number>} z
 * @param {Float32Array} odds
 * @param {number[]} codes
 */
function vote(z, odds, codes) {
  const found = odds.map((odd, i) => CODE_SHARPNESS * (z[i] + odd));
  for (const scores of partsOf(found, codes)) {
    const most = Math.max(...scores);
    const shares = scores.map((score) => Math.exp(score - most));
    const sum = shares.reduce((a, b) => a + b, 0);
    scores.set(shares.map((share) => (share > 1e-9 * sum ? share / sum : 0)));
  }
  return found;
}

/**
 * As gan.core.images.to_uint8: [-1, 1] becomes 0 to 255, what is not a number mid-grey.
 *
 * @param {Float32Array} x
 * @param {Header} about
 */
function toPixels(x, { channels, size }) {
  const pixels = new Uint8ClampedArray(channels * size * size); // it rounds, half to even, and cuts off
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < channels; c++) {
      const value = x[i * channels + c];
      pixels[c * size * size + i] = ((Number.isNaN(value) ? 0 : value) + 1) * 127.5;
    }
  }
  return pixels;
}
