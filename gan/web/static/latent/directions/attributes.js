// What the picture shows, where the networks were told: a list of values for each attribute. To choose one pushes the numbers
// that vote for it as far as a slider goes.

import { h, setText } from "../../core/dom.js";
import { t } from "../../core/text.js";
import { STRIP } from "../../engine/constants.js";
import { valuesHere } from "../../engine/draw_here.js";
import { moved } from "./amounts.js";

const END = STRIP[STRIP.length - 1]; // of a slider: there the value wins (gan/latent/directions.py)

export class Attributes {
  /** hooks: {state(), about(), isReady(key), pushOf(key), move(change)}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.lists = []; // a select for each attribute
  }

  /** Lists for these weights. */
  build() {
    const { told, attributes } = this.hooks.about();
    this.part("attributes-box").hidden = !told;
    this.lists = told ? attributes.map((attribute, a) => this.listOf(attribute, a)) : [];
    const fields = this.lists.map((list, a) => h("label", { class: "gf-field" }, h("span", {}, attributes[a].title), list));
    this.part("attributes").replaceChildren(...fields);
  }

  /** Which values can be chosen is known once directions are found. */
  offer() {
    for (const list of this.lists) {
      const [, ...options] = list.options;
      for (const option of options) option.hidden = option.disabled = !this.hooks.isReady(option.value);
      list.disabled = options.every((option) => option.disabled);
    }
  }

  listOf({ values }, a) {
    const options = ["", ...values].map((value, i) => h("option", { value: i ? keyOf(a, i - 1) : "" }, value));
    return h("select", { class: "gf-select", onchange: (event) => this.choose(a, event.target.value) }, options);
  }

  /** Lists as the state says: what was chosen, where the picture shows it, else what the noise has. */
  show() {
    if (!this.lists.length) return;
    const { w, spec } = this.hooks.state();
    const pushes = new Map([...spec.pushes].filter(([key]) => !this.lists.some((_, a) => isOf(key, a))));
    const [shown, noise] = [valuesHere(w, spec), valuesHere(w, spec.with({ pushes }))]; // null where only the server draws
    this.lists.forEach((list, a) => {
      const [byNoise, ...options] = list.options;
      const value = noise && options[noise[a]]?.text;
      setText(byNoise, value ? t("latent.attribute_of_noise", { value }) : t("latent.attribute_by_noise"));
      const isChosen = ({ value: key }, i) => spec.pushes.get(key)?.amount > 0 && (!shown || shown[a] === i);
      const chosen = options.find(isChosen)?.value ?? "";
      if (list.value !== chosen) list.value = chosen;
    });
  }

  choose(a, key) {
    let { spec } = this.hooks.state();
    const before = [...spec.pushes.keys()].filter((other) => isOf(other, a));
    for (const other of before) spec = spec.with(moved(spec, other, 0, null));
    if (key) spec = spec.with(moved(spec, key, END, this.hooks.pushOf(key)));
    this.hooks.move({ pushes: spec.pushes });
  }
}

const keyOf = (a, value) => `attribute-${a}-${value}`;
const isOf = (key, a) => key.startsWith(`attribute-${a}-`);
