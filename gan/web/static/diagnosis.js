// The diagnosis of the run on the screen: one line of a fixed height, and the card it opens to.

import { getJSON, h, setText, t, whole } from "./common.js";

const PACE_MS = 3000; // while a run learns; at once when it has come to rest

export class DiagnosisPanel {
  /** part(name): an element of the tab. onRemedy({remedy, step, cure}): the person wants to try it. */
  constructor(part, onRemedy) {
    this.part = part;
    this.onRemedy = onRemedy;
    this.runId = null;
  }

  /** Another run is on the screen. */
  open(runId) {
    this.runId = runId;
    this.askedAt = -Infinity;
    this.shown = null;
    this.part("diagnosis").open = false;
    this.show({ verdicts: [], cure: null });
  }

  /** Ask anew, but not more often than every few seconds while the run learns. */
  async refresh(running) {
    const { runId } = this;
    const now = performance.now();
    if (running && now - this.askedAt < PACE_MS) return;
    this.askedAt = now;
    const answer = await getJSON(`runs/${runId}/diagnosis`);
    if (runId === this.runId) this.show(answer);
  }

  show(answer) {
    const fingerprint = JSON.stringify(answer);
    if (fingerprint === this.shown) return;
    this.shown = fingerprint;
    const [first, ...others] = answer.verdicts;
    this.part("diagnosis").dataset.severity = first?.severity ?? "early";
    this.part("diagnosis").dataset.kind = first?.kind ?? "";
    setText(this.part("diagnosis-title"), first?.title ?? t("diagnosis.diagnosis_early"));
    setText(this.part("diagnosis-seen"), firstSentence(first?.seen ?? t("diagnosis.diagnosis_early_hint")));
    setText(this.part("diagnosis-more"), this.more(first, others, answer.cure));
    this.part("diagnosis-body").replaceChildren(...this.cards(answer));
  }

  more(first, others, cure) {
    if (!first) return cure ? t("diagnosis.cure_about") : "";
    const words = t(first.severity === "fine" ? "diagnosis.more_fine" : "diagnosis.more_alarm");
    return others.length ? `${words} (${t("diagnosis.diagnosis_others", { count: others.length })})` : words;
  }

  cards({ verdicts, cure }) {
    const cards = verdicts.map((verdict) => this.card(verdict, cure));
    return cure ? [...cards, this.cureCard(cure)] : cards;
  }

  card(verdict, cure) {
    const fine = verdict.severity === "fine";
    const parts = [
      [t(fine ? "diagnosis.numbers" : "diagnosis.seen"), verdict.seen],
      [t("diagnosis.why"), verdict.why],
      [t("diagnosis.try"), verdict.try],
    ];
    const list = parts.map(([name, words]) => h("div", {}, h("dt", {}, name), h("dd", {}, words)));
    const title = h("h3", { class: "gf-diagnosis-title" }, verdict.title);
    // A run that fails on purpose has a cure of its own, which is known to work.
    const remedy = verdict.changes.length && !cure && this.remedy(verdict);
    return h("section", { class: "gf-verdict", dataset: { kind: verdict.kind, severity: verdict.severity } }, title, h("dl", {}, list), remedy);
  }

  remedy({ changes, remedy, fork_step: step }) {
    const words = step ? t("diagnosis.apply", { step: whole(step) }) : t("diagnosis.apply_fresh");
    return action(changes, words, () => this.onRemedy({ runId: this.runId, remedy, step }));
  }

  cureCard({ about, changes, remedy }) {
    const press = () => this.onRemedy({ runId: this.runId, remedy, step: 0 });
    const about_ = h("dl", {}, h("div", {}, h("dt", {}, t("diagnosis.cure_about")), h("dd", {}, about)));
    return h("section", { class: "gf-verdict", dataset: { kind: "cure" } }, about_, action(changes, t("diagnosis.cure"), press));
  }
}

/** The line has room for one sentence; the card holds them all. */
const firstSentence = (text) => text.split(/(?<=\.) (?=[A-Z])/)[0];

/** What would change, and the button that does it. */
function action(changes, words, onclick) {
  const list = changes.map((change) => h("li", { class: "gf-change" }, t("diagnosis.change", change)));
  const button = h("button", { type: "button", class: "gf-btn gf-btn-primary", dataset: { gf: "remedy" }, onclick }, words);
  return h("div", { class: "gf-remedy" }, h("ul", {}, list), button);
}
