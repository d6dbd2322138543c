// The number that a picture's noise begins from.

import { MAX_SEED } from "./constants.js";

export const randomSeed = () => Math.floor(Math.random() * 1e6);

/**
 * What a person typed into a seed box, or null.
 *
 * @param {string} text
 */
export function readSeed(text) {
  const clean = text.trim();
  return /^\d{1,10}$/.test(clean) && Number(clean) <= MAX_SEED ? Number(clean) : null;
}
