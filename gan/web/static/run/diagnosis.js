// The diagnosis of a run: what is asked of the server and when, its line in words, and the card that the line opens to.

import { h, setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { newestWins } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";

const PACE_MS = 3000; // while a run learns; at once when it has come to rest
const PAST_MS = 200; // between two moments, while a hand or the playback runs through them

/** The verdicts on one run, as the server finds them. */
export class Verdicts {
  constructor(runId) {
    this.runId = runId;
    this.askedAt = -Infinity;
  }

  /** {verdicts, cure} at a step; null: now. */
  ask(step = null) {
    return getJSON(`runs/${this.runId}/diagnosis${step === null ? "" : `?step=${step}`}`);
  }

  /** Ask anew; null where the run learns and was asked about a moment ago. */
  async renew(running) {
    const now = performance.now();
    if (running && now - this.askedAt < PACE_MS) return null;
    this.askedAt = now;
    return this.ask();
  }
}

/** What comes first, in a line: {kind, severity, title, seen}; both: the titles of all, and the moment. */
export function firstLine({ verdicts, step }) {
  const early = {
    kind: "",
    severity: "early",
    title: t("diagnosis.diagnosis_early"),
    seen: t("diagnosis.diagnosis_early_hint"),
  };
  const { kind, severity, title, seen } = verdicts[0] ?? early;
  const both = verdicts.map((verdict) => verdict.title).join(" · ") || title;
  return { kind, severity, title, both: atStep(both, step), seen };
}

export class DiagnosisPanel {
  /** part(name): an element of the tab. onRemedy({runId, remedy, step}): the person wants to try it. */
  constructor(part, onRemedy) {
    this.part = part;
    this.onRemedy = onRemedy;
    this.verdicts = null;
    this.step = null; // the moment that is looked at; null: now
    this.askPast = newestWins(() => this.fetchPast());
  }

  /** Another run is on the screen. */
  open(runId) {
    this.verdicts = new Verdicts(runId);
    this.step = null;
    this.shown = null;
    this.part("diagnosis").open = false;
    this.show({ verdicts: [], cure: null });
  }

  /** Another moment of the run is looked at: the verdict is that moment's. */
  moment(step) {
    if (step === this.step || !this.verdicts) return;
    this.step = step;
    this.askPast();
  }

  async fetchPast() {
    await this.fetch(() => this.verdicts.ask(this.step));
    await new Promise((passed) => setTimeout(passed, PAST_MS));
  }

  /** Ask anew, but not more often than every few seconds while the run learns. */
  async refresh(running) {
    if (this.step === null) await this.fetch(() => this.verdicts.renew(running));
  }

  async fetch(ask) {
    const { verdicts, step } = this;
    const answer = await ask().catch((error) => {
      if (!error.details?.gone) throw error;
    });
    if (answer && verdicts === this.verdicts && step === this.step) this.show({ ...answer, step });
  }

  show(answer) {
    const fingerprint = JSON.stringify(answer);
    if (fingerprint === this.shown) return;
    this.shown = fingerprint;
    const { kind, severity, both, seen } = firstLine(answer);
    Object.assign(this.part("diagnosis").dataset, { kind, severity });
    setText(this.part("diagnosis-title"), both);
    setText(this.part("diagnosis-seen"), firstSentence(seen));
    setText(this.part("diagnosis-more"), this.more(answer.verdicts[0], answer.cure));
    this.part("diagnosis-body").replaceChildren(...this.cards(answer));
  }

  more(first, cure) {
    if (!first) return cure ? t("diagnosis.cure_about") : "";
    return t(first.severity === "fine" ? "diagnosis.more_fine" : "diagnosis.more_alarm");
  }

  cards({ verdicts, cure }) {
    const cards = verdicts.map((verdict) => this.card(verdict, cure));
    return cure ? [...cards, this.cureCard(cure)] : cards;
  }

  card(verdict, cure) {
    const fine = verdict.severity === "fine";
    const parts = [
      [t(fine ? "diagnosis.numbers" : "diagnosis.seen"), verdict.seen],
      [t("diagnosis.sure"), verdict.sure],
      [t("diagnosis.why"), verdict.why],
      [t("diagnosis.try"), verdict.try],
    ];
    const list = parts.filter(([, words]) => words).map(([name, words]) => h("div", {}, h("dt", {}, name), h("dd", {}, words)));
    const title = h("h3", { class: "gf-diagnosis-title" }, verdict.title);
    // A run that fails on purpose has a cure of its own, which is known to work.
    const remedy = verdict.changes.length > 0 && !cure && this.remedy(verdict);
    return h(
      "section",
      { class: "gf-verdict", dataset: { kind: verdict.kind, severity: verdict.severity } },
      title,
      h("dl", {}, list),
      remedy,
    );
  }

  remedy(verdict) {
    const { changes, remedy, fork_step: step } = verdict;
    const words = step ? t("diagnosis.apply", { step: whole(step) }) : t("diagnosis.apply_fresh");
    const box = action(changes, words, () => this.onRemedy({ runId: this.verdicts.runId, remedy, step }));
    if (verdict.everything_changes.length) box.append(...this.everything(verdict));
    return box;
  }

  /** More than the two things that are furthest off. */
  everything({ changes: first, everything: remedy, everything_step: step, everything_changes: changes }) {
    const onclick = () => this.onRemedy({ runId: this.verdicts.runId, remedy, step });
    const from = step ? "everything" : "everything_fresh";
    const words = t(`diagnosis.${from}`, { count: changes.length, step: whole(step) });
    const rest = changes.filter(({ label }) => !first.some((change) => change.label === label));
    return [
      listed(rest),
      h("button", { type: "button", class: "gf-btn", dataset: { gf: "remedy-everything" }, onclick }, words),
    ];
  }

  cureCard({ about, changes, remedy }) {
    const press = () => this.onRemedy({ runId: this.verdicts.runId, remedy, step: 0 });
    const about_ = h("dl", {}, h("div", {}, h("dt", {}, t("diagnosis.cure_about")), h("dd", {}, about)));
    return h(
      "section",
      { class: "gf-verdict", dataset: { kind: "cure" } },
      about_,
      action(changes, t("diagnosis.cure"), press),
    );
  }
}

/** The line has room for one sentence; the card holds them all. */
export const firstSentence = (text) => text.split(/(?<=\.) (?=[\p{Lu}¿¡«„])/u)[0];

const atStep = (title, step) => (Number.isFinite(step) ? t("diagnosis.diagnosis_at", { title, step: whole(step) }) : title);

/** What would change, and the button that does it. */
function action(changes, words, onclick) {
  const button = h("button", { type: "button", class: "gf-btn gf-btn-primary", dataset: { gf: "remedy" }, onclick }, words);
  return h("div", { class: "gf-remedy" }, listed(changes), button);
}

const listed = (changes) =>
  h(
    "ul",
    {},
    changes.map((change) => h("li", { class: "gf-change" }, t("diagnosis.change", change))),
  );
