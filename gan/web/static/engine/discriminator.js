// A discriminator that judges pictures in the page. No DOM in here.

import { readNetwork } from "./page_file.js";

/**
 * @typedef {import("./page_file.js").Header & {probability: boolean, boundary: number | null}} Header probability: whether its logits are those of one; boundary: above it is real; null: only differences mean something
 */

/**
 * ArrayBuffer of a file -> {about, logit}. Throws an Error when it is not one of ours.
 *
 * @param {ArrayBuffer} buffer
 */
export function readDiscriminator(buffer) {
  const { about, input, run } = readNetwork(buffer, (/** @type {Header} */ { channels, size }) => channels * size * size);
  return {
    about,
    /**
     * Of a grey picture, uint8 [y][x]. One that is told what a picture shows judges it as what fits best.
     *
     * @param {ArrayLike<number>} pixels
     */
    logit(pixels) {
      for (let i = 0; i < input.length; i++) input[i] = pixels[i] / 127.5 - 1;
      return Math.max(...run());
    },
  };
}
