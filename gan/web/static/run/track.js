// One run in the Compare tab: what is known of it, kept up to date, and its pictures at any moment.

import { RECORDS } from "../charts/curves.js";
import { nearest } from "../charts/numbers.js";
import { bitmapOf } from "../core/canvas.js";
import { getJSON } from "../core/server.js";
import { Verdicts } from "./diagnosis.js";
import { RunHistory } from "./history.js";

const RECORDS_MS = 4000;

export class Track {
  constructor(runId) {
    this.id = runId;
    this.history = new RunHistory(runId);
    this.verdicts = new Verdicts(runId);
    this.diagnosis = null; // {verdicts, cure}, of the version judged
    this.judged = null;
    this.meta = null;
    this.snapshot = null;
    this.sheet = null;
    this.version = 0;
    this.recordsAt = -Infinity;
    this.gone = false;
  }

  get status() {
    if (this.gone) return "gone";
    return this.meta.recorded ? "recording" : (this.snapshot?.status ?? this.meta.status);
  }

  get step() {
    return this.snapshot?.step ?? this.meta.step;
  }

  async open() {
    this.meta = await getJSON(`runs/${this.id}`);
    return this;
  }

  /** Fetch what is new; returns whether anything was. */
  update() {
    return this.unlessGone(() => this.fetchNew());
  }

  /** Fetch the diagnosis where the run has gone on since; returns whether there is an answer. */
  diagnose() {
    return this.unlessGone(() => this.fetchDiagnosis());
  }

  /** Nothing is asked of a run that is gone. */
  async unlessGone(ask) {
    if (this.gone) return false;
    try {
      return await ask();
    } catch (error) {
      if (!error.details?.gone) throw error;
      this.gone = true;
      return true;
    }
  }

  async fetchNew() {
    const next = await getJSON(`runs/${this.id}/live?since=${this.version}`);
    if (next) await this.take(next);
    if (!this.snapshot) return false;
    const [changed, recorded] = await Promise.all([this.history.update(this.snapshot), this.records()]);
    return Boolean(next) || recorded || Object.values(changed).some(Boolean);
  }

  async take(next) {
    const before = this.snapshot?.status;
    const sheet = next.tiles ? await bitmapOf(next.tiles) : this.sheet;
    if (sheet !== this.sheet) this.sheet?.close();
    Object.assign(this, { snapshot: next, version: next.version, sheet });
    if (before !== next.status) await this.open();
  }

  async records() {
    const now = performance.now();
    if (now - this.recordsAt < RECORDS_MS) return false;
    this.recordsAt = now;
    const changed = await Promise.all(RECORDS.map((what) => this.history.updateRecords(what)));
    return changed.some(Boolean);
  }

  async fetchDiagnosis() {
    const { version } = this;
    const answer = version !== this.judged && (await this.verdicts.renew(this.status === "running"));
    if (!answer) return false;
    Object.assign(this, { diagnosis: answer, judged: version });
    return true;
  }

  /** A server that was started anew counts its versions anew. */
  startAgain() {
    this.version = 0;
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
    if (place === null || !frameSteps.length) return { step: this.step, sheet: this.sheet, ended: false };
    const step = frameSteps[nearest(frameSteps, this.history.stepAt(place, axis))];
    const sheet = this.history.frame(step);
    if (!sheet) this.history.want([step], arrived);
    return { step, sheet, ended: place > 1.001 * this.last(axis) };
  }
}
