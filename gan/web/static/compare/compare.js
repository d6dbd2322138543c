// The Compare tab: two to four runs beside each other, over one axis, and forks of them.

import { AXES, placeName } from "../charts/axis.js";
import { axisControl } from "../charts/axis_control.js";
import { onState, readState, writeState } from "../core/address.js";
import { start } from "../core/boot.js";
import { whenLookChanges } from "../core/canvas.js";
import { copyLink } from "../core/controls/copy_link.js";
import { smoothChoice } from "../core/controls/smooth_choice.js";
import { setText } from "../core/dom.js";
import { rounded } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { everyVisible, oncePerFrame } from "../core/schedule.js";
import { t } from "../core/text.js";
import { comparedIn, MOST_COMPARED } from "../run/compared.js";
import { Adding } from "./adding.js";
import { Columns } from "./columns.js";
import { ForkForm } from "./fork_form.js";
import { RunCurves } from "./run_curves.js";
import { showSettings } from "./settings_table.js";
import { trackOf } from "./track.js";

const MINE_MS = 6000; // my runs, for the list of what can be added
const SCRUB = 1000; // positions of the scrubber

export function mount(element) {
  start((data) => new CompareTab(element.querySelector(".gf-compare") ?? element, data).start());
}

class CompareTab {
  constructor(root, data) {
    this.data = data;
    this.tracks = [];
    this.place = null; // on the axis; null: the newest
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.showAxis = axisControl(this.part("axis"), (axis) => this.setAxis(axis));
    this.refresh = oncePerFrame(() => this.refreshNow());
    this.adding = new Adding(this.part, data, {
      shows: (runId) => Boolean(this.track(runId)),
      add: (runId) => this.add(runId),
      say: (sentence) => this.showError(sentence),
    });
    this.columns = new Columns(this.part("columns"), {
      onRemove: (track) => this.remove(track),
      onFork: (runId) => this.form.open(runId),
      onPicture: () => this.draw(),
    });
    this.curves = new RunCurves(this.part, { onPick: (place) => this.goTo(place), onMore: () => this.write() });
    this.form = new ForkForm(this.part, data, {
      tracks: () => this.tracks,
      full: () => this.tracks.length >= MOST_COMPARED,
      made: (runId) => this.add(runId),
    });
  }

  start() {
    this.listen();
    onState("compare", (state) => this.show(state));
    this.show(readState("compare"));
    everyVisible(MINE_MS, () => visibleTab() === "compare" && this.adding.refresh());
  }

  listen() {
    const { part } = this;
    part("copy-link").addEventListener("click", (event) => copyLink(event.currentTarget));
    part("scrub").addEventListener("input", () => {
      const value = Number(part("scrub").value);
      this.goTo(value >= SCRUB ? null : (value / SCRUB) * this.end());
    });
    part("log").addEventListener("change", () => {
      this.curves.log = part("log").checked;
      this.write();
      this.apply();
    });
    new ResizeObserver(() => this.resized()).observe(part("columns"));
    whenLookChanges(() => this.resized());
    smoothChoice(part("smooth"));
  }

  // ---- the address ----

  get axis() {
    return this.curves.axis;
  }

  async show(state) {
    this.curves.axis = AXES.includes(state.x) ? state.x : "step";
    this.place = state.at !== undefined && Number.isFinite(Number(state.at)) ? Number(state.at) : null;
    this.curves.log = state.log === "1";
    this.curves.more = (state.more ?? "").split(",").filter(Boolean);
    this.part("log").checked = this.curves.log;
    this.showAxis(this.axis);
    const wanted = comparedIn(state);
    this.leave(this.tracks.filter((track) => !wanted.includes(track.id)));
    await Promise.all(wanted.filter((id) => !this.track(id)).map((id) => this.load(id)));
    this.tracks.sort((a, b) => wanted.indexOf(a.id) - wanted.indexOf(b.id));
    this.changed();
    if (state.fork && this.track(state.fork)) this.form.open(state.fork, state.from);
  }

  write() {
    writeState("compare", {
      runs: this.tracks.map((track) => track.id).join(","),
      x: this.axis === "step" ? "" : this.axis,
      at: this.place === null ? "" : rounded(this.place, 1),
      log: this.curves.log ? "1" : "",
      more: this.curves.more.join(","),
    });
  }

  // ---- which runs ----

  track(runId) {
    return this.tracks.find((track) => track.id === runId);
  }

  /** Returns whether it is among the runs that are compared. */
  async load(runId) {
    try {
      const track = await trackOf(runId, (it, change) => this.followed(it, change));
      if (this.track(runId)) return true;
      this.tracks.push(track);
      track.begin();
      return true;
    } catch (error) {
      this.showError(error.message);
      return false;
    }
  }

  async add(runId) {
    if (this.track(runId)) return this.showError(t("compare.already"));
    if (this.tracks.length >= MOST_COMPARED) return this.showError(t("compare.full"));
    this.showError("");
    if (await this.load(runId)) this.changed();
    return null;
  }

  remove(track) {
    this.leave([track]);
    this.changed();
  }

  leave(left) {
    for (const track of left) track.end();
    this.tracks = this.tracks.filter((track) => !left.includes(track));
  }

  showError(sentence) {
    this.part("error").hidden = !sentence;
    setText(this.part("error"), sentence);
  }

  /** Other runs are shown than before. */
  changed() {
    const any = this.tracks.length > 0;
    this.part("view").hidden = !any;
    this.part("empty").hidden = any;
    this.write();
    this.columns.build(this.tracks);
    setText(this.part("latents"), aboutLatents(this.tracks));
    this.curves.build(this.tracks);
    showSettings(this.part("table"), this.part("same"), this.tracks, this.data);
    this.draw();
    this.curves.refresh();
    this.form.refresh();
    this.adding.show();
    this.adding.refresh().catch(() => {});
  }

  // ---- what is new ----

  async followed(track, change) {
    if (change.size) this.refresh();
    if (change.has("gone")) this.gone(track);
    if (change.has("status") || change.has("gone")) this.form.refresh();
    if (await track.diagnose()) this.columns.showHeads(); // the pictures do not wait for it
  }

  /** What was seen of it stays. */
  gone(track) {
    track.end();
    this.showError(t("compare.gone", { title: track.meta.title }));
  }

  refreshNow() {
    this.curves.build(this.tracks);
    this.columns.showHeads();
    this.draw();
    this.curves.refresh();
  }

  // ---- the place on the axis ----

  end() {
    return Math.max(1e-9, ...this.tracks.map((track) => track.last(this.axis)));
  }

  draw() {
    const end = this.end();
    const newest = this.place === null;
    const value = newest ? SCRUB : Math.min(SCRUB - 1, Math.round((this.place / end) * SCRUB));
    if (this.part("scrub").value !== String(value)) this.part("scrub").value = String(value);
    const words = newest ? t("compare.newest") : placeName(this.axis, this.place);
    setText(this.part("place"), words);
    this.part("scrub").setAttribute("aria-valuetext", words);
    this.columns.draw(this.place, this.axis);
    this.curves.mark(this.place, end);
  }

  goTo(place) {
    this.place = place;
    this.write();
    this.draw();
    this.curves.refresh();
  }

  /** Another axis shows the same moment: that of the run that has come farthest. */
  setAxis(axis) {
    const longest = [...this.tracks].sort((a, b) => b.last(this.axis) - a.last(this.axis))[0];
    if (this.place !== null && longest)
      this.place = longest.history.placeOf(longest.history.stepAt(this.place, this.axis), axis);
    this.curves.axis = axis;
    this.showAxis(axis);
    this.write();
    this.apply();
  }

  apply() {
    this.draw();
    this.curves.apply();
  }

  resized() {
    this.draw();
    this.curves.refresh();
  }
}

function aboutLatents(tracks) {
  if (tracks.length < 2) return t("compare.one_only");
  const noise = new Set(
    tracks.map(({ meta }) => JSON.stringify([meta.shown_seed, meta.config.z_dim, meta.config.classes, meta.tiles.count])),
  );
  return t(noise.size === 1 ? "compare.latents_same" : "compare.latents_other");
}
