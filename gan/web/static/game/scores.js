// How often people and D were right, by training step: a row for each power of two, with two bars.

import { h } from "../core/dom.js";
import { percentOf, whole } from "../core/format.js";
import { t } from "../core/text.js";

/**
 * @param {HTMLElement} box
 * @param {{step: number, right: number, total: number}[]} people
 * @param {Map<number, {right: number, total: number}>} d
 */
export function showScores(box, people, d) {
  const rows = people.map(({ step, right, total }) => {
    const other = d.get(step);
    return h(
      "div",
      { class: "gf-game-row" },
      h("span", { class: "gf-num" }, t("game.from_step", { step: whole(step) })),
      bar("people", right / total, t("game.people")),
      bar("d", other ? other.right / other.total : null, "D"),
    );
  });
  box.replaceChildren(...rows);
}

/** @param {string} who @param {number | null} share @param {string} name */
function bar(who, share, name) {
  const fill = h("i", { style: { transform: `scaleX(${share ?? 0})` } });
  const words = share === null ? "–" : percentOf(share);
  return h(
    "span",
    { class: "gf-game-bar", dataset: { who } },
    h("span", {}, fill),
    h("b", { class: "gf-num" }, words),
    h("small", {}, name),
  );
}
