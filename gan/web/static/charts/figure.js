// What a chart that a script adds lies in: its title, the place for what its lines are, and the canvas.

import { closeButton } from "../core/controls/close_button.js";
import { h } from "../core/dom.js";
import { t } from "../core/text.js";

/**
 * @param {string} name of the curve, by which the box is found
 * @param {{title: string, hint: string, remove?: false | (() => void)}} what remove: where it can be taken away
 * @returns {{box: HTMLElement, canvas: HTMLCanvasElement, legend: HTMLElement}}
 */
export function chartFigure(name, { title, hint, remove = false }) {
  const canvas = h("canvas", { role: "img", tabIndex: 0, "aria-label": t("train.curve_label", { title }) });
  const legend = h("span", { class: "gf-legend" });
  const close = remove && closeButton(t("curves.remove", { title }), remove);
  const caption = h(
    "figcaption",
    { class: "gf-row", title: hint },
    h("span", { class: "gf-section-title" }, title),
    legend,
    close,
  );
  return { box: h("figure", { class: "gf-figure gf-chart", dataset: { curve: name } }, caption, canvas), canvas, legend };
}
