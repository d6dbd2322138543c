// A round: one picture after the other, against the clock.

import { setText } from "../core/dom.js";
import { t } from "../core/text.js";

const SECONDS = 5; // for each picture
const LOOK_MS = 250; // whether somebody looks again
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
    this.clock = true;
    part("real").addEventListener("click", () => this.answer(true));
    part("fake").addEventListener("click", () => this.answer(false));
  }

  /** inWords(verdict): D's, for people. clock: whether time is short. */
  start(questions, inWords, clock) {
    this.stop();
    Object.assign(this, { questions, inWords, clock, answers: [] });
    this.part("clock").hidden = !clock;
    this.ask();
    this.part("real").focus({ preventScroll: true });
  }

  /** Nothing is asked any more. */
  stop() {
    clearTimeout(this.timer);
    this.asking = null;
  }

  /** For who looks elsewhere, time does not pass. */
  ask() {
    if (!this.hooks.seen()) {
      this.timer = setTimeout(() => this.ask(), LOOK_MS);
      return;
    }
    const question = this.questions[this.answers.length];
    this.asking = question;
    setText(this.part("number"), t("game.number", { i: this.answers.length + 1, total: this.questions.length }));
    setText(this.part("feedback"), "");
    this.part("play").dataset.right = "";
    this.picture.show(question);
    if (!this.clock) return;
    this.run();
    this.timer = setTimeout(() => (this.hooks.seen() ? this.answer(null) : this.ask()), 1000 * SECONDS);
  }

  /** The clock begins anew; where somebody wants no motion it goes in seconds. */
  run() {
    const bar = this.part("clock-bar");
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    for (const animation of bar.getAnimations()) animation.cancel();
    bar.animate([{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }], {
      duration: 1000 * SECONDS,
      fill: "forwards",
      easing: calm ? `steps(${SECONDS})` : "linear",
    });
  }

  key(event) {
    if (!this.asking || !(event.key in KEYS) || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!this.part("play").contains(event.target) && event.target !== document.body) return; // arrows of a tab or a menu
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
    const how = d === real ? "game.d_right" : real ? "game.d_wrong_real" : "game.d_wrong_fake";
    return `${mine} ${what} ${t(how, { verdict: this.inWords(verdict) })}`;
  }

  next() {
    if (this.answers.length < this.questions.length) this.ask();
    else this.hooks.done(this.answers);
  }
}
