// The Interpolation tab: a row of pictures (keyframe_row.js), and what can be done with them. The whole state is in the link.

import { start } from "../core/boot.js";
import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { setText } from "../core/dom.js";
import { newestWins } from "../core/schedule.js";
import { t } from "../core/text.js";
import { fittedKeyframes } from "../engine/keyframes.js";
import { WeightsTab } from "../weights/weights_tab.js";
import { showWhoDraws } from "../weights/who_draws.js";
import { Arithmetic } from "./arithmetic.js";
import { Export } from "./export.js";
import { Crossing } from "./grid.js";
import { Keyframes } from "./keyframe_row.js";
import { Plane } from "./plane.js";
import { addressOf, mostFrames, readAddress } from "./state.js";
import { Walk } from "./walk.js";

export function mount(root) {
  const tab = new InterpolationTab(root);
  start(() => tab.begin());
}

class InterpolationTab extends WeightsTab {
  constructor(root) {
    super("interpolation", root);
    this.sections = [...root.querySelectorAll("[data-view]")];
    this.makeParts(root.firstElementChild);
    this.drawNewest = newestWins(() => this.draw());
    this.part("needs-add").addEventListener("click", () => this.keyframes.add());
    radioGroup(this.part("shows"), "show", (show) => this.move({ show }));
  }

  makeParts(root) {
    const { part } = this;
    const hooks = {
      state: () => this.state,
      about: () => this.about,
      move: (change) => this.move(change),
      note: (change) => this.note(change),
      keep: (spec) => this.keyframes.add(spec),
      choose: (i) => this.keyframes.choose(i),
      view: () => this.view,
    };
    this.keyframes = new Keyframes(part, hooks);
    this.views = {
      walk: new Walk(part, root, hooks),
      map: new Plane(part, hooks),
      sum: new Arithmetic(part, hooks),
      grid: new Crossing(part, hooks),
    };
    this.exports = new Export(part, hooks);
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

  /** Change what nothing else is drawn from. */
  note(change) {
    Object.assign(this.state, change);
    this.settle();
  }

  redraw() {
    return this.drawNewest();
  }

  async draw() {
    await this.keyframes.draw();
    if (!this.lacks) showWhoDraws(this.part("drawn"), await this.view.draw(), this.about);
  }

  address() {
    return addressOf(this.state);
  }
}
