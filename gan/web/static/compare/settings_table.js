// In which settings the compared runs differ.

import { h, setText } from "../core/dom.js";
import { t } from "../core/text.js";
import { choicesOf, shown } from "../run/form_fields.js";
import { swatch } from "./columns.js";

const NEVER_DIFFER = ["recipe"]; // the titles say it

/** table, same: its element, and that of the sentence in its place. data: what the page knows of settings. */
export function showSettings(table, same, tracks, data) {
  const rows = data.knobs
    .filter(({ name }) => !NEVER_DIFFER.includes(name))
    .map((knob) => ({ knob, values: tracks.map(({ meta }) => settingShown(data, knob, meta.config[knob.name])) }))
    .filter(({ values }) => new Set(values).size > 1);
  same.hidden = rows.length > 0;
  setText(same, t(tracks.length > 1 ? "compare.settings_same" : "compare.one_only"));
  const heads = tracks.map(({ meta }, i) => h("th", { scope: "col" }, swatch(i), " ", meta.title));
  const head = h("tr", {}, h("th", { scope: "col" }, t("compare.setting")), heads);
  table.hidden = !rows.length;
  table.replaceChildren(h("thead", {}, head), h("tbody", {}, rows.map(row)));
}

function row({ knob, values }) {
  const name = h("th", { scope: "row", title: knob.help }, knob.label);
  const cells = values.map((value) => h("td", { class: "gf-num" }, value));
  return h("tr", { dataset: { knob: knob.name } }, name, cells);
}

function settingShown(data, knob, value) {
  if (typeof value === "boolean") return t(value ? "common.yes" : "common.no");
  return choicesOf(data, knob).find(({ name }) => name === value)?.title ?? shown(value);
}
