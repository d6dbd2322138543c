// Vectors as links hold them: float16 numbers, little-endian, in base64 with - and _ (gan/latent/query.py). No DOM in here.

import { halfValues } from "./page_file.js";

/** A vector and its text, which stays as it came. Its numbers are made when they are first asked for, and kept. */
export class Vector {
  /** @type {Float32Array | null | undefined} */
  #numbers;

  /** @param {string} text in base64 with - and _ */
  constructor(text) {
    this.text = text;
    /** How many numbers a text of this length holds. */
    this.length = Math.floor((text.length * 3) / 4 / 2);
    Object.freeze(this);
  }

  /** Float32Array, or null where the text is no vector. */
  get numbers() {
    if (this.#numbers === undefined) this.#numbers = unpack(this.text);
    return this.#numbers;
  }
}

/**
 * Bytes from base64 with - and _.
 * @param {string} text
 */
export const bytesOf = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

/**
 * Float16 numbers in base64 with - and _; null when it is none.
 * @param {string} text
 * @returns {Float32Array | null}
 */
function unpack(text) {
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) return null;
  const bytes = bytesOf(text);
  if (bytes.length % 2) return null;
  const values = halfValues();
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => values[bytes[2 * i] | (bytes[2 * i + 1] << 8)]);
}
