// "Fork this run with ...": a new run that begins where another was, with one setting changed.

import { h, setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { notify } from "../core/notice.js";
import { t } from "../core/text.js";
import { owns } from "../core/tokens.js";
import { forkRun } from "../run/fork.js";
import { choice, choicesOf, toggle, typed } from "../run/form_fields.js";

const FIRST_KNOB = "g_lr";

export class ForkForm {
  /** hooks: {tracks() -> shown runs, full() -> no room for one more, made(id)}. */
  constructor(part, data, hooks) {
    this.part = part;
    this.data = data;
    this.hooks = hooks;
    const changeable = data.knobs.filter(({ in_forks: may }) => may);
    this.knobs = [...changeable.filter(({ group }) => group === "main"), ...changeable.filter(({ group }) => group !== "main")];
    part("fork-knob").replaceChildren(...this.knobs.map(({ name, label }) => h("option", { value: name }, label)));
    part("fork-knob").value = FIRST_KNOB;
    part("fork-knob").addEventListener("change", () => this.showValue());
    part("fork-run").addEventListener("change", () => this.showRun());
    part("fork-close").addEventListener("click", () => (part("fork").hidden = true));
    part("fork").addEventListener("submit", (event) => this.submit(event));
  }

  get track() {
    return this.hooks.tracks().find(({ id }) => id === this.part("fork-run").value);
  }

  get knob() {
    return this.knobs.find(({ name }) => name === this.part("fork-knob").value);
  }

  /** Show the form for a run, from a step (undefined: the newest). */
  open(runId, from) {
    this.part("fork").hidden = false;
    this.refresh();
    this.part("fork-run").value = runId;
    this.showRun(from);
    this.part("fork").scrollIntoView({ block: "nearest" });
    this.part("fork-value").querySelector("input, select")?.focus({ preventScroll: true });
  }

  /** The shown runs have changed, or the status of one. */
  refresh() {
    if (this.part("fork").hidden) return;
    const { value } = this.part("fork-run");
    const tracks = this.hooks.tracks();
    if (!tracks.length) {
      this.part("fork").hidden = true;
      return;
    }
    this.part("fork-run").replaceChildren(...tracks.map(({ id, meta }) => h("option", { value: id }, meta.title)));
    this.part("fork-run").value = tracks.some(({ id }) => id === value) ? value : tracks[0].id;
    this.showPause();
    this.showStates(this.part("fork-from").value);
  }

  async showRun(from = "") {
    const { track } = this;
    const select = this.part("fork-from");
    this.showStates(from);
    this.showValue();
    this.showPause();
    const { value: shown } = select;
    await track.follower.describe().catch((error) => this.showError(error.message)); // which states are kept changes while it trains
    if (track === this.track) this.showStates(select.value === shown ? from : select.value); // the visitor may have chosen by now
  }

  showStates(wanted) {
    const { states, checkpoint_step: newest, best_step: best } = this.track.meta;
    const early = states.filter((step) => step > 0 && step < newest && step !== best).reverse();
    const options = early.map((step) => h("option", { value: step }, t("compare.fork_step", { step: whole(step) })));
    if (best !== null && best !== newest)
      options.unshift(h("option", { value: best }, t("compare.fork_best", { step: whole(best) })));
    if (newest !== null) options.unshift(h("option", { value: "" }, t("compare.fork_newest", { step: whole(newest) })));
    options.push(h("option", { value: 0 }, t("compare.fork_scratch")));
    const select = this.part("fork-from");
    select.replaceChildren(...options);
    select.value = wanted ?? "";
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  }

  showValue() {
    const { knob, track } = this;
    const hint = this.part("fork-hint");
    setText(hint, knob.help);
    this.control = controlFor(this.data, knob, hint);
    this.control.set(track.meta.config[knob.name]);
    this.part("fork-value").replaceChildren(this.control.element);
    this.showError("");
  }

  showPause() {
    const { track } = this;
    const pauses = track.status === "running" && owns(track.id);
    this.part("fork-pauses").hidden = !pauses;
    setText(this.part("fork-pauses"), pauses ? t("compare.fork_pauses", { title: track.meta.title }) : "");
  }

  showError(sentence) {
    this.part("fork-error").hidden = !sentence;
    setText(this.part("fork-error"), sentence);
  }

  async submit(event) {
    event.preventDefault();
    const { track, knob } = this;
    if (this.hooks.full()) {
      this.showError(t("compare.full"));
      return;
    }
    const go = this.part("fork-go");
    const { value } = this.part("fork-from");
    go.disabled = true;
    setText(go, t("compare.forking"));
    this.showError("");
    try {
      const id = await forkRun(track.id, { [knob.name]: this.control.get() }, value === "" ? null : Number(value));
      await this.hooks.made(id);
      this.part("fork").hidden = true;
      notify(t("compare.forked"));
    } catch (error) {
      this.showError(error.message);
    } finally {
      go.disabled = false;
      setText(go, t("compare.fork_button"));
    }
  }
}

function controlFor(data, knob, hint) {
  const id = "gf-fork-value";
  if (knob.kind === "bool") return toggle(id);
  const choices = choicesOf(data, knob);
  return choices.length ? choice(id, choices, hint, knob.help) : typed(id, knob.kind);
}
