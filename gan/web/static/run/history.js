// What has happened in a run so far: its records, column by column, and the pictures of its stored frames.

import { between, nearest } from "../charts/numbers.js";
import { api } from "../core/server.js";
import { localised } from "../core/text.js";

/** @typedef {Record<string, any[]>} Columns of a kind of record, by name */
/** @typedef {Record<string, any>} Fields of one record */

export const REAL_COLUMNS = 8; // of the sheet of real pictures beside a run
const KEPT_FRAMES = 400;
const AT_ONCE = 4; // of the browser's six connections

export class RunHistory {
  /** @param {string} runId */
  constructor(runId) {
    this.runId = runId;
    this.clear();
  }

  clear() {
    /** @type {Record<string, Columns>} */
    this.records = {}; // kind -> its columns
    /** @type {Map<number, {fake: number[] | null, real: number[] | null}>} */
    this.verdicts = new Map(); // by the step of a frame
    /** @type {import("../charts/further_charts.js").Event[]} */
    this.events = [];
    /** @type {Fields[]} */
    this.measures = [];
    /** @type {Map<number, ImageBitmap>} */
    this.bitmaps = new Map(); // by step, least recently used first
    /** @type {Map<number, boolean>} */
    this.loading = new Map();
  }

  /**
   * Take over what is new. Returns the kinds of which there is more.
   *
   * @param {Record<string, Columns>} records
   */
  append(records) {
    for (const [kind, all] of Object.entries(records)) {
      const added = kind === "measures" ? later(all) : all;
      this.records[kind] = joined(this.records[kind] ?? {}, added);
      if (kind === "events") extend(this.events, asFields(added).map(localised));
      if (kind === "measures") extend(this.measures, asFields(added));
      if (kind === "frames") this.appendVerdicts(added);
    }
    return Object.keys(records);
  }

  /** @param {Columns} frames */
  appendVerdicts({ step: steps, fake, real }) {
    for (const [i, step] of steps.entries()) this.verdicts.set(step, { fake: fake?.[i] ?? null, real: real?.[i] ?? null });
  }

  /** The kinds of records that there are. */
  get kinds() {
    return Object.keys(this.records);
  }

  /** The steps of the stored frames. */
  get frameSteps() {
    return this.recorded("frames", "step");
  }

  /**
   * The row nearest to a step, as {column: value}, or null.
   *
   * @param {number} step
   */
  rowAt(step) {
    const at = nearest(this.column("step"), step);
    return at < 0 ? null : fieldsAt(this.records.rows, at);
  }

  /** The newest row. */
  get lastRow() {
    return this.rowAt(Number.POSITIVE_INFINITY);
  }

  /** @param {string} name */
  column = (name) => this.recorded("rows", name);

  /**
   * Where a step lies on an axis ("step", "images" or "seconds"): read between the rows beside it.
   *
   * @param {number} step
   * @param {string} axis
   */
  placeOf(step, axis) {
    return axis === "step" ? step : between(this.column("step"), this.column(axis), step);
  }

  /**
   * The step at a place on an axis.
   *
   * @param {number} place
   * @param {string} axis
   */
  stepAt(place, axis) {
    return axis === "step" ? place : between(this.column(axis), this.column("step"), place);
  }

  /**
   * A column of a kind of record.
   *
   * @param {string} kind
   * @param {string} name
   * @returns {any[]}
   */
  recorded = (kind, name) => this.records[kind]?.[name] ?? [];

  /**
   * The names of a kind's columns of numbers.
   *
   * @param {string} kind
   */
  recordedNames(kind) {
    const columns = Object.entries(this.records[kind] ?? {});
    return columns.filter(([, values]) => values.some(Number.isFinite)).map(([name]) => name);
  }

  /**
   * The picture of a stored frame, or null while it is on its way.
   *
   * @param {number} step
   */
  frame(step) {
    const bitmap = this.bitmaps.get(step);
    if (!bitmap) return null;
    this.bitmaps.delete(step);
    this.bitmaps.set(step, bitmap);
    return bitmap;
  }

  /**
   * Begin to fetch these frames, the first one first; done(step) is called for each that arrives.
   *
   * @param {number[]} steps
   * @param {(step: number) => void} done
   */
  want(steps, done) {
    for (const step of steps) {
      if (this.loading.size >= AT_ONCE) return;
      if (this.bitmaps.has(step) || this.loading.has(step)) continue;
      this.loading.set(step, true);
      this.load(step).then(done, () => {});
    }
  }

  /** @param {number} step */
  async load(step) {
    const { bitmaps, loading } = this;
    try {
      const response = await api(`runs/${this.runId}/frames/${step}`, { cache: "default" });
      const bitmap = await createImageBitmap(await response.blob());
      bitmaps.set(step, bitmap);
      if (bitmaps.size > KEPT_FRAMES) {
        const [oldest] = bitmaps.keys();
        bitmaps.get(oldest)?.close();
        bitmaps.delete(oldest);
      }
    } finally {
      loading.delete(step);
    }
    return step;
  }
}

/**
 * Measures without that of what the run began with, which is for the diagnosis alone: beside noise nothing else is seen.
 *
 * @param {Columns} measures
 */
function later(measures) {
  const kept = measures.step.map((step) => step > 0);
  const columns = Object.entries(measures).map(([name, values]) => [name, values.filter((_, i) => kept[i])]);
  return Object.fromEntries(columns);
}

/**
 * Columns one below the other; a column that only one side has is empty (null) on the other.
 *
 * @param {Columns} held
 * @param {Columns} added
 */
function joined(held, added) {
  const before = held.step?.length ?? 0;
  for (const name of new Set([...Object.keys(held), ...Object.keys(added)])) {
    held[name] ??= new Array(before).fill(null);
    extend(held[name], added[name] ?? new Array(added.step.length).fill(null));
  }
  return held;
}

/**
 * One by one: what a long run has recorded may be more than a function takes as its arguments.
 *
 * @param {any[]} list
 * @param {any[]} added
 */
function extend(list, added) {
  for (const item of added) list.push(item);
}

/** @param {Columns} columns */
const asFields = (columns) => columns.step.map((_, i) => fieldsAt(columns, i));

/**
 * @param {Columns} columns
 * @param {number} i
 * @returns {Fields}
 */
const fieldsAt = (columns, i) => Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]]));
