// The Train tab: which run the live view shows, the form for another one, and my runs.

import { onState, readState, writeState } from "../core/address.js";
import { start } from "../core/boot.js";
import { setText } from "../core/dom.js";
import { takeDrops } from "../core/files/drops.js";
import { onLesson } from "../core/lesson.js";
import { notify } from "../core/notice.js";
import { isActive } from "../core/run_status.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { keeps } from "../core/storage.js";
import { t } from "../core/text.js";
import { owns, trainsAnother } from "../core/tokens.js";
import { recordingOf } from "../run/recordings.js";
import { LiveView } from "./live.js";
import { isPhone, PhoneBar } from "./phone_bar.js";
import { RunList } from "./run_list.js";
import { Setup } from "./setup.js";
import { Starting } from "./starting.js";

const RUNS_MS = 5000;
const STOP_MS = 250; // between two looks whether a run has stopped
const MOST_LOOKS = 40;

export function mount(element) {
  start((data) => new TrainTab(element.querySelector(".gf-train") ?? element, data).start());
}

class TrainTab {
  constructor(root, data) {
    this.data = data;
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.bar = new PhoneBar(root, this.part("bar"), (name) => this.part(name).click());
    this.setup = new Setup(this.part, data, { changed: () => this.formChanged(), watch: () => this.watchRecording() });
    this.live = new LiveView(root, data, {
      onStartOver: (meta) => this.startOver(meta),
      onRemedy: (what) => this.starting.fork(what),
      onRecorded: recordingOf(data) && (() => this.openNothing()),
      onNoRoom: (refusal, again) => this.starting.noRoom(refusal, again),
      onChange: () => this.runChanged(),
      onProgress: (share) => this.bar.showShare(share),
      othersOfMine: () => trainsAnother(this.runList.runs, this.live.runId),
    });
    this.starting = new Starting(this.part, {
      open: (runId) => this.openRun(runId),
      said: (sentence) => this.setup.showError(sentence),
      bar: this.bar,
      begun: (pressed) => this.begun(pressed),
      rested: () => this.allow(),
      changed: () => this.runsPoll.now(),
      adopt: (name, token) => this.setup.datasets.adopt(name, token),
    });
    this.runList = new RunList(this.part("runs"), {
      current: () => this.live.runId,
      open: (runId) => this.openRun(runId),
      resume: (runId) => this.continueRun(runId),
      changed: (runId) => runId === this.live.runId && this.live.statusChanged(),
      gone: (runId) => runId === this.live.runId && this.openNothing(),
      listed: (runs) => this.setup.starts.offer(runs),
    });
  }

  start() {
    this.listen();
    this.show(this.firstState());
    onState("train", (state) => this.arrive(state));
    this.runsPoll = everyVisible(RUNS_MS, () => this.runList.refresh());
  }

  listen() {
    takeDrops("train", (files) => this.setup.datasets.pictures.drop(files), this.part("drop"));
    this.part("train").addEventListener("click", () => this.train());
    this.allow(true);
    onLesson((told) => this.follow(told));
    this.part("runs-hint").hidden = this.data.owner;
    this.warnOfForgetting();
  }

  /** open: whether a lesson lets everybody train. */
  allow(open = this.isOpen) {
    this.isOpen = open;
    const { owner, may_train: may } = this.data;
    this.part("train").disabled = !(owner || (may && open));
    this.part("only-here").hidden = owner || (may && open);
    setText(this.part("only-here"), t(may ? "lesson.closed" : "train.only_here"));
  }

  /** In a lesson, who has no run of their own on the screen sees what the class sees. */
  follow({ screen, train }) {
    const before = this.classRun;
    const { run } = readState("train"); // written as soon as somebody wants it; a recording that nobody chose is not
    this.classRun = screen.run;
    this.allow(train);
    if (this.data.owner || !screen.run || screen.run === before) return;
    const isWanted = run && (before === undefined || owns(run)); // a link, or one of one's own
    if (!isWanted) this.openRun(screen.run);
  }

  /** In some frames and private windows a run's token is lost with the page; outside a frame it may be kept. */
  warnOfForgetting() {
    this.part("keeps-nothing").hidden = keeps();
    const direct = this.part("open-directly");
    direct.hidden = window.top === window;
    direct.addEventListener("click", () => (direct.href = location.href));
  }

  // ---- the address ----

  /** What the address says; of a link to the sliders of a run, that run. */
  firstState() {
    const state = readState("train");
    const run = /^run-([\w-]+)(?:@best)?$/.exec(readState("latent").w ?? "")?.[1];
    return Object.keys(state).length || !run ? state : { run };
  }

  /** Show what an address says: a run, or settings for one. */
  show(state) {
    this.setup.fill(state);
    if (state.run) this.openRun(state.run, Number(state.step ?? Number.NaN));
    else this.openRecording();
  }

  /** Another tab sends someone here: settings fill the form, and a run that is open stays on the screen. */
  arrive(state) {
    const { runId, meta } = this.live;
    if (state.run || !runId || meta.recorded) {
      this.show(state);
      return;
    }
    this.setup.fill(state);
    writeState("train", { run: runId });
  }

  /** Settings stand in the address until a run is open; then the run does. */
  writeForm() {
    writeState("train", this.setup.address());
  }

  formChanged() {
    if (this.live.meta?.needs) this.live.statusChanged(); // perhaps the pictures that the run lacks have been prepared
    if (readState("train").run) return;
    this.writeForm();
    const recording = this.data.recorded[this.setup.recipe.name];
    if (recording && this.live.meta?.recorded && recording !== this.live.runId) this.openRecording();
  }

  // ---- which run ----

  /** step: the moment to look at, where it is a number. */
  async openRun(runId, step = Number.NaN) {
    this.starting.opened();
    writeState("train", { run: runId });
    try {
      await this.live.open(runId);
      if (Number.isFinite(step)) this.live.timeline.seekStep(step);
    } catch (error) {
      notify(error.message, "error");
      if (!error.offline) this.openNothing();
    }
  }

  openNothing() {
    this.writeForm();
    this.openRecording();
  }

  /** On a phone the form lies below the pictures. */
  watchRecording() {
    this.openNothing();
    if (isPhone()) this.part("live").scrollIntoView({ block: "start" });
  }

  /** Where there is no recording, nothing is shown. */
  openRecording() {
    const recorded = recordingOf(this.data, this.setup.recipe.name);
    if (recorded) this.live.open(recorded, { replay: true }).catch(() => this.live.showEmpty());
    else this.live.showEmpty();
  }

  runChanged() {
    const { live } = this;
    const role = !isActive(live.status) ? "starting" : live.mine ? "steering" : "watching";
    this.bar.show(role, { status: live.status, kind: live.kind, title: live.meta?.title });
    this.setup.list.watching(live.runId);
    this.runsPoll?.now();
  }

  // ---- starting ----

  train() {
    const order = this.setup.order();
    return order && this.starting.create(order);
  }

  begun(pressed) {
    this.setup.datasets.showShown(); // a run on own pictures is shown where somebody says so for that run
    if (isPhone()) this.part("live").scrollIntoView({ block: "start" });
    if (!pressed) return;
    if (isPhone())
      this.bar.focus(); // the keyboard goes to what one presses next
    else this.part("pause").focus({ preventScroll: true });
  }

  /** The same settings once more, as a new run; the old one is kept as it is. */
  async startOver(meta) {
    if (meta.start) return this.starting.fork({ runId: meta.id, remedy: {}, step: 0 }); // with the weights that it began with
    if (isActive(this.live.status) && !(await this.stopAndWait())) return;
    return this.starting.create(this.setup.orderLike(meta));
  }

  async stopAndWait() {
    if (!(await this.live.command({ command: "stop" }))) return false;
    for (let look = 0; look < MOST_LOOKS; look++) {
      const { status } = await getJSON(`runs/${this.live.runId}`);
      if (!isActive(status)) return true;
      await new Promise((resolve) => setTimeout(resolve, STOP_MS));
    }
    return true;
  }

  async continueRun(runId) {
    await this.openRun(runId);
    await this.live.command({ command: "resume" });
    this.runsPoll.now();
  }
}
