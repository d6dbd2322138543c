// The choice of directions: a chip for each, pressed when it has a slider.

import { h } from "../../core/dom.js";
import { t } from "../../core/text.js";
import { KINDS } from "./catalog.js";

export class Chips {
  /** hooks: {toggle(key), forget(key): one's own is deleted}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    part("choose").addEventListener("click", () => this.fold(!part("chips-box").hidden));
  }

  fold(hidden) {
    this.part("chips-box").hidden = hidden;
    this.part("choose").setAttribute("aria-expanded", String(!hidden));
  }

  /** entries: [{key, kind, name, pressed}]. */
  show(entries) {
    const groups = KINDS.map((kind) => [kind, entries.filter((entry) => entry.kind === kind)]);
    const boxes = groups.filter(([, group]) => group.length).map(([kind, group]) => this.group(kind, group));
    this.part("chips").replaceChildren(...boxes);
  }

  group(kind, entries) {
    const label = h("p", { class: "gf-hint" }, t(`latent.kind_${kind}`));
    const chips = entries.map((entry) => this.chip(entry));
    return h("div", {}, label, h("div", { class: "gf-row gf-chip-row" }, chips));
  }

  chip({ key, kind, name, pressed }) {
    const props = { type: "button", class: "gf-btn gf-btn-mini gf-chip", dataset: { key } };
    const button = h("button", { ...props, onclick: () => this.hooks.toggle(key) }, name);
    button.setAttribute("aria-pressed", String(pressed));
    if (kind !== "own") return button;
    const remove = h("button", { type: "button", class: "gf-chip-remove", onclick: () => this.hooks.forget(key) }, "×");
    remove.setAttribute("aria-label", t("latent.forget", { name: key }));
    return h("span", { class: "gf-chip-own" }, button, remove);
  }
}
