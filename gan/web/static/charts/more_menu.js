// The menu of curves that somebody can add to those that are always shown, and take away again.

import { h } from "../core/dom.js";
import { t } from "../core/text.js";

/** @typedef {{name: string, title: string, isShown: boolean}} Offered a curve of the menu */

/**
 * toggle(name) is called for what somebody chooses. Returned is show(offered); where nothing is, there is no menu.
 *
 * @param {HTMLSelectElement} select
 * @param {(name: string) => void} toggle
 */
export function moreMenu(select, toggle) {
  let shown = "";
  select.addEventListener("change", () => {
    const name = select.value;
    select.value = "";
    if (name) toggle(name);
  });
  return (/** @type {Offered[]} */ offered) => {
    const fingerprint = JSON.stringify(offered);
    if (fingerprint === shown) return; // a menu that is open stays as it is
    shown = fingerprint;
    const options = offered.map(({ name, title, isShown }) => h("option", { value: name }, `${isShown ? "✓ " : ""}${title}`));
    select.replaceChildren(h("option", { value: "" }, t("curves.more")), ...options);
    select.hidden = !offered.length;
  };
}
