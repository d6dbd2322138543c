// The projector view (?view=projector): what the class sees, large enough for the last row, and how to join. Nothing can be
// pressed, and nothing here is secret.

import { Chart } from "../charts/plot.js";
import { drawTiles, whenLookChanges } from "../core/canvas.js";
import { joinAddress, onlyHere } from "../core/controls/copy_link.js";
import { h, setText } from "../core/dom.js";
import { short, whole } from "../core/format.js";
import { shell } from "../core/gradio_shell.js";
import { onLesson, takeLesson } from "../core/lesson.js";
import { notify } from "../core/notice.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON, url } from "../core/server.js";
import { t } from "../core/text.js";
import { firstLine, Verdicts } from "../run/diagnosis.js";
import { followerOf } from "../run/follower.js";
import { recordingOf } from "../run/recordings.js";
import { scoresInWords, showScores } from "../run/scores.js";
import { fitted } from "./fitted.js";

const EVERY_MS = 2000;
const GAP = 4; // CSS pixels between two pictures
const PICTURE_SCALE = 16;
const SMOOTHING = 0.8;
const NOTHING = { run: null, step: null, picture: null, game: false, name: "" };

export function open(data) {
  new Projector(data).start();
}

class Projector {
  constructor(data) {
    this.data = data;
    this.screen = null;
    this.follower = null;
    this.sheet = null;
    this.pinned = null; // the step of the frame that is shown; null: now
    this.subscriber = { tab: "train", eager: true, changed: (change) => this.changed(change) };
    this.build();
  }

  build() {
    const join = joinAddress();
    this.canvas = h("canvas", { class: "gf-canvas", role: "img" });
    this.image = h("img", { alt: t("lesson.raised_picture"), hidden: true });
    this.title = h("h1", {});
    this.step = h("p", { class: "gf-num gf-projector-step" });
    this.verdict = h(
      "p",
      { class: "gf-wall-verdict" },
      h("span", { class: "gf-diagnosis-mark", "aria-hidden": "true" }),
      h("span"),
    );
    const chart = h("canvas", { role: "img", "aria-label": t("train.losses") });
    const legend = h("span", { class: "gf-legend" });
    this.chartBox = h("figure", { class: "gf-chart" }, h("figcaption", { class: "gf-row" }, legend), h("div", {}, chart));
    const series = (name, color, key) => ({
      label: t(`curves.${key}`),
      color,
      x: () => this.follower?.history.column("step") ?? [],
      values: () => this.follower?.history.recorded("rows", name) ?? [],
    });
    this.chart = new Chart(chart, legend, {
      series: [series("d_loss", "--gf-ink2", "c_d_loss"), series("g_loss", "--gf-accent", "c_g_loss")],
      format: short,
      onHover: () => {},
      onPick: () => {},
    });
    this.chart.smoothing = SMOOTHING;
    const alt = t("lesson.code", { address: join });
    const code = !onlyHere() && h("img", { src: url(`qr.svg?of=${encodeURIComponent(join)}`), alt }); // else it leads nowhere
    const joining = h(
      "div",
      { class: "gf-projector-join" },
      code,
      h("p", {}, h("span", {}, t("lesson.join")), h("b", {}, join.replace(/^http:\/\/|\/$/g, ""))),
    );
    this.scores = h("div", { class: "gf-game-scores" });
    this.scoresWords = h("p", {});
    this.scoresBox = h("section", { class: "gf-projector-scores", hidden: true }, this.scoresWords, this.scores);
    this.pictures = h("div", { class: "gf-projector-pictures" }, this.canvas, this.image);
    this.words = h("div", { class: "gf-projector-words" }, this.title, this.step, this.verdict, this.chartBox, this.scoresBox);
    const aside = h("aside", {}, this.words, joining);
    this.element = h("main", { class: "gf gf-projector" }, this.pictures, aside);
  }

  start() {
    const page = shell();
    for (const other of page.children) other.toggleAttribute("inert", true);
    page.append(this.element);
    document.body.dataset.view = "projector";
    new ResizeObserver(() => this.draw()).observe(this.pictures);
    whenLookChanges(() => this.draw());
    onLesson(({ screen }) => this.show(screen));
    everyVisible(EVERY_MS, () => this.ask());
  }

  /** Where there is no lesson: the run of the address, or the newest that somebody shows. */
  async ask() {
    if (this.data.lesson) takeLesson(await getJSON("lesson"));
    else if (!this.screen) await this.show({ ...NOTHING, run: await this.anyRun() });
    if (this.screen?.game) await this.showScores(this.screen);
  }

  /** How the class does against D, in place of the losses. */
  async showScores(screen) {
    const scores = await getJSON(`runs/${screen.run}/game`).catch(() => null);
    if (!scores || screen !== this.screen) return;
    setText(this.scoresWords, scoresInWords(scores));
    showScores(this.scores, scores.bins);
  }

  async anyRun() {
    const { live } = await getJSON("wall");
    return new URLSearchParams(location.search).get("run") ?? live[0]?.id ?? recordingOf(this.data);
  }

  async show(screen) {
    if (JSON.stringify(screen) === JSON.stringify(this.screen)) return;
    this.screen = screen;
    this.follower?.unsubscribe(this.subscriber);
    Object.assign(this, { follower: null, sheet: null, pinned: null, judged: null });
    this.canvas.width = 0;
    for (const words of [this.step, this.verdict.lastChild]) setText(words, "");
    this.verdict.dataset.severity = "early";
    this.chartBox.hidden = screen.game;
    this.scoresBox.hidden = !screen.game;
    this.scores.replaceChildren();
    this.element.dataset.shows = screen.run ? "run" : screen.picture ? "picture" : "nothing";
    this.canvas.hidden = !screen.run;
    this.image.hidden = !screen.picture;
    if (screen.picture) this.image.src = url(`picture.png?${screen.picture}&scale=${PICTURE_SCALE}`);
    const title = screen.name ? t("lesson.a_picture_by", { name: screen.name }) : t("lesson.a_picture");
    setText(this.title, screen.run ? "" : screen.picture ? title : t("lesson.nothing_yet"));
    if (screen.run) await this.openRun(screen).catch((error) => this.failed(error, screen));
  }

  /** It is tried again soon. */
  failed(error, screen) {
    notify(error.message, "error");
    this.screen = null;
    setTimeout(() => this.screen ?? this.show(screen), EVERY_MS);
  }

  async openRun(screen) {
    const follower = await followerOf(screen.run);
    if (screen !== this.screen) return;
    this.follower = follower;
    this.verdicts = new Verdicts(screen.run);
    setText(this.title, this.titleOf(follower.meta));
    follower.subscribe(this.subscriber);
  }

  /** Of the recipe and the data set: what somebody called a run is not for everybody. */
  titleOf({ config, own_pictures: own, dataset_title: dataset }) {
    const recipe = this.data.recipes.find(({ name }) => name === config.recipe)?.title ?? t("lesson.other_recipe");
    return own ? recipe : t("lesson.run_title", { recipe, dataset });
  }

  async changed(change) {
    if (change.has("snapshot") || change.has("frames") || change.has("picture")) await this.drawMoment();
    if (change.has("rows")) this.chart.refresh();
    if (this.follower) await this.judge();
  }

  /** What is to be said of the moment that is shown; of a step that is pinned, once. */
  async judge() {
    const { follower, verdicts, pinned } = this;
    if (pinned !== null && this.judged === pinned) return;
    const asked = pinned === null ? verdicts.renew(follower.status === "running") : verdicts.ask(pinned);
    const answer = await asked.catch(() => null);
    if (!answer || follower !== this.follower) return;
    this.judged = pinned;
    this.showVerdict(firstLine(answer));
  }

  showVerdict({ kind, severity, title }) {
    Object.assign(this.verdict.dataset, { kind, severity });
    setText(this.verdict.lastChild, title);
  }

  /** Now, or the last frame until the step that the teacher has pinned. */
  async drawMoment() {
    const { follower, screen } = this;
    const steps = follower.history.frameSteps;
    const pinned = screen.step === null ? null : (steps.filter((step) => step <= screen.step).at(-1) ?? steps[0] ?? null);
    const sheet = pinned === null ? follower.sheet : await frameOf(follower.history, pinned);
    if (follower !== this.follower) return;
    Object.assign(this, { pinned, sheet });
    setText(this.step, t("lesson.step", { step: whole(pinned ?? follower.snapshot?.step ?? 0) }));
    this.chart.cursor = pinned;
    this.chart.refresh();
    this.draw();
  }

  draw() {
    const { follower, sheet } = this;
    if (!follower || !sheet) return;
    const { count, columns, size } = follower.meta.tiles;
    const { clientWidth, clientHeight } = this.pictures;
    const fit = fitted(count, clientWidth, clientHeight, GAP);
    drawTiles(this.canvas, sheet, {
      size,
      count: fit.shown,
      sourceColumns: columns,
      columns: fit.columns,
      width: fit.width,
      gap: GAP,
    });
    this.canvas.setAttribute("aria-label", t("lesson.pictures", { count: fit.shown }));
  }
}

async function frameOf(history, step) {
  if (!history.frame(step)) await history.load(step);
  return history.frame(step);
}
