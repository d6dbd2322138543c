// How far a spec goes along a direction, and the same with another amount. Principal directions have numbers for keys, all
// others are pushes that the spec writes out.

import { isNumber } from "../../engine/latent_spec.js";

/** @typedef {import("../../engine/latent_spec.js").LatentSpec} LatentSpec */
/** @typedef {import("../../engine/latent_spec.js").Push} Push */
/** @typedef {import("../../engine/latent_spec.js").Parts} Parts */

/**
 * Whether the spec speaks of this direction at all.
 *
 * @param {LatentSpec} spec
 * @param {string} key
 */
export const isSet = ({ principal, pushes, locked }, key) => principal.has(Number(key)) || pushes.has(key) || locked.has(key);

/**
 * @param {LatentSpec} spec
 * @param {string} key
 */
export const amountOf = ({ principal, pushes }, key) =>
  (isNumber(key) ? principal.get(Number(key)) : pushes.get(key)?.amount) ?? 0;

/**
 * What changes about the spec with another amount; a push by nothing stays in it only while it is locked.
 *
 * @param {LatentSpec} spec
 * @param {string} key
 * @param {number} amount
 * @param {Push | null} push along this direction by nothing, where it is none of the principal ones
 * @param {ReadonlySet<string>} [locked] the locks from now on
 * @returns {Parts}
 */
export function moved({ principal, pushes, locked: before }, key, amount, push, locked = before) {
  if (isNumber(key)) return { locked, principal: replaced(principal, Number(key), amount || undefined) };
  const pushed = /** @type {Push} */ ({ ...push, ...pushes.get(key), amount });
  return { locked, pushes: replaced(pushes, key, amount || locked.has(key) ? pushed : undefined) };
}

/**
 * A map with another value for a key, or without it where the value is undefined.
 *
 * @template K, V
 * @param {ReadonlyMap<K, V>} map
 * @param {K} key
 * @param {V | undefined} value
 */
function replaced(map, key, value) {
  const other = new Map(map);
  if (value === undefined) other.delete(key);
  else other.set(key, value);
  return other;
}
