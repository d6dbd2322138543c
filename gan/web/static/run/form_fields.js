// Fields for settings: a box, a tick, a choice, and their explanations.

import { h, setText } from "../core/dom.js";
import { t } from "../core/text.js";

/** What may be chosen for a setting, as [{name, title, ...}]; empty where it is a number. */
export const choicesOf = (data, knob) => data.tables[knob.name] ?? knob.choices;

/** A setting as the form shows it. */
export function shown(value) {
  if (typeof value === "boolean") return value;
  if (typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3) return value.toExponential().replace("e-0", "e-");
  return String(value);
}

export function typed(id, kind) {
  const element = h("input", {
    id,
    class: "gf-input gf-num",
    type: "text",
    autocomplete: "off",
    spellcheck: false,
    inputMode: kind === "int" ? "numeric" : "decimal",
    "aria-describedby": `${id}-hint`,
  });
  return { element, get: () => element.value.trim(), set: (value) => (element.value = shown(value)) };
}

export function toggle(id) {
  const box = h("input", { id, type: "checkbox", "aria-describedby": `${id}-hint` });
  const element = h("span", { class: "gf-check" }, box);
  return { element, get: () => box.checked, set: (value) => (box.checked = value === true || value === "true") };
}

/** `hint`, where there is one, says what is chosen, or else the help. */
export function choice(id, choices, hint = null, help = "") {
  const options = choices.map(({ name, title }) => h("option", { value: name }, title));
  const element = h("select", { id, class: "gf-select", "aria-describedby": `${id}-hint` }, options);
  const explain = () => hint && setText(hint, choices.find(({ name }) => name === element.value)?.about ?? help);
  const set = (value) => {
    element.value = value;
    explain();
  };
  element.addEventListener("change", explain);
  return { element, get: () => element.value, set };
}

/** A choice whose entries are explained. All explanations lie in one place, so that choosing moves nothing below. */
export function explainedChoice(id, entries) {
  const control = choice(id, entries);
  const texts = entries.map((entry) => h("div", { dataset: { name: entry.name } }, explained(entry)));
  const hint = h("div", { id: `${id}-hint`, class: "gf-explained gf-one-of" }, texts);
  const explain = () => texts.forEach((text) => text.toggleAttribute("data-shown", text.dataset.name === control.get()));
  control.element.addEventListener("change", explain);
  const set = (value) => {
    control.set(value);
    explain();
  };
  return { ...control, set, hint };
}

/** The explanation of a setting that is not a choice, behind a few words. */
export function folded(note) {
  const text = h("div", { class: "gf-explained" }, explained(note));
  return h("details", { class: "gf-what" }, h("summary", {}, t("train.what_it_does")), text);
}

/** Two sentences, the formulas, and where they come from. */
function explained({ about, formulas, source }) {
  const formula = ([whose, math]) =>
    h("div", { class: "gf-formula" }, whose && h("span", { class: "gf-hint" }, t(`train.formula_${whose}`)), mathElement(math));
  return [h("p", {}, about), formulas.map(formula), source && h("p", { class: "gf-hint" }, source)];
}

const mathElement = (math) =>
  document.importNode(new DOMParser().parseFromString(math, "application/xml").documentElement, true);
