// Which runs can be added to the comparison: one of a menu, or what somebody pastes.

import { h } from "../core/dom.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { recordingOf, recordings } from "../run/recordings.js";
import { runIdIn } from "./names.js";

export class Adding {
  /** data: boot's answer. hooks: {shows(id), add(id) -> Promise, say(sentence)}. */
  constructor(part, data, hooks) {
    this.part = part;
    this.recordings = recordings(data);
    this.hooks = hooks;
    this.mine = [];
    part("add").addEventListener("change", () => this.chosen());
    part("paste").addEventListener("submit", (event) => this.pasted(event));
    part("begin").addEventListener("click", () => hooks.add(recordingOf(data)));
    part("begin").hidden = !this.recordings.length;
  }

  async refresh() {
    this.mine = (await getJSON("runs")).runs;
    this.show();
  }

  /** The menu, without the runs that are shown. */
  show() {
    const offers = [...this.mine.map(({ id, title }) => ({ id, title })), ...this.recordings];
    const left = offers.filter(({ id }) => !this.hooks.shows(id));
    const fingerprint = JSON.stringify(left);
    if (fingerprint === this.offered || document.activeElement === this.part("add")) return;
    this.offered = fingerprint;
    const options = left.map(({ id, title }) => h("option", { value: id }, title));
    this.part("add").replaceChildren(h("option", { value: "" }, t("compare.add")), ...options);
  }

  chosen() {
    const select = this.part("add");
    const { value } = select;
    select.value = "";
    select.blur();
    if (value) this.hooks.add(value);
  }

  async pasted(event) {
    event.preventDefault();
    const runId = runIdIn(this.part("paste-field").value);
    if (!runId) {
      this.hooks.say(t("compare.not_a_run"));
      return;
    }
    await this.hooks.add(runId);
    if (this.hooks.shows(runId)) this.part("paste-field").value = "";
  }
}
