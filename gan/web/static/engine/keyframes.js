// The pictures that a path leads through, named by letters in their order: how a link writes them. No DOM in here.

import { LETTERS, SPEC_KEYS } from "./constants.js";
import { LatentSpec } from "./latent_spec.js";
import { readSeed } from "./seed.js";

const FIRST = [3, 8]; // seeds, and classes where there are any, of a path that no link describes
export const MOST_KEYFRAMES = LETTERS.length;

/**
 * What a person calls keyframe i.
 *
 * @param {number} i
 */
export const nameOf = (i) => LETTERS[i].toUpperCase();

/**
 * Keyframes of an address: SEED or SEED:CLASS, and what the sliders changed about it.
 *
 * @param {Record<string, string>} address
 */
export function readKeyframes(address) {
  const given = [...LETTERS].filter((letter, i) => address[letter] || i < FIRST.length);
  return given.map((letter, i) => {
    const [text, label] = (address[letter] ?? "").split(":");
    const edits = Object.fromEntries(SPEC_KEYS.map((key) => [key, address[letter + key]]));
    return LatentSpec.parse({ seed: readSeed(text) ?? FIRST[i] ?? 0, c: /^\d+$/.test(label ?? "") ? label : "", ...edits });
  });
}

/**
 * The inverse: {a, b, ..., am, ...}.
 *
 * @param {LatentSpec[]} keyframes
 * @returns {Record<string, string>}
 */
export function keyframesQuery(keyframes) {
  const queries = keyframes.map((keyframe) => keyframe.toQuery());
  const seeds = queries.map(({ seed, c }, i) => [LETTERS[i], c === undefined ? seed : `${seed}:${c}`]);
  const edits = queries.flatMap(({ seed: _, c: __, ...edited }, i) =>
    Object.entries(edited).map(([key, text]) => [LETTERS[i] + key, text]),
  );
  return Object.fromEntries([...seeds, ...edits]);
}

/**
 * The same as far as these weights know it: classes only where there are any, at first two different ones.
 *
 * @param {LatentSpec[]} keyframes
 * @param {import("./latent_spec.js").Weights} about
 */
export function fittedKeyframes(keyframes, about) {
  return keyframes.map((keyframe, i) => keyframe.with({ label: keyframe.label ?? FIRST[i] ?? 0 }).fitTo(about));
}

/**
 * A tab's address with one more keyframe; null when there are as many as there can be. Another's weights begin anew.
 *
 * @param {Record<string, string>} address
 * @param {string} w its weights
 * @param {LatentSpec} spec
 * @returns {Record<string, string> | null}
 */
export function withKeyframe(address, w, spec) {
  if (address.w !== w || !address.a) return { w, ...keyframesQuery([spec]) };
  const keyframes = readKeyframes(address).filter((_, i) => address[LETTERS[i]]);
  if (keyframes.length >= MOST_KEYFRAMES) return null;
  return { ...address, ...keyframesQuery([...keyframes, spec]) };
}
