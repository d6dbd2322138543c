// A round: one picture after the other, against the clock.

import { setText } from "../core/dom.js";
import { t } from "../core/text.js";

const SECONDS = 5; // for each picture
const SHOWN_MS = 900; // so long stands what was right
const KEYS = { ArrowLeft: true, ArrowRight: false };

export class Round {
  /** hooks: {done(answers): each question with `right`, seen(): whether somebody looks}. */
  constructor(part, picture, hooks) {
    this.part = part;
    this.picture = picture;
    this.hooks = hooks;
    /** @type {import("./questions.js").Question[]} */
    this.questions = [];
    /** @type {(import("./questions.js").Question & {right: boolean})[]} */
    this.answers = [];
    this.inWords = String;
    part("real").addEventListener("click", () => this.answer(true));
    part("fake").addEventListener("click", () => this.answer(false));
  }

  /** inWords(verdict): D's, for people. */
  start(questions, inWords) {
    this.stop();
    Object.assign(this, { questions, inWords, answers: [] });
    this.ask();
  }

  /** Nothing is asked any more. */
  stop() {
    clearTimeout(this.timer);
    this.asking = null;
  }

  ask() {
    const question = this.questions[this.answers.length];
    this.asking = question;
    setText(this.part("number"), t("game.number", { i: this.answers.length + 1, total: this.questions.length }));
    setText(this.part("feedback"), "");
    this.part("play").dataset.right = "";
    this.picture.show(question);
    this.run();
    this.timer = setTimeout(() => this.timeUp(), 1000 * SECONDS);
  }

  /** For who looks elsewhere, time does not pass. */
  timeUp() {
    if (this.hooks.seen()) this.answer(null);
    else this.ask();
  }

  /** The clock begins anew: without motion where somebody wants none, it only ends. */
  run() {
    const bar = this.part("clock-bar");
    bar.getAnimations().forEach((animation) => animation.cancel());
    bar.animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], { duration: 1000 * SECONDS, fill: "forwards" });
  }

  key(event) {
    if (!this.asking || !(event.key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.answer(KEYS[event.key]);
  }

  /** isReal: null where time was up. */
  answer(isReal) {
    const question = this.asking;
    if (!question) return;
    this.stop();
    for (const animation of this.part("clock-bar").getAnimations()) animation.pause();
    const right = isReal === question.real;
    this.answers.push({ ...question, right });
    this.part("play").dataset.right = String(right);
    setText(this.part("feedback"), this.feedback(question, isReal, right));
    this.timer = setTimeout(() => this.next(), SHOWN_MS);
  }

  feedback({ real, verdict, d }, isReal, right) {
    const mine = isReal === null ? t("game.slow") : t(right ? "game.right" : "game.wrong");
    const what = t(real ? "game.it_was_real" : "game.it_was_fake");
    return `${mine} ${what} ${t(d === real ? "game.d_right" : "game.d_wrong", { verdict: this.inWords(verdict) })}`;
  }

  next() {
    if (this.answers.length < this.questions.length) this.ask();
    else this.hooks.done(this.answers);
  }
}
