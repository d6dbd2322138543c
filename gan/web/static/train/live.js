// The live view of one run: it opens and follows the run, and hands what is new to the parts that show it.

import { RECORDS } from "../charts/curves.js";
import { RunCharts } from "../charts/run_charts.js";
import { whenLookChanges } from "../core/canvas.js";
import { smoothChoice } from "../core/controls/smooth_choice.js";
import { owns } from "../core/tokens.js";
import { AttributeBars } from "../run/attribute_bars.js";
import { DiagnosisPanel } from "../run/diagnosis.js";
import { followerOf } from "../run/follower.js";
import { MeasureTile, measureAt } from "../run/measure_tile.js";
import { shareRun, shareStep } from "../run/shown_run.js";
import { Timeline } from "../run/timeline.js";
import { RunButtons } from "./run_buttons.js";
import { showDownloads } from "./run_downloads.js";
import { RunHeader } from "./run_header.js";
import { RunPictures } from "./run_pictures.js";

const CURVES_MS = 1000; // between two drawings of the curves while a run learns
const ON_CURVES = ["rows", "events", "frames", ...RECORDS];

export class LiveView {
  /**
   * root: the tab's element. data: boot's answer. hooks: {onStartOver(meta), onRemedy(what), onRecorded(), onNoRoom(refusal, again), onChange():
   * the run or its status changed, onProgress(share of its steps), othersOfMine(): whether another run of mine trains}.
   */
  constructor(root, data, hooks) {
    this.hooks = hooks;
    this.follower = null;
    this.late = new Set(); // what is new, and not yet on the curves
    this.caughtUpAt = -Infinity;
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.timeline = new Timeline(timelineParts(this.part), () => this.moved());
    this.charts = new RunCharts(this.part, {
      run: () => this.meta && { history: this.history, meta: this.meta },
      onPick: (step) => this.timeline.seekStep(step),
    });
    this.diagnosis = new DiagnosisPanel(this.part, (what) => hooks.onRemedy(what));
    this.measures = new MeasureTile(this.part, (share) => this.command({ command: "measure_share", measure_share: share }));
    this.attributes = new AttributeBars(this.part, data.datasets);
    this.header = new RunHeader(root, this, hooks);
    this.buttons = new RunButtons(root, this, hooks);
    this.pictures = new RunPictures(this);
    this.subscriber = { tab: "train", eager: true, changed: (change) => this.changed(change) };
    this.listen();
    this.pictures.draw();
  }

  listen() {
    new ResizeObserver(() => this.resized()).observe(this.part("fake").parentElement);
    whenLookChanges(() => this.resized());
    smoothChoice(this.part("smooth"));
  }

  // ---- what is on the screen ----

  get meta() {
    return this.follower?.meta ?? null;
  }

  get snapshot() {
    return this.follower?.snapshot ?? null;
  }

  get history() {
    return this.follower?.history;
  }

  /** The newest pictures. */
  get sheet() {
    return this.follower?.sheet ?? null;
  }

  get runId() {
    return this.follower?.runId ?? null;
  }

  get status() {
    return this.follower?.status ?? null;
  }

  /** Of a run that shares the machine with others: {before, seconds}; else null. */
  get place() {
    return this.status === "running" ? (this.snapshot?.place ?? null) : null;
  }

  /** Its status, or what is to be said instead. */
  get kind() {
    if (this.meta?.recorded) return "recording";
    return Number.isFinite(this.place?.before) ? "waiting" : this.status;
  }

  get mine() {
    return this.follower !== null && !this.meta.recorded && owns(this.runId);
  }

  /** The moment that is looked at; null: now. */
  get step() {
    return this.timeline.step;
  }

  // ---- which run ----

  /** Show a run from its beginning; replay: play it once, as a recording is shown to someone who has just come. */
  async open(runId, { replay = false } = {}) {
    this.close();
    const token = {};
    this.opening = token;
    this.part("live").setAttribute("aria-busy", "true");
    const follower = await followerOf(runId);
    if (this.opening !== token) return;
    this.follower = follower;
    this.replay = replay;
    this.late.clear();
    this.caughtUpAt = -Infinity;
    this.timeline.reset(follower.history);
    this.pictures.reset();
    this.part("empty").hidden = true;
    this.part("view").hidden = false;
    this.diagnosis.open(runId);
    this.showRun();
    this.charts.reset();
    this.pictures.draw();
    follower.subscribe(this.subscriber);
    shareRun(runId);
    if (this.mine && this.meta.own_pictures) this.statusChanged().catch(() => {}); // how large they are, only its owner hears
  }

  close() {
    this.follower?.unsubscribe(this.subscriber);
    this.opening = null;
    this.timeline.pause();
  }

  /** Nothing to show: no run yet and no recording. */
  showEmpty() {
    this.close();
    this.follower = null;
    this.part("view").hidden = true;
    this.part("empty").hidden = false;
    this.part("live").setAttribute("aria-busy", "false");
    this.hooks.onChange();
  }

  /** The run was deleted, or the server was started anew without it: what was seen stays. */
  lose() {
    this.follower.lose();
    this.gone();
  }

  gone() {
    this.close();
    shareRun(null);
    this.showRun();
    if (this.snapshot) this.header.showNumbers();
    this.part("live").setAttribute("aria-busy", "false");
  }

  // ---- what is new ----

  async changed(change) {
    if (change.has("gone")) {
      this.gone();
      return;
    }
    if (change.has("run") || change.has("status")) this.showRun();
    if (change.has("snapshot") && this.snapshot) this.showSnapshot();
    for (const what of change) this.late.add(what);
    await this.catchUp();
  }

  /** Ask for the description of the run again. */
  async statusChanged() {
    await this.follower.describe();
  }

  showRun() {
    this.shownKind = this.kind;
    this.header.showRun();
    this.timeline.running = this.status === "running";
    this.timeline.paint();
    this.showMeasures();
    this.showDownloads();
    this.hooks.onChange();
  }

  showSnapshot() {
    this.pictures.loadReal(); // there is data as soon as there is a first picture
    if (this.kind !== this.shownKind) this.showRun();
    this.header.showNumbers();
    this.showMeasures();
    if (this.step === null) this.drawMoment();
    this.part("live").setAttribute("aria-busy", "false");
  }

  /** The curves at most once a second; at once when the run has come to rest. */
  async catchUp() {
    const now = performance.now();
    const running = this.status === "running";
    if (!this.snapshot || (running && now - this.caughtUpAt < CURVES_MS)) return;
    this.caughtUpAt = now;
    const { late } = this;
    this.late = new Set();
    if (late.has("frames")) this.timeline.extend();
    if (ON_CURVES.some((what) => late.has(what))) this.charts.refresh();
    if (late.has("measures")) {
      this.showMeasures();
      this.showDownloads();
    }
    if (this.replay && this.history.frameSteps.length > 1) this.playOnce();
    if (late.has("rows") || late.has("events")) await this.diagnosis.refresh(running);
  }

  playOnce() {
    this.replay = false;
    const untouched = this.step === null; // else somebody has looked for a moment already
    if (untouched && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.timeline.play();
  }

  showMeasures() {
    const { meta, snapshot, mine, status, step } = this;
    const { measures } = this.history;
    this.measures.show({ meta, snapshot, mine, status, step, measures });
    this.attributes.show(meta.dataset, measureAt(measures, step));
  }

  showDownloads() {
    const best = this.snapshot?.best_step ?? this.meta.best_step;
    const pictures = this.mine ? (this.meta.pictures_bytes ?? 0) : 0;
    showDownloads(this.part("download-list"), { id: this.runId, best, pictures });
  }

  // ---- what is looked at ----

  /** Another moment is shown. */
  moved() {
    shareStep(this.step);
    if (!this.follower) return;
    this.part("from-box").style.visibility = this.step === null || this.meta.recorded ? "hidden" : "visible";
    this.drawMoment();
    if (this.snapshot) this.header.showNumbers();
    this.showMeasures();
    this.diagnosis.moment(this.step);
  }

  drawMoment() {
    this.pictures.draw();
    this.charts.moment(this.step);
  }

  resized() {
    if (!this.pictures.stageWidth) return;
    this.pictures.draw();
    this.charts.draw();
  }

  /** Ask something of the run, as one of its buttons does. */
  command(body) {
    return this.buttons.command(body);
  }
}

function timelineParts(part) {
  return {
    play: part("play"),
    scrub: part("scrub"),
    scrubStep: part("scrub-step"),
    speed: part("speed"),
    toLive: part("to-live"),
  };
}
