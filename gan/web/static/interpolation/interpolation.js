// The Interpolation tab: a row of pictures (keyframe_row.js), and what can be done with them. The whole state is in the link.

import { start } from "../core/boot.js";
import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { setText } from "../core/dom.js";
import { newestWins } from "../core/schedule.js";
import { t } from "../core/text.js";
import { fittedKeyframes, keyframesQuery, readKeyframes } from "../engine/keyframes.js";
import { WeightsTab } from "../weights/weights_tab.js";
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

export function mount(root) {
  const tab = new InterpolationTab(root);
  start(() => tab.begin());
}

class InterpolationTab extends WeightsTab {
  constructor(root) {
    super("interpolation", root);
    this.keyframes = new Keyframes(this.part, this);
    this.views = {
      walk: new Walk(this.part, this, root.firstElementChild),
      map: new Plane(this.part, this),
      sum: new Arithmetic(this.part, this),
      grid: new Crossing(this.part, this),
    };
    this.sections = [...root.querySelectorAll("[data-view]")];
    this.exports = new Export(this.part, this);
    this.drawNewest = newestWins(() => this.draw());
    this.part("needs-add").addEventListener("click", () => this.keyframes.add());
    radioGroup(this.part("shows"), "show", (show) => this.move({ show }));
  }

  // ---- which weights ----

  stateOf(address) {
    return readAddress(address);
  }

  fitted() {
    return { keyframes: fittedKeyframes(this.state.keyframes, this.about) };
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

  /** Every other second: a path is many pictures. */
  async keepUp() {
    if (this.followed && this.ticks % 2 === 0) await this.follow();
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

  redraw() {
    return this.drawNewest();
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
