// The drop-down of weights.

import { h } from "../core/dom.js";
import { whole } from "../core/format.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { nameOfFile } from "./files.js";

/**
 * The drop-down of weights. `onChoose(id)` is called when the person chooses; refresh(id) reads the list again and shows
 * id as chosen, even when it belongs to somebody else's run and is in nobody's list.
 */
export function weightsSelect(select, onChoose) {
  let known = "";
  select.addEventListener("change", () => onChoose(select.value));

  function fill(list, chosen, title) {
    const groups = [
      ["live", t("latent.group_live")],
      ["run", t("latent.group_run")],
      ["shipped", t("latent.group_shipped")],
    ];
    const options = (group) => list.filter((entry) => entry.group === group).map((entry) => option(entry));
    const parts = groups.map(([group, label]) => ({ label, options: options(group) })).filter((part) => part.options.length);
    if (chosen && !list.some((entry) => entry.id === chosen)) {
      parts.unshift({ label: t("latent.group_open"), options: [option({ id: chosen, title: title ?? chosen })] });
    }
    select.replaceChildren(...parts.map((part) => h("optgroup", { label: part.label }, part.options)));
    select.value = chosen ?? "";
  }

  function option({ id, title, step = undefined }) {
    const words = step === undefined ? title : t("latent.run_option", { title, step: whole(step) });
    return h("option", { value: id }, words);
  }

  return {
    async refresh(chosen, title) {
      const { weights } = await getJSON("weights");
      const words = nameOfFile(chosen) ?? title;
      const now = JSON.stringify([weights, chosen, words]);
      if (now === known || document.activeElement === select) return weights;
      fill(weights, chosen, words);
      known = now;
      return weights;
    },
  };
}
