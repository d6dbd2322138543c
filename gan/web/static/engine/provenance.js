// How a picture was made, as it stands inside a PNG (gan/serving/provenance.py): what a stranger's file may say, checked. No DOM in here.

import { PICTURE_KEYS, PROVENANCE } from "./constants.js";
import { isPNG, withWords, wordsOf } from "./png_text.js";

const { program: PROGRAM, key: KEY, version: VERSION } = PROVENANCE;
const MAX_PNG_MB = 4;
const MOST_QUERY = 60_000; // letters; a longer one would not fit into an address

/** @typedef {{weights: string, digest: string, query: Record<string, string>}} Origin */

/** Why a file does not bring a picture back: `key` of the sentence in gan/words/en/share.json. */
export class OriginError extends Error {
  /**
   * @param {string} key
   * @param {Record<string, any>} values
   */
  constructor(key, values = {}) {
    super(key);
    this.key = `share.${key}`;
    this.values = values;
  }
}

/**
 * {weights, digest, query: {seed, c, ...}} of a file. Throws OriginError.
 *
 * @param {File} file
 * @returns {Promise<Origin>}
 */
export async function originOf(file) {
  const start = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  if (!isPNG(start)) throw new OriginError("not_png", { name: file.name.slice(0, 60) });
  if (file.size > MAX_PNG_MB * 2 ** 20) throw new OriginError("too_large", { most: MAX_PNG_MB });
  return readOrigin(textOf(new Uint8Array(await file.arrayBuffer())));
}

/**
 * The same PNG, with how it was made.
 *
 * @param {Uint8Array} bytes
 * @param {{weights: string, digest: string, query: string, madeWith: string}} origin
 */
export const withOrigin = (bytes, { weights, digest, query, madeWith }) =>
  withWords(bytes, KEY, JSON.stringify({ program: PROGRAM, made_with: madeWith, version: VERSION, weights, digest, query }));

/** @param {Uint8Array} bytes */
function textOf(bytes) {
  let text;
  try {
    text = wordsOf(bytes, KEY);
  } catch {
    throw new OriginError("broken");
  }
  if (text === null) throw new OriginError("no_origin");
  return text;
}

/**
 * @param {string} text
 * @returns {Origin}
 */
function readOrigin(text) {
  const found = parsed(text);
  if (found?.program !== PROGRAM) throw new OriginError("strange_origin");
  const { version, weights, digest, query } = found;
  const shown = typeof version === "string" ? version : `${JSON.stringify(version)}`; // an object need not become a text
  if (version !== VERSION) throw new OriginError("other_version", { version: shown.slice(0, 20) });
  const right =
    matches(weights, /^[\w.-]{1,100}$/) &&
    matches(digest, /^[0-9a-f]{32}$/) &&
    matches(query, /^[!-~]*$/) &&
    query.length <= MOST_QUERY;
  const parts = right ? [...new URLSearchParams(query)] : [];
  if (!right || parts.some(([key]) => !PICTURE_KEYS.includes(key))) throw new OriginError("strange_origin");
  return { weights, digest, query: Object.fromEntries(parts) };
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {any} value
 * @param {RegExp} pattern
 * @returns {value is string}
 */
const matches = (value, pattern) => typeof value === "string" && pattern.test(value);
