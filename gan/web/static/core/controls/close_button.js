// A small cross that takes something away.

import { h } from "../dom.js";

/**
 * @param {string} words what it does
 * @param {() => void} onclick
 */
export const closeButton = (words, onclick) =>
  h("button", { type: "button", class: "gf-btn gf-btn-quiet gf-chart-close", "aria-label": words, title: words, onclick }, "×");
