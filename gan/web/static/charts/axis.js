// The x axis that all charts and scrubbers share: steps, pictures seen, or seconds.

import { duration, fixed, rounded, whole } from "../core/format.js";
import { t } from "../core/text.js";

export const AXES = ["step", "images", "seconds"]; // columns of the rows
/** @type {[from: number, seconds: number, name: string][]} */
const UNITS = [
  [7200, 3600, "h"],
  [180, 60, "min"],
  [0, 1, "s"],
]; // from so many seconds on: seconds in a unit, its name

/**
 * The unit in which an axis that ends at `last` is marked.
 *
 * @param {string} axis
 * @param {number} last
 * @returns {{size: number, mark: (value: number) => string}}
 */
export function unitOf(axis, last) {
  if (axis !== "seconds") return { size: 1, mark: shortCount };
  const [, size, name] = UNITS.find(([from]) => last >= from) ?? UNITS[UNITS.length - 1];
  return { size, mark: (value) => `${rounded(value / size, 1)} ${name}` };
}

/** @param {number} value */
const shortCount = (value) => {
  if (value >= 1e6) return `${rounded(value / 1e6, 2)}M`;
  return value >= 10000 && value % 1000 === 0 ? `${value / 1000}k` : whole(value);
};

/**
 * A place on an axis in words: "Step 512".
 *
 * @param {string} axis
 * @param {number} value
 */
export function placeName(axis, value) {
  if (axis === "seconds") return value < 10 ? `${fixed(value, 1)} s` : duration(value);
  return `${t(`curves.at_${axis}`)} ${whole(value)}`;
}
