// The settings of a run as fields: the most turned ones in sight, the others in groups behind a fold.

import { h, setText } from "../core/dom.js";
import { t } from "../core/text.js";
import { choice, explainedChoice, folded, shown, toggle, typed } from "../run/form_fields.js";

const NOT_FOLDED = ["main", "fixed"]; // groups of knobs; every other one is a section behind the fold
const FIRST = ["d_lr", "g_lr", "batch", "total_steps", "seed"];

export class Knobs {
  /** data: boot's knobs, tables and notes. changed(): a person has changed one. */
  constructor(part, data, changed) {
    this.part = part;
    this.data = data;
    this.changed = changed;
    this.fields = new Map(); // knob name -> {element, get, set, box}
    this.build();
  }

  /** All of them as a recipe's config says. */
  fill(config) {
    for (const [name, field] of this.fields) field.set(config[name]);
  }

  get(name) {
    return this.fields.get(name)?.get();
  }

  set(name, value) {
    this.fields.get(name)?.set(value);
  }

  /** What differs from a config, as it was typed: the server says what it cannot use. */
  changes(config) {
    const changed = [...this.fields].filter(([name, field]) => field.get() !== shown(config[name]));
    return Object.fromEntries(changed.map(([name, field]) => [name, field.get()]));
  }

  /** What differs between two configs, likewise. */
  between(config, other) {
    const changed = [...this.fields.keys()].filter((name) => shown(config[name]) !== shown(other[name]));
    return Object.fromEntries(changed.map((name) => [name, shown(config[name])]));
  }

  /** Say which are not as the recipe has them. */
  showChanged(names) {
    for (const [name, field] of this.fields) field.box.toggleAttribute("data-changed", names.includes(name));
    const changedIn = (box) => box.querySelectorAll("[data-changed]").length;
    const more = changedIn(this.part("knobs-more"));
    setText(this.part("more-title"), more ? t("train.more_changed", { count: more }) : t("train.more"));
    for (const section of this.part("knobs-more").children) {
      const count = changedIn(section);
      setText(section.querySelector(".gf-section-changed"), count ? t("train.section_changed", { count }) : "");
    }
  }

  /** Mark the one that is wrong, and bring it into sight; undefined: none is. */
  mark(wanted) {
    for (const [name, { element }] of this.fields) element.setAttribute("aria-invalid", String(name === wanted));
    const box = this.fields.get(wanted)?.box;
    if (!box) return;
    for (let fold = box.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    box.scrollIntoView({ block: "nearest" });
  }

  // ---- the fields ----

  build() {
    const { knobs } = this.data;
    const main = knobs.filter(({ group }) => group === "main").sort((a, b) => rank(a) - rank(b));
    this.part("knobs-main").replaceChildren(...main.map((knob) => this.knob(knob)));
    const groups = [...new Set(knobs.map(({ group }) => group))].filter((group) => !NOT_FOLDED.includes(group));
    this.part("knobs-more").replaceChildren(...groups.map((group) => this.section(group)));
  }

  /** The knobs of one group behind its heading. */
  section(group) {
    const knobs = this.data.knobs.filter((knob) => knob.group === group).map((knob) => this.knob(knob));
    const title = h("summary", {}, t(`train.section_${group}`), h("span", { class: "gf-hint gf-section-changed" }));
    const letters = group === "objective" && h("p", { class: "gf-hint gf-letters" }, t("train.letters"));
    const inside = h("div", { class: "gf-knobs" }, knobs[0], letters, knobs.slice(1));
    return h("details", { class: "gf-section", dataset: { section: group } }, title, inside);
  }

  knob(knob) {
    const id = `gf-knob-${knob.name}`;
    const control = this.control(knob, id);
    const hint = control.hint ?? h("p", { class: "gf-hint", id: `${id}-hint` }, knob.help);
    const label = h("label", { htmlFor: id, title: knob.help }, knob.label);
    const note = this.data.notes[knob.name];
    const look = `gf-field gf-knob${knob.group === "main" ? "" : " gf-knob-more"}`;
    const box = h("div", { class: look, dataset: { knob: knob.name } }, label, control.element, hint, note && folded(note));
    control.element.addEventListener("input", () => this.changed());
    this.fields.set(knob.name, { ...control, box });
    return box;
  }

  control(knob, id) {
    if (knob.kind === "bool") return toggle(id);
    const table = this.data.tables[knob.name];
    if (table) return explainedChoice(id, table);
    return knob.choices.length ? choice(id, knob.choices) : typed(id, knob.kind);
  }
}

/** The knobs people turn most come first, the others stay in the order of the table. */
const rank = ({ name }) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
