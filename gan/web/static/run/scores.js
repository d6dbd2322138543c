// How often people and D told real from generated pictures, by training step: a row for each power of two, with two bars.

import { h } from "../core/dom.js";
import { percentOf, whole } from "../core/format.js";
import { t } from "../core/text.js";

/**
 * What the server says of a run (gan/web/game.py).
 *
 * @typedef {{rounds: number, fooled: number | null, told: boolean, bins: {step: number, right: number, total: number, d: number | null}[]}} Scores
 */

/**
 * @param {HTMLElement} box
 * @param {Scores["bins"]} bins
 */
export function showScores(box, bins) {
  const rows = bins.map(({ step, right, total, d }) =>
    h(
      "div",
      { class: "gf-game-row" },
      h("span", { class: "gf-num" }, t("game.from_step", { step: whole(step) })),
      bar("people", right / total),
      bar("d", d),
    ),
  );
  const head = h("div", { class: "gf-game-row" }, h("span", {}), h("b", {}, t("game.people")), h("b", {}, "D"));
  box.replaceChildren(...(rows.length ? [head, ...rows] : []));
}

/** From which step on people are fooled, in words. @param {Scores} scores */
export function scoresInWords({ rounds, fooled, told }) {
  const played = t("game.rounds", { count: rounds });
  if (!told) return played;
  return `${played} ${fooled === null ? t("game.not_fooled") : t("game.fooled_from", { step: whole(fooled) })}`;
}

/** @param {string} who @param {number | null} share */
function bar(who, share) {
  const fill = h("i", { style: { transform: `scaleX(${share ?? 0})` } });
  const words = share === null ? "–" : percentOf(share);
  return h(
    "span",
    { class: "gf-game-bar", dataset: { who } },
    h("span", { class: "gf-meter" }, fill),
    h("b", { class: "gf-num" }, words),
  );
}
