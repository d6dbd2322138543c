// Which curves a run has, and what they are called.

import { t } from "../core/text.js";

/**
 * What is used of a run's history (run/history.js).
 *
 * @typedef {{recorded(what: string, name: string): any[], recordedNames(what: string): string[],
 *   placeOf(step: number, axis: string): number}} Recorded
 */

export const RECORDS = ["signals", "measures"];
const NOT_CURVES = ["step", "images", "seconds"];

/**
 * The name of a column as people read it.
 *
 * @param {string} name
 */
export const curveName = (name) => t(`curves.c_${name}`, {}, name.replaceAll("_", " "));

/** @param {string} name */
export const curveHint = (name) => t(`curves.h_${name}`, {}, "");

/**
 * Names of all further curves that a run has: {name: "signals" or "measures"}.
 *
 * @param {Recorded} history
 * @returns {Record<string, string>}
 */
export function furtherCurves(history) {
  const found = RECORDS.flatMap((what) => history.recordedNames(what).map((name) => [name, what]));
  return Object.fromEntries(found.filter(([name]) => !NOT_CURVES.includes(name)));
}

/**
 * Where the records of a kind lie on an axis.
 *
 * @param {Recorded} history
 * @param {string} what
 * @param {string} axis
 * @returns {number[]}
 */
export const recordPlaces = (history, what, axis) => history.recorded(what, "step").map((step) => history.placeOf(step, axis));
