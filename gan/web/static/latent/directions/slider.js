// The slider of one direction, with its lock and the strip of pictures under it.

import { lockIcon } from "../../core/controls/icons.js";
import { h, setText } from "../../core/dom.js";
import { percentOf, signed } from "../../core/format.js";
import { t } from "../../core/text.js";
import { isNumber } from "../../engine/latent_spec.js";
import { amountAt, drawStrip, LIMIT } from "./strips.js";

export class DirectionSlider {
  /** title: what kind of direction it is. hooks: {push(amount), lock()}. */
  constructor({ key, name, title }, hooks) {
    this.key = key;
    this.name = name;
    this.make(`gf-direction-${key}`, title);
    this.input.addEventListener("input", () => hooks.push(Number(this.input.value)));
    this.zero.addEventListener("click", () => hooks.push(0));
    this.lock.addEventListener("click", () => hooks.lock());
    this.strip.addEventListener("click", (event) => hooks.push(amountAt(this.strip, event)));
  }

  make(id, title) {
    const range = { min: -LIMIT, max: LIMIT, step: 0.05 };
    this.input = h("input", { type: "range", id, class: "gf-slider gf-both-ways", ...range });
    this.zero = h("button", { type: "button", class: "gf-value gf-num", title: t("latent.to_zero") });
    this.lock = h("button", { type: "button", class: "gf-lock", title: t("latent.lock_hint") }, lockIcon());
    this.lock.setAttribute("aria-label", t("latent.lock", { name: this.name }));
    this.strip = h("canvas", { class: "gf-canvas gf-along", "aria-hidden": "true", title: t("latent.strip_hint") });
    this.share = h("span", { class: "gf-hint gf-num" });
    const label = h("label", { htmlFor: id, title }, this.name, isNumber(this.key) && [" ", this.share]);
    const parts = [label, this.lock, this.zero, this.input, this.strip];
    this.element = h("div", { class: "gf-direction", dataset: { gf: "direction", key: this.key } }, parts);
  }

  /** share: how much of the variance is along it, where that is known. */
  show({ amount, ready, locked, share }) {
    this.input.disabled = this.lock.disabled = !ready;
    this.input.value = amount;
    this.input.style.setProperty("--gf-at", `${(50 * amount) / LIMIT + 50}%`);
    setText(this.zero, signed(amount));
    this.zero.setAttribute("aria-label", t("latent.value_name", { name: this.name, value: signed(amount) }));
    this.zero.classList.toggle("gf-is-set", amount !== 0);
    this.lock.setAttribute("aria-pressed", String(locked));
    setText(this.share, share === undefined ? "" : `(${percentOf(share, share < 0.095 ? 1 : 0)})`);
  }

  /** Strip number i of some. */
  draw(strips, i) {
    drawStrip(this.strip, strips, i);
  }
}
