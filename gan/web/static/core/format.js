// Numbers as people read them, in the language of the page.

import { fixed, number } from "./text.js";

export { fixed };

/** @param {number} value */
export const whole = (value) => number(Math.round(value));

/**
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export function short(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3)
    return value
      .toExponential(1)
      .replace("e+", "e")
      .replace(".", number(0.5).at(1) ?? ".");
  return number(value, { maximumSignificantDigits: digits, useGrouping: false });
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}

/**
 * A share, as "46 %" or, with one digit after the point, "45.6 %".
 *
 * @param {number | null | undefined} value
 * @param {number} [digits]
 */
export const percentOf = (value, digits = 0) =>
  typeof value === "number" && Number.isFinite(value) ? `${fixed(100 * value, digits)} %` : "–";

/**
 * A number with at most so many digits after the point: as it stands in links, and on axes.
 *
 * @param {number} value
 * @param {number} digits
 */
export const rounded = (value, digits) => Number(value.toFixed(digits));

/**
 * With its sign, as "+0.50".
 *
 * @param {number} value
 */
export const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${fixed(Math.abs(value))}`;

/**
 * So many times as much, as "3.4" or "120".
 *
 * @param {number} ratio
 */
export const times = (ratio) => (ratio < 10 ? fixed(ratio, 1) : whole(ratio));

/**
 * A size in MB, as "3.4".
 *
 * @param {number} bytes
 */
export const megabytes = (bytes) => fixed(bytes / 2 ** 20, 1);
