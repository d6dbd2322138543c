// The runs that are shipped, to be looked at before anything has learned.

import { t } from "../core/text.js";

/**
 * @typedef {{recorded: Record<string, string>, recipes: {name: string, title: string, config: {dataset: string}}[],
 *   datasets: {name: string, title: string}[]}} Shipped
 */

/**
 * The recording of a recipe; of another one where it has none; null where none is shipped.
 *
 * @param {Shipped} data
 * @param {string} [recipe]
 * @returns {string | null}
 */
export function recordingOf({ recorded }, recipe = "") {
  return recorded[recipe] ?? Object.values(recorded)[0] ?? null;
}

/**
 * All of them, with what they are called.
 *
 * @param {Shipped} data
 */
export function recordings({ recorded, recipes, datasets }) {
  return recipes
    .filter(({ name }) => recorded[name])
    .map(({ name, title: recipe, config }) => {
      const dataset = datasets.find((each) => each.name === config.dataset)?.title ?? config.dataset;
      return { id: recorded[name], title: t("compare.recording", { recipe, dataset }) };
    });
}
