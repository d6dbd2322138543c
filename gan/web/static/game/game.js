// The Game tab: people against the discriminator. Which picture is real? And who draws what it takes for real?

import { onState, openTab, readState, writeState } from "../core/address.js";
import { start } from "../core/boot.js";
import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { h, setText } from "../core/dom.js";
import { percentOf, whole } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { api, getJSON, postJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { ownsAll } from "../core/tokens.js";
import { followerOf } from "../run/follower.js";
import { recordings } from "../run/recordings.js";
import { scoresInWords, showScores } from "../run/scores.js";
import { shownMoment } from "../run/shown_run.js";
import { Drawing } from "./drawing.js";
import { Picture } from "./picture.js";
import { questions } from "./questions.js";
import { Round } from "./round.js";

const MINE = "mine"; // the run of the Train tab
const MODES = ["tell", "draw"]; // telling real from generated pictures, and drawing

export function mount(element) {
  start((data) => new GameTab(element.querySelector(".gf-game") ?? element, data).begin());
}

class GameTab {
  constructor(root, data) {
    this.data = data;
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.picture = new Picture(this.part("picture"));
    this.round = new Round(this.part, this.picture, {
      done: (answers) => this.ended(answers),
      seen: () => visibleTab() === "game" && this.mode === "tell" && !document.hidden,
    });
    this.drawing = new Drawing(this.part, (run) => !this.known.some(({ id }) => id === run));
    this.follower = null;
    this.mode = MODES[0];
    this.preparing = false;
    this.subscriber = { tab: "game", changed: (change) => change.has("frames") && this.showBegin() };
  }

  async begin() {
    const { part } = this;
    this.known = recordings(this.data);
    part("run").addEventListener("change", () => this.choose(part("run").value));
    part("begin").addEventListener("click", () => this.play());
    part("again").addEventListener("click", () => this.play());
    part("watch").addEventListener("click", () => openTab("train", { run: this.follower.runId }));
    part("forget").addEventListener("click", () => this.forget());
    radioGroup(part("modes"), "mode", (mode) => {
      this.showMode(mode);
      this.remember();
    });
    document.addEventListener("keydown", (event) => visibleTab() === "game" && this.round.key(event));
    onState("game", (state) => this.open(state));
    await this.open(readState("game"));
  }

  async open(state) {
    this.showMode(MODES.includes(state.mode) ? state.mode : MODES[0]);
    const first = this.known.find(({ id }) => id === "recorded") ?? this.known[0];
    await this.choose(state.run ?? first?.id ?? MINE);
  }

  /** Play with the pictures of a run. */
  async choose(chosen) {
    const runId = chosen === MINE ? shownMoment().run : chosen;
    if (!runId) return;
    this.wanted = runId;
    try {
      const follower = await followerOf(runId);
      if (this.wanted !== runId) return; // another was chosen meanwhile
      this.follower?.unsubscribe(this.subscriber);
      this.follower = follower;
      follower.subscribe(this.subscriber);
    } catch (error) {
      notify(error.message, "error");
      return;
    }
    this.fillMenu(runId);
    this.remember();
    this.round.stop();
    this.show("before");
    this.showBegin();
    await this.showScores();
  }

  showMode(mode) {
    if (mode !== this.mode) {
      this.round.stop();
      this.show("before");
    }
    this.mode = mode;
    markChosen(this.part("modes"), "mode", mode);
    for (const each of MODES) this.part(each).hidden = each !== mode;
    if (mode === "draw") this.drawing.open();
  }

  /** In the address: whose pictures, and drawing where that is played. */
  remember() {
    const run = this.follower ? { run: this.follower.runId } : {};
    writeState("game", this.mode === "draw" ? { ...run, mode: this.mode } : run);
  }

  /** A young run has something to ask as soon as it has a few frames. */
  showBegin() {
    if (!this.preparing) this.part("begin").disabled = !this.asked().length;
  }

  fillMenu(runId) {
    const offers = this.known.some(({ id }) => id === runId)
      ? this.known
      : [{ id: runId, title: this.follower.meta.title }, ...this.known];
    const options = offers.map(({ id, title }) => h("option", { value: id }, title));
    this.part("run").replaceChildren(...options, h("option", { value: MINE }, t("game.mine")));
    this.part("run").value = runId;
  }

  show(name) {
    for (const each of ["before", "question", "after"]) this.part(each).hidden = each !== name;
  }

  asked() {
    const { history, meta } = this.follower;
    return questions(history.frameSteps, (step) => history.verdicts.get(step), { probability: meta.verdict_is_probability });
  }

  // ---- a round ----

  async play() {
    this.busy(true);
    try {
      const round = this.asked();
      await this.picture.prepare(this.follower, round);
      this.show("question");
      this.part("play").scrollIntoView({ block: "nearest" });
      this.round.start(round, (verdict) => this.inWords(verdict), !this.part("no-clock").checked);
    } catch (error) {
      notify(error.message, "error");
    } finally {
      this.busy(false);
    }
  }

  /** While its pictures come, a round belongs to the run that was chosen. */
  busy(preparing) {
    this.preparing = preparing;
    for (const name of ["begin", "again", "run"]) this.part(name).disabled = preparing;
  }

  inWords(verdict) {
    return this.follower.meta.verdict_is_probability ? percentOf(verdict) : verdict.toFixed(2);
  }

  async ended(answers) {
    const mine = answers.filter(({ right }) => right).length;
    const d = answers.filter(({ real, d: takes }) => real === takes).length;
    this.show("after");
    setText(this.part("result"), t("game.result", { mine, d, total: answers.length }));
    setText(this.part("verdict"), t(mine > d ? "game.won" : mine < d ? "game.lost" : "game.even"));
    this.part("shown").replaceChildren(...answers.map((answer) => this.row(answer)));
    this.part("result").focus({ preventScroll: true });
    const told = answers.map(({ step, right }) => ({ step, right }));
    await postJSON(`runs/${this.follower.runId}/game`, { answers: told }).catch((error) => notify(error.message, "error"));
    await this.showScores();
  }

  /** A picture of the round, and who was right. */
  row({ real, step, index, right, d }) {
    const canvas = h("canvas", {
      class: "gf-canvas",
      role: "img",
      "aria-label": t(real ? "game.was_real" : "game.was_fake", { step: whole(step) }),
    });
    this.picture.draw(canvas, { real, step, index }, 56);
    const mark = (who, ok) =>
      h("span", { dataset: { right: String(ok) } }, t(ok ? "game.mark_right" : "game.mark_wrong", { who }));
    const what = t(real ? "game.real" : "game.fake_of", { step: whole(step) });
    return h("li", {}, canvas, h("span", { class: "gf-hint" }, what), mark(t("game.you"), right), mark("D", real === d));
  }

  // ---- everybody's ----

  async showScores() {
    const { runId } = this.follower;
    const scores = await getJSON(`runs/${runId}/game`).catch(() => null);
    if (!scores || runId !== this.follower.runId) return;
    this.part("scores-box").hidden = !scores.rounds;
    this.part("forget").hidden = !ownsAll();
    setText(this.part("rounds"), scoresInWords(scores));
    showScores(this.part("scores"), scores.bins);
  }

  async forget() {
    await api("game", { method: "DELETE" }).catch((error) => notify(error.message, "error"));
    await this.showScores();
  }
}
