// One run in the Compare tab: what is known of it, and its pictures at any moment.

import { nearest } from "../charts/numbers.js";
import { Verdicts } from "../run/diagnosis.js";
import { followerOf } from "../run/follower.js";

export class Track {
  /** changed(track, change): see the follower of a run (run/follower.js). */
  constructor(follower, changed) {
    this.follower = follower;
    this.id = follower.runId;
    this.verdicts = new Verdicts(this.id);
    this.diagnosis = null; // {verdicts, cure}, of the version judged
    this.judged = null;
    this.subscriber = { tab: "compare", changed: (change) => changed(this, change) };
  }

  get history() {
    return this.follower.history;
  }

  get meta() {
    return this.follower.meta;
  }

  get snapshot() {
    return this.follower.snapshot;
  }

  get gone() {
    return this.follower.gone;
  }

  get status() {
    return this.meta.recorded && !this.gone ? "recording" : this.follower.status;
  }

  /** Its status, or what is to be said instead. */
  get kind() {
    const waits = this.status === "running" && Number.isFinite(this.snapshot?.place?.before);
    return waits ? "waiting" : this.status;
  }

  get step() {
    return this.snapshot?.step ?? this.meta.step;
  }

  begin() {
    this.follower.subscribe(this.subscriber);
  }

  end() {
    this.follower.unsubscribe(this.subscriber);
  }

  /** Fetch the diagnosis where the run has gone on since; returns whether there is an answer. */
  async diagnose() {
    const version = this.snapshot?.version ?? null;
    if (this.gone || version === this.judged) return false;
    const answer = await this.verdicts.renew(this.status === "running").catch((error) => this.unlessGone(error));
    if (answer) Object.assign(this, { diagnosis: answer, judged: version });
    return Boolean(answer);
  }

  unlessGone(error) {
    if (!error.details?.gone) throw error;
    this.follower.lose();
  }

  /** Where the run has come to on an axis. */
  last(axis) {
    const newest = { step: this.step, images: this.snapshot?.images, seconds: this.snapshot?.seconds }[axis] ?? 0;
    return Math.max(newest, this.history.column(axis).at(-1) ?? 0);
  }

  /**
   * What the run showed at a place on an axis (null: the newest): {step, sheet or null while it is fetched, ended}.
   * arrived() is called when a picture that was missing has come.
   */
  at(place, axis, arrived) {
    const { frameSteps } = this.history;
    if (place === null || !frameSteps.length) return { step: this.step, sheet: this.follower.sheet, ended: false };
    const step = frameSteps[nearest(frameSteps, this.history.stepAt(place, axis))];
    const sheet = this.history.frame(step);
    if (!sheet) this.history.want([step], arrived);
    return { step, sheet, ended: place > 1.001 * this.last(axis) };
  }
}

/** A run to compare; it is followed from `begin` to `end`. Throws what the server refuses. */
export async function trackOf(runId, changed) {
  return new Track(await followerOf(runId), changed);
}
