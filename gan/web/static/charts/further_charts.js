// Charts that somebody can add: single columns of what a run wrote down, the same of both players, and the strip of verdicts.

import { percentOf, short } from "../core/format.js";
import { t } from "../core/text.js";
import { curveHint, curveName, furtherCurves, recordPlaces } from "./curves.js";
import { chartFigure } from "./figure.js";
import { extent } from "./numbers.js";
import { Chart, Strip } from "./plot.js";

/** @typedef {{step: number, kind: string, text: string}} Event */
/**
 * What is used of a run's history (run/history.js).
 *
 * @typedef {import("./curves.js").Recorded & {column: (name: string) => any[], events: Event[], frameSteps: number[],
 *   verdicts: Map<number, Record<string, number[]>>, stepAt: (place: number, axis: string) => number}} History
 */
/** @typedef {{history: History, meta: any}} Run */
/** @typedef {{run: () => Run | null, axis: () => string}} Source what is shown, over which axis */
/** @typedef {{box: HTMLElement, chart: Chart | Strip}} Further */

const PAIRS = [
  ["d_grad", "g_grad"],
  ["d_weights", "g_weights"],
]; // one chart for both players
const STRIP = "verdict_strip";
export const COLORS = ["--gf-ink2", "--gf-accent"]; // of the real pictures, or D, and of the generated ones, or G

/**
 * Names of charts that can be added: pairs of players first, then the strip, then single columns.
 *
 * @param {History} history
 */
export function offeredCharts(history) {
  const found = furtherCurves(history);
  const pairs = PAIRS.filter((pair) => pair.some((name) => name in found));
  const single = Object.keys(found).filter((name) => !pairs.flat().includes(name));
  return [...pairs.map((pair) => pair.join("+")), STRIP, ...single];
}

/** @param {string} name */
export const chartName = (name) =>
  name === STRIP ? t("curves.strip") : t(`curves.c_${name}`, {}, name.split("+").map(curveName).join(", "));

/** @param {string} name */
const chartHint = (name) =>
  name === STRIP ? t("curves.strip_hint") : t(`curves.h_${name}`, {}, curveHint(name.split("+")[0]));

/**
 * The chart of this name, in a box with its title and a button that takes it away.
 *
 * @param {string} name
 * @param {Source} source
 * @param {import("./plot.js").Asked} asked
 * @param {() => void} remove
 * @returns {Further}
 */
export function furtherChart(name, source, asked, remove) {
  const { box, canvas, legend } = chartFigure(name, { title: chartName(name), hint: chartHint(name), remove });
  const make = name === STRIP ? verdictStrip : columnChart;
  return { box, chart: make(name, source, asked, canvas, legend) };
}

/**
 * A chart of one column, or of the same of both players: "d_grad+g_grad".
 *
 * @param {string} name
 * @param {Source} source
 * @param {import("./plot.js").Asked} asked
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} legend
 */
function columnChart(name, { run, axis }, asked, canvas, legend) {
  const history = () => run()?.history;
  const names = name.split("+");
  const known = history();
  const what = known ? furtherCurves(known)[names[0]] : "";
  const places = (/** @type {History | undefined} */ all) => (all ? recordPlaces(all, what, axis()) : []);
  const series = names.map((column, i) => ({
    label: names.length > 1 ? t(`train.${column[0]}_loss`) : curveName(column),
    color: names.length > 1 ? COLORS[i] : "--gf-accent",
    smooth: false, // few points, each of them measured
    x: () => places(history()),
    values: () => history()?.recorded(what, column) ?? [],
  }));
  return new Chart(canvas, legend, { series, ...asked });
}

/**
 * How D's verdicts are spread, over time.
 *
 * @param {string} _name
 * @param {Source} source
 * @param {import("./plot.js").Asked} asked
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} legend
 */
function verdictStrip(_name, { run, axis }, asked, canvas, legend) {
  const history = () => run()?.history;
  const steps = () => history()?.frameSteps ?? [];
  const frames = (/** @type {string} */ kind) => steps().map((step) => history()?.verdicts.get(step)?.[kind] ?? []);
  const x = () => steps().map((step) => history()?.placeOf(step, axis()) ?? 0);
  const probability = () => run()?.meta.verdict_is_probability;
  const band = (/** @type {string} */ kind, /** @type {string} */ color) => ({ color, x, values: () => frames(kind) });
  return new Strip(canvas, legend, {
    series: [
      { label: t("train.d_real"), ...band("real", COLORS[0]) },
      { label: t("train.d_fake"), ...band("fake", COLORS[1]) },
    ],
    range: () => (probability() ? [0, 1] : extent([...frames("real"), ...frames("fake")].flat())),
    format: (value) => (probability() ? percentOf(value) : short(value)),
    ...asked,
  });
}
