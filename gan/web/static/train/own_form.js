// How own pictures are to be prepared: their size, their colours, and how they are made square.

import { h } from "../core/dom.js";
import { t } from "../core/text.js";

const NAMES = ["size", "channels", "fit"];

/** Whether two values of the form are the same. */
export const sameForm = (one, other) => NAMES.every((name) => one[name] === other[name]);

export class OwnForm {
  /** offered: boot's `pictures`. changed(): a person has chosen something else. */
  constructor(part, { sizes, fits, usual }, changed) {
    this.usual = usual; // sizes, by the number of channels
    this.sized = false; // a person has chosen a size
    this.fields = NAMES.map((name) => part(`own-${name}`));
    this.about = part("own-fit-about");
    const [size, channels, fit] = this.fields;
    const entries = (values, words) => values.map((value) => h("option", { value }, words(value)));
    size.replaceChildren(...entries(sizes, (side) => `${side} × ${side}`));
    fit.replaceChildren(...entries(fits, (name) => t(`train.fit_${name}`)));
    this.about.replaceChildren(...fits.map((name) => h("div", { dataset: { name } }, t(`train.fit_${name}_about`))));
    size.addEventListener("change", () => (this.sized = true));
    channels.addEventListener("change", () => {
      if (!this.sized) size.value = usual[channels.value];
    });
    for (const field of this.fields)
      field.addEventListener("change", () => {
        this.explain();
        changed();
      });
  }

  /** {size, channels, fit} */
  get value() {
    const [size, channels, fit] = this.fields.map(({ value }) => value);
    return { size: Number(size), channels: Number(channels), fit };
  }

  /** What is not given stays. */
  fill(value) {
    NAMES.forEach((name, i) => (this.fields[i].value = value[name] ?? this.fields[i].value));
    this.explain();
  }

  disable(disabled) {
    for (const field of this.fields) field.disabled = disabled;
  }

  /** All explanations lie in one place, so that choosing moves nothing below. */
  explain() {
    for (const about of this.about.children) about.toggleAttribute("data-shown", about.dataset.name === this.value.fit);
  }
}
