// The scrubber: which moment of a run is shown. The last position is always the newest picture.

import { nearest } from "../charts/numbers.js";
import { playButton } from "../core/controls/play_button.js";
import { setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { t } from "../core/text.js";

const WHOLE_PLAY_S = 12; // a whole run plays in about this time at speed 1
const AHEAD = 12;

export class Timeline {
  /** parts: {play, scrub, scrubStep, speed, toLive} elements; onShow(step | null) is asked to show a frame, null: newest. */
  constructor(parts, onShow) {
    this.parts = parts;
    this.onShow = onShow;
    this.history = null;
    this.position = null; // index into the frames, null: newest
    this.playing = false;
    this.running = false; // the run goes on while its past is looked through
    parts.scrub.addEventListener("input", () => this.seek(Number(parts.scrub.value)));
    parts.play.addEventListener("click", () => (this.playing ? this.pause() : this.play()));
    parts.toLive.addEventListener("click", () => this.toNewest());
    this.showPlay = playButton(parts.play, (playing) => t(playing ? "train.stop_playing" : "train.play"));
    this.paint();
  }

  reset(history) {
    this.pause();
    this.history = history;
    this.position = null;
    this.wanted = null;
    this.extend();
  }

  get steps() {
    return this.history?.frameSteps ?? [];
  }

  get step() {
    return this.position === null ? null : (this.steps[this.position] ?? null);
  }

  /** New frames have come, or the run was set back. */
  extend() {
    if (this.position !== null && this.position >= this.steps.length) this.position = null;
    this.parts.scrub.max = String(this.steps.length);
    this.paint();
  }

  seek(index) {
    this.pause();
    if (index >= this.steps.length) this.toNewest();
    else this.move(index);
  }

  /** Show the frame nearest to a step (a click on a curve). */
  seekStep(step) {
    if (this.steps.length) this.seek(nearest(this.steps, step));
  }

  toNewest() {
    this.pause();
    this.position = null;
    this.wanted = null;
    this.paint();
    this.onShow(null);
  }

  move(index) {
    this.position = index;
    this.paint();
    this.showOrFetch();
  }

  showOrFetch() {
    const step = this.step;
    this.wanted = step;
    if (this.history.frame(step)) {
      this.onShow(step);
      return;
    }
    this.history.want(this.steps.slice(this.position, this.position + 2), (arrived) => this.arrived(arrived));
  }

  /** Newest wins: a frame that comes late is kept for later but not shown; there is room then to fetch the wanted one. */
  arrived(step) {
    if (this.wanted === null) return;
    if (step === this.wanted) this.onShow(step);
    else if (!this.history.frame(this.wanted)) this.showOrFetch();
  }

  play() {
    if (this.steps.length < 2) return;
    this.playing = true;
    const from = this.position === null || this.position >= this.steps.length - 1 ? 0 : this.position;
    this.move(from);
    this.paint();
    let before = performance.now();
    let owed = 0;
    const advance = (now) => {
      if (!this.playing) return;
      owed = Math.min(owed + ((now - before) / 1000) * this.framesPerSecond(), 3);
      before = now;
      if (owed >= 1) owed -= this.advance(Math.floor(owed));
      requestAnimationFrame(advance);
    };
    requestAnimationFrame(advance);
  }

  framesPerSecond() {
    const calm = Math.min(30, Math.max(4, this.steps.length / WHOLE_PLAY_S));
    return calm * Number(this.parts.speed.value);
  }

  /** Go on by up to `count` frames, as far as they have arrived. Returns how far. */
  advance(count) {
    this.history.want(this.steps.slice(this.position + 1, this.position + 1 + AHEAD), (arrived) => this.arrived(arrived));
    const next = Math.min(this.position + count, this.steps.length);
    if (next >= this.steps.length) {
      this.toNewest();
      return count;
    }
    if (!this.history.frame(this.steps[next])) return 0;
    this.position = next;
    this.wanted = null;
    this.paint();
    this.onShow(this.step);
    return count;
  }

  pause() {
    this.playing = false;
    this.paint();
  }

  paint() {
    const { scrub, scrubStep, play, toLive, speed } = this.parts;
    const newest = this.position === null;
    const shown = newest ? this.steps.length : this.position;
    if (scrub.value !== String(shown)) scrub.value = String(shown);
    const words = newest ? t("train.newest") : `${t("train.step")} ${whole(this.step ?? 0)}`;
    scrub.setAttribute("aria-valuetext", words);
    setText(scrubStep, words);
    const fewFrames = this.steps.length < 2;
    scrub.disabled = play.disabled = speed.disabled = fewFrames;
    toLive.style.visibility = newest ? "hidden" : "visible";
    setText(toLive, t(this.running ? "train.back_to_live" : "train.to_the_end"));
    this.showPlay(this.playing);
  }
}
