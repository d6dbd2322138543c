// The live view of one run: polling, header, pictures, scrubber, curves, and the buttons of its owner.

import { RECORDS } from "../charts/curves.js";
import { RunCharts } from "../charts/run_charts.js";
import { openTab, readState } from "../core/address.js";
import { bitmapOf, tileLayout } from "../core/canvas.js";
import { copyLink } from "../core/controls/copy_link.js";
import { menu } from "../core/controls/menu.js";
import { h, setText } from "../core/dom.js";
import { saveFile } from "../core/files/downloads.js";
import { duration, whole } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON, postJSON, url } from "../core/server.js";
import { t } from "../core/text.js";
import { owns } from "../core/tokens.js";
import { DiagnosisPanel } from "../run/diagnosis.js";
import { RunHistory } from "../run/history.js";
import { MeasureTile } from "../run/measure_tile.js";
import { shareRun } from "../run/shown_run.js";
import { openable, openTile, TileButton } from "../run/tile_button.js";
import { Timeline } from "../run/timeline.js";
import { drawGrid } from "../run/verdict_grid.js";
import { withRun } from "./run_list.js";

const OWNER_MS = 333;
const WATCHER_MS = 1000;
const RESTING_MS = 1500; // nothing is learning
const ROWS_MS = 1000;
const RECORDS_MS = 4000; // signals and measures
const STEPS_BEFORE_TIME_LEFT = 10;
const ROW_SPACE = 26; // between two rows of the grid, in CSS pixels
const AROUND_GRID = 370; // what else of the view should be on the screen with it
const REAL_ABOVE = 80; // the real pictures, where they do not lie beside it
const TILES_AT_FIRST = { count: 40, columns: 8, size: 28, channels: 1 };

const DOWNLOADS = [
  ["weights.safetensors", "download_weights"],
  ["weights-best.safetensors", "download_best"],
  ["history.csv", "download_history"],
  ["timelapse.gif", "download_gif"],
  ["timelapse.mp4", "download_mp4"],
  ["run.zip", "download_zip"],
];

export class LiveView {
  /**
   * root: the tab's element. hooks: {onStartOver(meta), onRemedy(what), onRecorded(), onNoRoom(refusal, again), onChange():
   * the run or its status changed, onProgress(share of its steps)}.
   */
  constructor(root, hooks) {
    this.root = root;
    this.hooks = hooks;
    this.meta = null;
    this.snapshot = null;
    this.poll = null;
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.timeline = new Timeline(timelineParts(this.part), () => this.moved());
    this.charts = new RunCharts(this.part, {
      run: () => this.meta && { history: this.history, meta: this.meta },
      onPick: (step) => this.timeline.seekStep(step),
    });
    this.diagnosis = new DiagnosisPanel(this.part, (what) => hooks.onRemedy(what));
    this.measures = new MeasureTile(this.part, (share) => this.command({ command: "measure_share", measure_share: share }));
    this.tile = new TileButton(this.part("fake"), (i) => this.openTile(i));
    this.listen();
    this.draw();
  }

  // ---- which run ----

  /** Show a run from its beginning; replay: play it once, as a recording is shown to someone who has just come. */
  async open(runId, { replay = false } = {}) {
    this.close();
    const token = {};
    this.opening = token;
    this.part("live").setAttribute("aria-busy", "true");
    const meta = await getJSON(`runs/${runId}`);
    if (this.opening !== token) return;
    this.meta = meta;
    this.snapshot = null;
    this.sheet = null;
    this.realSheet = null;
    this.version = 0;
    this.rowsAt = 0;
    this.recordsAt = -Infinity;
    this.replay = replay;
    this.history = new RunHistory(runId);
    this.timeline.reset(this.history);
    this.part("empty").hidden = true;
    this.part("view").hidden = false;
    shareRun(runId);
    this.diagnosis.open(runId);
    this.showMeta();
    this.charts.reset();
    this.draw();
    this.poll = everyVisible(OWNER_MS, () => this.tick());
    this.hooks.onChange();
  }

  close() {
    this.poll?.stop();
    this.poll = null;
    this.opening = null;
    this.timeline.pause();
  }

  /** Nothing to show: no run yet and no recording. */
  showEmpty() {
    this.close();
    this.meta = null;
    this.part("view").hidden = true;
    this.part("empty").hidden = false;
    this.part("live").setAttribute("aria-busy", "false");
    this.hooks.onChange();
  }

  get runId() {
    return this.meta?.id ?? null;
  }

  get status() {
    return this.snapshot?.status ?? this.meta?.status ?? null;
  }

  get mine() {
    return this.meta !== null && !this.meta.recorded && owns(this.meta.id);
  }

  // ---- polling ----

  async tick() {
    if (visibleTab() !== "train") return WATCHER_MS;
    const { runId } = this;
    try {
      return await this.keepUp(runId);
    } catch (error) {
      if (!error.details?.gone) throw error;
      if (runId === this.runId) this.gone();
      return WATCHER_MS;
    }
  }

  async keepUp(runId) {
    const next = await this.ask(runId);
    if (runId !== this.runId) return WATCHER_MS;
    if (next) await this.take(next);
    if (this.snapshot) await this.catchUp();
    else await this.statusChanged(); // still getting ready: only the description of the run has something to say
    return this.snapshot ? this.pace() : WATCHER_MS;
  }

  async ask(runId) {
    try {
      return await getJSON(`runs/${runId}/live?since=${this.version}`);
    } catch (error) {
      this.version = 0; // a server that was started anew counts its versions anew
      throw error;
    }
  }

  /** The run was deleted, or the server was started anew without it: what was seen stays, and nothing more is asked. */
  gone() {
    const status = { status: "gone", message: "" };
    this.close();
    this.meta = { ...this.meta, ...status, needs: "" };
    if (this.snapshot) this.snapshot = { ...this.snapshot, ...status };
    shareRun(null);
    this.showMeta();
    if (this.snapshot) this.showNumbers();
    this.part("live").setAttribute("aria-busy", "false");
    this.hooks.onChange();
  }

  pace() {
    if (this.meta.recorded) return 60_000;
    if (this.status !== "running") return RESTING_MS;
    return this.mine ? OWNER_MS : WATCHER_MS;
  }

  async take(next) {
    const before = this.status;
    const sheet = next.tiles ? await bitmapOf(next.tiles) : this.sheet;
    if (sheet !== this.sheet) this.sheet?.close();
    if (!this.snapshot) this.loadReal(this.runId); // there is data as soon as there is a first picture
    this.snapshot = next;
    this.version = next.version;
    this.sheet = sheet;
    if (before !== next.status) await this.statusChanged();
    this.showNumbers();
    this.showMeasures();
    if (this.timeline.step === null) this.draw();
    this.part("live").setAttribute("aria-busy", "false");
  }

  /** Numbers and frames at most once a second; the last ones at once when the run has come to rest. */
  async catchUp() {
    const now = performance.now();
    if (this.status === "running" && now - this.rowsAt < ROWS_MS) return;
    this.rowsAt = now;
    const { history } = this;
    const changed = await history.update(this.snapshot);
    if (history !== this.history) return;
    if (changed.frames) this.timeline.extend();
    const recorded = await this.recordsChanged(history);
    if (history === this.history && (changed.rows || changed.events || recorded)) this.charts.refresh();
    if (changed.rows || changed.events) await this.diagnosis.refresh(this.status === "running");
    if (changed.measures) {
      this.showMeasures();
      this.showDownloads();
    }
    if (this.replay && history.frameSteps.length > 1) this.playOnce();
  }

  /** Fetch signals and measures, rarely while it learns and once more at the end. */
  async recordsChanged(history) {
    const now = performance.now();
    if (now - this.recordsAt < RECORDS_MS) return false;
    this.recordsAt = now;
    const changed = await Promise.all(RECORDS.map((what) => history.updateRecords(what)));
    return changed.some(Boolean);
  }

  playOnce() {
    this.replay = false;
    const untouched = this.timeline.step === null; // else somebody has looked for a moment already
    if (untouched && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.timeline.play();
  }

  async statusChanged() {
    const meta = await getJSON(`runs/${this.runId}`);
    if (meta.id === this.runId) this.meta = meta;
    this.showMeta();
    this.hooks.onChange();
  }

  async loadReal(runId) {
    const image = new Image();
    image.src = url(`runs/${runId}/real.png`);
    await image.decode().catch(() => {});
    if (runId !== this.runId || !image.naturalWidth) return;
    this.realSheet = image;
    this.drawReal();
  }

  // ---- header ----

  showMeta() {
    const { meta, part, status } = this;
    const kind = meta.recorded ? "recording" : status;
    setText(part("title"), meta.title);
    setText(part("subtitle"), this.subtitle());
    part("subtitle").hidden = !this.subtitle();
    part("status").dataset.kind = kind;
    setText(part("status-text"), t(`train.status_${kind}`));
    setText(part("n-total"), meta.config ? t("train.step_of", { total: whole(meta.config.total_steps) }) : "");
    this.timeline.running = status === "running";
    this.timeline.paint();
    this.showControls();
    this.showMessage();
    this.showMeasures();
    this.showDownloads();
  }

  subtitle() {
    if (this.meta.recorded) return t("train.recorded_note");
    return this.mine ? "" : t("train.watching");
  }

  showControls() {
    const { part, status, mine } = this;
    const active = status === "running" || status === "paused";
    part("controls").hidden = !mine || status === "gone";
    part("live").dataset.status = status;
    part("rates").hidden = !(mine && active);
    const pause = part("pause");
    setText(pause, t({ running: "train.pause", finished: "train.longer" }[status] ?? "train.resume"));
    pause.classList.toggle("gf-btn-primary", !["running", "finished", "failed"].includes(status));
    part("stop").disabled = !active;
    for (const button of this.root.querySelectorAll('[data-gf="step"]')) button.disabled = status !== "paused";
  }

  showMessage() {
    const { part, status, meta } = this;
    const text = this.snapshot?.message || meta.message || this.ownMessage();
    const note = part("message");
    note.hidden = !text;
    note.dataset.kind = status === "failed" ? "error" : "accent";
    setText(part("message-text"), text ?? "");
    const rewind = part("rewind");
    rewind.hidden = !(status === "failed" && this.mine && Number.isFinite(meta.checkpoint_step));
    setText(rewind, t("train.rewind", { step: whole(meta.checkpoint_step ?? 0) }));
    part("gone-over").hidden = status !== "gone";
    part("gone-recorded").hidden = status !== "gone" || !this.hooks.onRecorded;
  }

  ownMessage() {
    const { status, meta } = this;
    if (status === "gone") return t("train.gone");
    if (meta.needs && this.mine) return meta.needs;
    if (status === "interrupted") return t("train.interrupted_note", { step: whole(meta.checkpoint_step ?? 0) });
    if (status === "running" && !this.snapshot) return t("train.preparing");
    return "";
  }

  showDownloads() {
    const { id } = this.meta;
    const best = this.snapshot?.best_step ?? this.meta.best_step;
    const pictures = this.mine ? this.meta.pictures_bytes : 0;
    if (this.downloadsOf === `${id} ${best} ${pictures}`) return;
    this.downloadsOf = `${id} ${best} ${pictures}`;
    const links = DOWNLOADS.filter(([, key]) => key !== "download_best" || best !== null).map(([file, key]) => {
      const words = t(`train.${key}`, { step: whole(best ?? 0) });
      return h("a", { class: "gf-menu-item", href: url(`runs/${id}/download/${file}`), onclick: saveFile }, words);
    });
    this.part("download-list").replaceChildren(...links, ...(pictures ? [withPictures(links.at(-1), pictures)] : []));
  }

  /** The header speaks of now; while a run that has ended is looked through, of the moment that is shown. */
  showNumbers() {
    const past = this.status === "running" ? null : this.pastMoment();
    this.writeNumbers(past ?? this.snapshot);
    this.showMessage();
    this.showRates();
  }

  pastMoment() {
    const row = this.timeline.step === null ? null : this.history.rowAt(this.timeline.step);
    if (!row) return null;
    const now = this.snapshot;
    const share = now.images ? row.images / now.images : 0;
    return {
      ...now,
      step: this.timeline.step,
      images: row.images,
      seconds: row.seconds,
      epoch: now.epoch === null ? null : now.epoch * share,
    };
  }

  writeNumbers(s) {
    const { part, meta } = this;
    const total = s.total_steps ?? meta.config?.total_steps ?? 0;
    const share = total ? Math.min(1, s.step / total) : 0;
    setText(part("n-step"), whole(s.step));
    setText(part("n-total"), total ? t("train.step_of", { total: whole(total) }) : "");
    setText(part("n-epoch"), s.epoch === null ? "–" : s.epoch.toFixed(s.epoch < 100 ? 2 : 0));
    setText(part("n-images"), whole(s.images));
    setText(part("n-rate"), s.images_per_s > 0 ? whole(s.images_per_s) : "–");
    setText(part("n-elapsed"), duration(s.seconds));
    setText(part("n-left"), s.step < STEPS_BEFORE_TIME_LEFT || s.status !== "running" ? "–" : duration(s.seconds_left));
    setText(part("n-share"), s.show_share > 0 ? `${(100 * s.show_share).toFixed(1)} %` : "–");
    part("progress-bar").style.transform = `scaleX(${share})`;
    part("progress").setAttribute("aria-valuenow", (100 * share).toFixed(0));
    this.hooks.onProgress(share);
  }

  /** The fields follow the run, except while someone is typing or has typed. */
  showRates() {
    const { lr } = this.snapshot;
    for (const [player, field] of [
      ["d", this.part("rate-d")],
      ["g", this.part("rate-g")],
    ]) {
      const shown = String(lr?.[player] ?? "");
      if (field.dataset.shown === shown) continue;
      field.dataset.shown = shown;
      field.value = shown;
    }
  }

  // ---- pictures ----

  draw() {
    this.drawReal();
    this.drawFake();
  }

  moved() {
    if (!this.meta) return;
    this.part("from-box").style.visibility = this.timeline.step === null || this.meta.recorded ? "hidden" : "visible";
    this.draw();
    if (this.snapshot) this.showNumbers();
    this.showMeasures();
    this.diagnosis.moment(this.timeline.step);
  }

  drawReal() {
    const wide = this.widthOf("real") >= 500;
    const count = this.meta?.real_count ?? 16;
    const { size = 28 } = this.meta?.tiles ?? {};
    this.part("real").setAttribute("aria-label", t("train.real_label", { count }));
    this.grid("real", {
      sheet: this.realSheet,
      tiles: { count, columns: 8, size },
      columns: wide ? count : 8,
      verdicts: this.verdicts("real"),
      color: "--gf-ink2",
      classNames: [],
    });
  }

  drawFake() {
    const { step } = this.timeline;
    const past = step !== null;
    const tiles = this.meta?.tiles ?? TILES_AT_FIRST;
    const sheet = past ? this.history.frame(step) : this.sheet;
    if (past && !sheet) return;
    const layout = this.grid("fake", {
      sheet,
      tiles,
      columns: this.fakeColumns(tiles),
      verdicts: this.verdicts("fake"),
      color: "--gf-accent",
      classNames: this.meta?.conditional ? this.meta.class_names.slice(0, tiles.columns) : [],
    });
    this.tile.place(layout, sheet ? openable(this.meta) : 0);
    this.showMoment(step);
  }

  openTile(i) {
    const { step: now } = this.snapshot;
    openTile(this.meta, i, this.timeline.step ?? now, now);
  }

  /** D's verdicts at the moment that is shown. kind: "fake" or "real". */
  verdicts(kind) {
    const { step } = this.timeline;
    const values = step === null ? this.snapshot?.[`verdict_${kind}`] : this.history.verdicts.get(step)?.[kind];
    return values?.length ? values : null;
  }

  /** Without classes the pictures may lie in any columns: in tens where there is room, unless fewer show larger ones. */
  fakeColumns({ count, columns, size }) {
    if (this.meta?.conditional || count % 10 || this.stageWidth() < 640) return columns;
    const { tile } = tileLayout(this.part("fake"), { size, columns, count, width: this.stageWidth() });
    const height = Math.ceil(count / columns) * (tile + ROW_SPACE);
    const others = AROUND_GRID + (this.widthOf("real") < this.stageWidth() ? 0 : REAL_ABOVE);
    return height < window.innerHeight - others ? columns : 10;
  }

  grid(name, what) {
    const probability = this.meta?.verdict_is_probability ?? true;
    return drawGrid(this.part(name), { ...what, probability, width: this.widthOf(name) });
  }

  stageWidth() {
    return this.widthOf("fake");
  }

  widthOf(canvas) {
    return this.part("view").clientWidth && this.part(canvas).parentElement.clientWidth;
  }

  /** Which moment the grid shows, in words, and the same moment on the curves. */
  showMoment(step) {
    const tiles = this.meta?.tiles ?? TILES_AT_FIRST;
    const shown = step ?? this.snapshot?.step ?? 0;
    const words = step === null ? this.verdictCaption() : t("train.at_step", { step: whole(step) });
    setText(this.part("fake-caption"), words);
    this.part("fake").setAttribute("aria-label", t("train.tiles_label", { count: tiles.count, step: whole(shown) }));
    this.charts.moment(step);
  }

  verdictCaption() {
    return t(this.meta?.verdict_is_probability === false ? "train.score_caption" : "train.verdict_caption");
  }

  showMeasures() {
    const { meta, snapshot, mine, status, timeline } = this;
    this.measures.show({ meta, snapshot, mine, status, step: timeline.step, measures: this.history.measures });
  }

  // ---- what the owner presses ----

  listen() {
    const { part } = this;
    const on = (name, fn) => part(name).addEventListener("click", fn);
    on("pause", () => this.pauseOrResume());
    on("stop", () => this.command({ command: "stop" }));
    on("rewind", () => this.command({ command: "rewind" }));
    for (const name of ["start-over", "gone-over"]) on(name, () => this.hooks.onStartOver(this.meta));
    on("gone-recorded", () => this.hooks.onRecorded());
    on("copy-link", (event) => copyLink(event.currentTarget));
    on("compare", () => openTab("compare", withRun(readState("compare"), this.runId)));
    on("from-here", () => this.offerFromHere().catch((error) => this.refused(error)));
    on("fork-here", () => this.forkFrom(this.here));
    on("fork-best", () => this.forkFrom(this.meta.best_step));
    on("back-here", () => this.goBack("back-here", this.here));
    on("back-best", () => this.goBack("back-best", this.meta.best_step));
    on("sliders", () => this.meta && openTab("latent", { w: this.meta.recorded ? "" : `run-${this.runId}` }));
    for (const button of this.root.querySelectorAll('[data-gf="step"]'))
      button.addEventListener("click", () => this.command({ command: "step", players: button.dataset.players }));
    part("rates").addEventListener("submit", (event) => this.applyRates(event));
    part("csv").addEventListener("click", saveFile);
    menu(part("download"));
    menu(part("from-box"));
    new ResizeObserver(() => this.resized()).observe(part("fake").parentElement);
    new MutationObserver(() => this.resized()).observe(document.body, { attributeFilter: ["class"] });
  }

  /** What can be done at the moment that is shown: from the last state that was kept until then. */
  async offerFromHere() {
    const { step } = this.timeline;
    this.meta = await getJSON(`runs/${this.runId}`);
    const { states, checkpoint_step: newest, best_step: best } = this.meta;
    const kept = [...states, newest, best].filter((state) => state !== null && state <= step);
    this.here = kept.length ? Math.max(...kept) : null;
    for (const [name, key] of [
      ["fork-here", "fork_here"],
      ["back-here", "back_here"],
    ]) {
      const button = this.part(name);
      button.disabled = this.here === null;
      delete button.dataset.sure;
      setText(button, this.here === null ? t("train.nothing_kept") : t(`train.${key}`, { step: whole(this.here) }));
    }
    this.part("back-here").hidden = !this.mine || this.here === null;
    this.offerBest(best);
  }

  /** The state with the best FID can be gone on from as well, wherever it lies. */
  offerBest(step) {
    const there = step !== null && step !== this.here;
    for (const [name, key, possible] of [
      ["fork-best", "fork_best", there],
      ["back-best", "back_best", there && this.mine],
    ]) {
      const button = this.part(name);
      button.hidden = !possible;
      delete button.dataset.sure;
      if (possible) setText(button, t(`train.${key}`, { step: whole(step) }));
    }
  }

  forkFrom(from) {
    openTab("compare", { ...withRun(readState("compare"), this.runId), fork: this.runId, from });
  }

  /** The second press goes back: what came later is forgotten. */
  async goBack(name, step) {
    const button = this.part(name);
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      setText(button, t("train.back_sure"));
      return;
    }
    this.part("from-box").open = false;
    if (await this.command({ command: "rewind", step })) this.timeline.toNewest();
  }

  pauseOrResume() {
    if (this.status === "running") return this.command({ command: "pause" });
    const longer = { total_steps: 2 * (this.snapshot?.total_steps ?? 0) };
    return this.command({ command: "resume", ...(this.status === "finished" ? longer : {}) });
  }

  async command(body) {
    try {
      await postJSON(`runs/${this.runId}/command`, body);
      this.poll?.now();
      return true;
    } catch (error) {
      if (error.details?.busy) this.hooks.onNoRoom(error.details, () => this.command(body));
      else this.refused(error);
      return false;
    }
  }

  refused(error) {
    if (error.details?.gone) this.gone();
    else notify(error.message, "error");
  }

  async applyRates(event) {
    event.preventDefault();
    const rates = { d_lr: this.part("rate-d").value.trim(), g_lr: this.part("rate-g").value.trim() };
    if (await this.command({ command: "lr", ...rates })) notify(t("train.applied"));
  }

  resized() {
    if (!this.stageWidth()) return;
    this.draw();
    this.charts.draw();
  }
}

/** Whether the zip of a run is to hold the pictures that it learns from: not unless it is wished. */
function withPictures(link, bytes) {
  const plain = link.href;
  const choose = ({ target }) => (link.href = target.checked ? `${plain}?pictures=1` : plain);
  const words = t("train.download_pictures", { size: (bytes / 2 ** 20).toFixed(1) });
  return h("label", { class: "gf-check gf-menu-tick" }, h("input", { type: "checkbox", onchange: choose }), words);
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
