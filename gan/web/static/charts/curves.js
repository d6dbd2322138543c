// Which curves a run has, and what they are called.

import { t } from "../core/text.js";

export const RECORDS = ["signals", "measures"];
const NOT_CURVES = ["step", "images", "seconds"];

/** The name of a column as people read it. */
export const curveName = (name) => t(`curves.c_${name}`, {}, name.replaceAll("_", " "));

export const curveHint = (name) => t(`curves.h_${name}`, {}, "");

/** Names of all further curves that a run has: {name: "signals" or "measures"}. */
export function furtherCurves(history) {
  const found = RECORDS.flatMap((what) => history.recordedNames(what).map((name) => [name, what]));
  return Object.fromEntries(found.filter(([name]) => !NOT_CURVES.includes(name)));
}

/** Where the records of a kind lie on an axis. */
export const recordPlaces = (history, what, axis) => history.recorded(what, "step").map((step) => history.placeOf(step, axis));
