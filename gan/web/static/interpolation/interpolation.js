// The Interpolation tab: a row of pictures (keyframe_row.js), and what can be done with them. The whole state is in the link.

import { onState, openTab, readState, writeState } from "../core/address.js";
import { start } from "../core/boot.js";
import { copyLink } from "../core/controls/copy_link.js";
import { chooser, markChosen } from "../core/controls/radio_group.js";
import { setText } from "../core/dom.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { afterPause, everyVisible, newestWins } from "../core/schedule.js";
import { t } from "../core/text.js";
import { behind, bring, holds } from "../engine/draw_here.js";
import { fittedKeyframes, keyframesQuery, readKeyframes } from "../engine/keyframes.js";
import { aboutWeights, firstChoice, keepFresh, newestAbout } from "../weights/about.js";
import { weightsSelect } from "../weights/select.js";
import { showWhoDraws } from "../weights/who_draws.js";
import { Arithmetic } from "./arithmetic.js";
import { Export } from "./export.js";
import { Crossing } from "./grid.js";
import { Keyframes } from "./keyframe_row.js";
import { MIDDLE, Plane } from "./plane.js";
import { mostFrames, Walk } from "./walk.js";

const MODES = ["slerp", "lerp", "smooth"];
const SHOWS = ["walk", "map", "sum", "grid"];
const USUAL_GRID = 5;
const SPEEDS = [5, 10, 20, 30];
const QUIET_MS = 150;

export function mount(root) {
  const tab = new InterpolationTab(root);
  start(() => tab.begin());
}

class InterpolationTab {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.keyframes = new Keyframes(this.part, this);
    this.views = {
      walk: new Walk(this.part, this, root.firstElementChild),
      map: new Plane(this.part, this),
      sum: new Arithmetic(this.part, this),
      grid: new Crossing(this.part, this),
    };
    this.sections = [...root.querySelectorAll("[data-view]")];
    this.exports = new Export(this.part, this);
    this.ticks = 0;
    this.redraw = newestWins(() => this.draw());
    this.settle = afterPause(QUIET_MS, () => writeState("interpolation", this.address()));
    this.select = weightsSelect(this.part("weights"), (id) => this.choose(id));
    this.part("copy-link").addEventListener("click", (event) => this.copy(event.currentTarget));
    this.part("go-train").addEventListener("click", () => openTab("train"));
    this.part("needs-add").addEventListener("click", () => this.keyframes.add());
    chooser(
      this.part("shows"),
      "show",
      () => this.state.show,
      (show) => this.move({ show }),
    );
  }

  async begin() {
    onState("interpolation", (state) => this.open(state));
    await this.open(readState("interpolation"));
    everyVisible(1000, () => this.tick());
  }

  // ---- which weights ----

  async open(address) {
    this.state = readAddress(address);
    const weights = await this.select.refresh(address.w);
    const first = firstChoice(weights);
    const id = address.w ?? first;
    this.part("view").hidden = !id;
    this.part("empty").hidden = Boolean(id);
    if (id && !(await this.choose(id)) && first && first !== id) await this.choose(first);
  }

  /** Draw with these weights from now on; false, and a sentence, when they cannot be had. */
  async choose(id) {
    try {
      this.about = await aboutWeights(id);
    } catch (error) {
      notify(error.message, "error");
      return false;
    }
    this.state = { ...this.state, w: id, keyframes: fittedKeyframes(this.state.keyframes, this.about) };
    await this.select.refresh(id, this.about.title);
    this.part("weights").disabled = false;
    this.build();
    this.part("view").removeAttribute("aria-busy");
    await this.redraw();
    this.settle();
    this.bring();
    return true;
  }

  /** The weights come to the page while the server draws; from then on the page draws by itself. */
  async bring() {
    if (await bring(this.about)) await this.redraw();
  }

  build() {
    this.keyframes.build();
    this.exports.build();
    this.showView();
  }

  /** The chosen view, or what it still needs. */
  showView() {
    const { show } = this.state;
    markChosen(this.part("shows"), "show", show);
    this.part("needs").hidden = !this.lacks;
    if (this.lacks) setText(this.part("needs-words"), t(`interpolation.needs_${show}`));
    this.exports.show();
    this.part("export").hidden = this.lacks;
    for (const section of this.sections) section.hidden = section.dataset.view !== show || this.lacks;
    if (!this.lacks) this.view.build();
  }

  async tick() {
    if (visibleTab() !== "interpolation") return;
    this.ticks += 1;
    if (!this.about) return this.ticks % 3 ? undefined : this.open(readState("interpolation"));
    await keepFresh(this.about);
    if (this.ticks % 5 === 0) await this.select.refresh(this.state.w, this.about.title);
    if (this.ticks % 5 === 0 && !holds(this.state.w) && !this.about.gone) this.bring(); // they were lost on their way
    if (!(this.about.live || behind(this.about)) || this.about.gone || this.ticks % 2) return;
    const { stamp } = this.about;
    this.about = await newestAbout(this.about);
    if (this.about.gone) notify(t("latent.gone_hint"), "error");
    if (holds(this.about.id)) await this.bring();
    else if (this.about.stamp !== stamp) await this.redraw();
  }

  // ---- what is shown ----

  get view() {
    return this.views[this.state.show];
  }

  /** Whether the view needs more pictures than there are. */
  get lacks() {
    return this.state.keyframes.length < (this.view.needs ?? 0);
  }

  /** Change the state and draw; a longer path has fewer pictures for each leg. */
  move(change) {
    Object.assign(this.state, change);
    this.state.frames = Math.min(this.state.frames, mostFrames(this.state));
    this.showView();
    this.redraw();
    this.settle();
  }

  async draw() {
    await this.keyframes.draw();
    if (!this.lacks) showWhoDraws(this.part("drawn"), await this.view.draw(), this.about);
  }

  // ---- the state and its text ----

  pathQuery() {
    const { w, keyframes, mode, frames, loop } = this.state;
    return { w, ...keyframesQuery(keyframes), mode, frames, loop: loop ? 1 : "" };
  }

  address() {
    const { fps, boomerang, scale, show, at, grid } = this.state;
    const views = {
      show: show === "walk" ? "" : show,
      at: String(at) === String(MIDDLE) ? "" : at.join(","),
      grid: grid === USUAL_GRID ? "" : grid,
    };
    return { ...this.pathQuery(), fps: fps === 20 ? "" : fps, boomerang: boomerang ? "" : "0", scale, ...views };
  }

  copy(button) {
    writeState("interpolation", this.address());
    copyLink(button);
  }
}

function readAddress(address) {
  const [frames, fps, scale] = [Number(address.frames ?? 24), Number(address.fps ?? 20), Number(address.scale)];
  const at = (address.at ?? "").split(",").map(Number);
  const state = {
    w: address.w,
    keyframes: readKeyframes(address),
    mode: MODES.includes(address.mode) ? address.mode : "slerp",
    loop: address.loop === "1",
    fps: SPEEDS.includes(fps) ? fps : 20,
    boomerang: address.boomerang !== "0",
    scale: scale || undefined,
    show: SHOWS.includes(address.show) ? address.show : "walk",
    at: at.length === 2 && at.every((share) => Math.abs(share) <= 2) ? at : MIDDLE,
    grid: address.grid === "classes" ? "classes" : Number(address.grid ?? USUAL_GRID),
  };
  return { ...state, frames: Math.min(Math.max(Number.isInteger(frames) ? frames : 24, 2), mostFrames(state)) };
}
