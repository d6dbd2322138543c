// Which class is drawn.

import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { h } from "../core/dom.js";

/**
 * The classes of conditional weights: buttons in a radio group, or, where there is little room and the names are long, a
 * drop-down. onChoose(number).
 */
export function classChooser(box, about, chosen, onChoose, narrow = false) {
  const short = about.class_names.every((name) => name.length <= 2);
  box.hidden = !about.classes;
  box.classList.toggle("gf-classes-short", short);
  box.setAttribute("role", narrow && !short ? "group" : "radiogroup");
  if (narrow && !short) classList(box, about.class_names, chosen, onChoose);
  else classButtons(box, about.class_names, chosen, onChoose);
}

function classList(box, names, chosen, onChoose) {
  const options = names.map((name, label) => h("option", { value: label, selected: label === chosen }, name));
  const props = { class: "gf-select", "aria-label": box.getAttribute("aria-label") };
  box.replaceChildren(h("select", { ...props, onchange: (event) => onChoose(Number(event.target.value)) }, options));
}

function classButtons(box, names, chosen, onChoose) {
  const props = { type: "button", class: "gf-btn gf-class", role: "radio" };
  box.replaceChildren(...names.map((name, label) => h("button", { ...props, dataset: { label } }, name)));
  markChosen(box, "label", String(chosen));
  radioGroup(box, "label", (label) => {
    markChosen(box, "label", label);
    onChoose(Number(label));
  });
}
