// The small control that picks the x axis of all charts.

import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { h } from "../core/dom.js";
import { t } from "../core/text.js";
import { AXES } from "./axis.js";

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
  const props = { type: "button", role: "radio", class: "gf-segment" };
  element.replaceChildren(...AXES.map((axis) => h("button", { ...props, dataset: { axis } }, t(`curves.axis_${axis}`))));
  radioGroup(element, "axis", choose);
  return (/** @type {string} */ axis) => markChosen(element, "axis", axis);
}
