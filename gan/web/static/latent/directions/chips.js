// The choice of directions: a chip for each, pressed when it has a slider.

import { h } from "../../core/dom.js";
import { t } from "../../core/text.js";
import { KINDS } from "./catalog.js";

export class Chips {
  /** hooks: {toggle(key), forget(key): one's own is deleted, aboutKind(kind)}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    part("choose").addEventListener("click", () => this.fold(!part("chips-box").hidden));
  }

  fold(hidden) {
    this.part("chips-box").hidden = hidden;
    this.part("choose").setAttribute("aria-expanded", String(!hidden));
  }

  /** entries: [{key, kind, name, title, value, pressed}]; title and value: of the attribute that one is about. */
  show(entries) {
    const groups = KINDS.map((kind) => [kind, entries.filter((entry) => entry.kind === kind)]);
    const boxes = groups.filter(([, group]) => group.length).map(([kind, group]) => this.group(kind, group));
    this.part("chips").replaceChildren(...boxes);
  }

  group(kind, entries) {
    const titles = [...new Set(entries.map(({ title }) => title))];
    const rows = titles.map((title) => this.row(title, entries));
    return h("div", {}, h("p", { class: "gf-hint" }, this.hooks.aboutKind(kind)), rows);
  }

  /** Those of one attribute, after its name. */
  row(title, entries) {
    const chips = entries.filter((entry) => entry.title === title).map((entry) => this.chip(entry));
    const row = h("div", { class: "gf-row gf-chip-row" }, chips);
    return title ? h("div", { class: "gf-chip-named" }, h("span", { class: "gf-hint" }, title), row) : row;
  }

  chip({ key, kind, name, value, pressed }) {
    const props = { type: "button", class: "gf-btn gf-btn-mini gf-chip", dataset: { key } };
    const button = h("button", { ...props, onclick: () => this.hooks.toggle(key) }, value ?? name);
    if (value) button.setAttribute("aria-label", name);
    button.setAttribute("aria-pressed", String(pressed));
    if (kind !== "own") return button;
    const remove = h("button", { type: "button", class: "gf-chip-remove", onclick: () => this.hooks.forget(key) }, "×");
    remove.setAttribute("aria-label", t("latent.forget", { name: key }));
    return h("span", { class: "gf-chip-own" }, button, remove);
  }
}
