// The small control that picks the x axis of all charts.

import { h } from "../core/dom.js";
import { t } from "../core/text.js";
import { AXES } from "./axis.js";

/** @type {Record<string, number>} */
const MOVES = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/**
 * Fill an element with one small button for each axis; choose(axis) is called, and returned is show(axis).
 *
 * @param {HTMLElement} element
 * @param {(axis: string) => void} choose
 */
export function axisControl(element, choose) {
  element.classList.add("gf-segments");
  element.setAttribute("role", "radiogroup");
  element.setAttribute("aria-label", t("curves.axis"));
  const buttons = AXES.map((axis) =>
    h(
      "button",
      { type: "button", role: "radio", class: "gf-segment", dataset: { axis }, onclick: () => choose(axis) },
      t(`curves.axis_${axis}`),
    ),
  );
  element.replaceChildren(...buttons);
  element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    const next = buttons[(buttons.indexOf(document.activeElement) + move + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
  return (/** @type {string} */ axis) => {
    for (const button of buttons) {
      button.setAttribute("aria-checked", String(button.dataset.axis === axis));
      button.tabIndex = button.dataset.axis === axis ? 0 : -1;
    }
  };
}
