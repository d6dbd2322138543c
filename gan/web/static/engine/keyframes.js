// The pictures that a path leads through, named by letters in their order: how a link writes them.

import { EDITS } from "./noise.js";
import { lengthOf } from "./pushes.js";
import { readSeed } from "./seed.js";

/** @typedef {{seed: number, c?: number, [edit: string]: any}} Keyframe */
/** @typedef {{z_dim: number, classes: number, directions: any[]}} About of weights */

const LETTERS = [..."abcdefghijkl"]; // gan/web/routes/paths.py
const FIRST = [3, 8]; // seeds, and classes where there are any, of a path that no link describes
export const MOST_KEYFRAMES = LETTERS.length;

/**
 * What a person calls keyframe i.
 *
 * @param {number} i
 */
export const nameOf = (i) => LETTERS[i].toUpperCase();

/**
 * Keyframes {seed, c, edits...} of an address: SEED or SEED:CLASS, and what the sliders changed about it.
 *
 * @param {Record<string, string>} address
 * @returns {Keyframe[]}
 */
export function readKeyframes(address) {
  const given = LETTERS.filter((letter, i) => address[letter] || i < FIRST.length);
  return given.map((letter, i) => {
    const [text, label] = (address[letter] ?? "").split(":");
    /** @type {Keyframe} */
    const keyframe = { seed: readSeed(text) ?? FIRST[i] ?? 0, c: /^\d+$/.test(label ?? "") ? Number(label) : undefined };
    for (const edit of EDITS) if (address[letter + edit]) keyframe[edit] = address[letter + edit];
    return keyframe;
  });
}

/**
 * The inverse: {a, b, ..., am, ...}.
 *
 * @param {Keyframe[]} keyframes
 * @returns {Record<string, string>}
 */
export function keyframesQuery(keyframes) {
  const seeds = keyframes.map(({ seed, c }, i) => [LETTERS[i], c === undefined ? String(seed) : `${seed}:${c}`]);
  const edits = keyframes.flatMap((keyframe, i) => EDITS.map((edit) => [LETTERS[i] + edit, keyframe[edit]]));
  return Object.fromEntries([...seeds, ...edits]);
}

/**
 * The same as far as these weights know it: classes only where there are any, at first two different ones.
 *
 * @param {Keyframe[]} keyframes
 * @param {About} about
 * @returns {Keyframe[]}
 */
export function fittedKeyframes(keyframes, about) {
  return keyframes.map((keyframe, i) => {
    const c = about.classes ? Math.min(keyframe.c ?? FIRST[i] ?? 0, about.classes - 1) : undefined;
    const strange = EDITS.filter((edit) => keyframe[edit] && UNFIT[edit]?.(keyframe[edit].split(","), about));
    if (strange.includes("u")) strange.push("lock");
    return { ...keyframe, ...Object.fromEntries(strange.map((edit) => [edit, undefined])), c };
  });
}

// Whether other weights than these were meant.
/** @type {Record<string, (parts: string[], about: About) => boolean>} */
const UNFIT = {
  from: ([text], { z_dim: size }) => !text.includes(":") && lengthOf(text) !== size, // tile:3 fits all
  u: (pushes, { z_dim: size }) => pushes.some((push) => lengthOf(push.split(":")[2] ?? "") !== size),
  z: (pairs, { z_dim: size }) => pairs.some((pair) => parseInt(pair, 10) >= size),
  d: (pairs, { directions }) => pairs.some((pair) => parseInt(pair, 10) >= directions.length),
  mix: ([pair], { classes }) => parseInt(pair, 10) >= classes,
};

/**
 * A tab's address with one more keyframe; null when there are as many as there can be. Another's weights begin anew.
 *
 * @param {Record<string, string>} address
 * @param {Keyframe} place with `w`, its weights
 * @returns {Record<string, string> | null}
 */
export function withKeyframe(address, { w, ...place }) {
  if (address.w !== w || !address.a) return { w, ...keyframesQuery([place]) };
  const keyframes = readKeyframes(address).filter((_, i) => address[LETTERS[i]]);
  if (keyframes.length >= MOST_KEYFRAMES) return null;
  return { ...address, ...keyframesQuery([...keyframes, place]) };
}
