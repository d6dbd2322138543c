// What has happened in a run so far: rows of numbers, stored frames, events. Fetched piece by piece, kept once.

import { between, nearest } from "../charts/numbers.js";
import { api, getJSON } from "../core/server.js";

const KEPT_FRAMES = 400;
const AT_ONCE = 4; // of the browser's six connections

export class RunHistory {
  constructor(runId) {
    this.runId = runId;
    this.clear();
  }

  clear() {
    this.columns = {};
    this.rowCount = 0;
    this.frameSteps = [];
    this.verdicts = new Map(); // step -> {fake, real}
    this.events = [];
    this.records = {}; // signals and measures: what -> {count, columns}
    this.measures = [];
    this.bitmaps = new Map(); // step -> ImageBitmap, least recently used first
    this.loading = new Map();
  }

  /** The row nearest to a step, as {column: value}, or null. */
  rowAt(step) {
    const at = nearest(this.column("step"), step);
    return at < 0 ? null : Object.fromEntries(Object.entries(this.columns).map(([name, values]) => [name, values[at]]));
  }

  column = (name) => this.columns[name] ?? [];

  /** Where a step lies on an axis ("step", "images" or "seconds"): read between the rows beside it. */
  placeOf(step, axis) {
    return axis === "step" ? step : between(this.column("step"), this.column(axis), step);
  }

  /** The step at a place on an axis. */
  stepAt(place, axis) {
    return axis === "step" ? place : between(this.column(axis), this.column("step"), place);
  }

  /** A column of what the run records besides its rows ("signals" or "measures"), and the steps it belongs to. */
  recorded = (what, name) => this.records[what]?.columns[name] ?? [];

  /** Names of all those columns. */
  recordedNames(what) {
    return Object.keys(this.records[what]?.columns ?? {});
  }

  /**
   * Fetch what is new. counts: {row_count, frame_count, event_count, measure_count, generation} of the live answer; the generation
   * changes when a run went back and what came after was thrown away. Returns what has changed.
   */
  async update(counts) {
    const rewound = this.rowCount > 0 && (counts.row_count < this.rowCount || counts.generation !== this.generation);
    if (rewound) this.clear();
    this.generation = counts.generation;
    const [rows, frames, events, measures] = await Promise.all([
      counts.row_count > this.rowCount && this.fetchRows(),
      counts.frame_count > this.frameSteps.length && this.fetchFrames(),
      counts.event_count !== this.events.length && this.fetchEvents(),
      counts.measure_count > this.measures.length && this.fetchMeasures(),
    ]);
    return {
      rows: Boolean(rows) || rewound,
      frames: Boolean(frames) || rewound,
      events: Boolean(events),
      measures: Boolean(measures) || rewound,
    };
  }

  async fetchRows() {
    const { columns, rows } = await getJSON(`runs/${this.runId}/rows?from=${this.rowCount}`);
    for (const [i, name] of columns.entries()) {
      this.columns[name] ??= [];
      for (const row of rows) this.columns[name].push(row[i]);
    }
    this.rowCount += rows.length;
    return rows.length > 0;
  }

  async fetchFrames() {
    const { steps, verdict_fake, verdict_real } = await getJSON(`runs/${this.runId}/frames?from=${this.frameSteps.length}`);
    this.frameSteps.push(...steps);
    steps.forEach((step, i) => this.verdicts.set(step, { fake: verdict_fake?.[i] ?? null, real: verdict_real?.[i] ?? null }));
    return steps.length > 0;
  }

  async fetchEvents() {
    this.events = (await getJSON(`runs/${this.runId}/events`)).events;
    return true;
  }

  async fetchMeasures() {
    this.measures.push(...(await getJSON(`runs/${this.runId}/measures?from=${this.measures.length}`)).measures);
    return true;
  }

  /** Fetch what is new of the signals or the measures. Returns whether there was anything. */
  async updateRecords(what) {
    const held = this.records[what];
    const { generation, runId } = this;
    const { count, columns } = await getJSON(`runs/${runId}/columns/${what}?from=${held?.count ?? 0}`);
    if (!count || generation !== this.generation || held !== this.records[what]) return false;
    this.records[what] = joined(held ?? { count: 0, columns: {} }, { count, columns });
    return true;
  }

  /** The picture of a stored frame, or null while it is on its way. */
  frame(step) {
    const bitmap = this.bitmaps.get(step);
    if (!bitmap) return null;
    this.bitmaps.delete(step);
    this.bitmaps.set(step, bitmap);
    return bitmap;
  }

  /** Begin to fetch these frames, the first one first; done(step) is called for each that arrives. */
  want(steps, done) {
    for (const step of steps) {
      if (this.loading.size >= AT_ONCE) return;
      if (this.bitmaps.has(step) || this.loading.has(step)) continue;
      this.loading.set(step, true);
      this.load(step).then(done, () => {});
    }
  }

  async load(step) {
    const { bitmaps, loading } = this;
    try {
      const response = await api(`runs/${this.runId}/frames/${step}.png`, { cache: "default" });
      const bitmap = await createImageBitmap(await response.blob());
      bitmaps.set(step, bitmap);
      if (bitmaps.size > KEPT_FRAMES) {
        const [oldest] = bitmaps.keys();
        bitmaps.get(oldest).close();
        bitmaps.delete(oldest);
      }
    } finally {
      loading.delete(step);
    }
    return step;
  }
}

/** Columns one below the other; a column that only one side has is empty (null) on the other. */
function joined(before, after) {
  const names = new Set([...Object.keys(before.columns), ...Object.keys(after.columns)]);
  const empty = ({ count }) => new Array(count).fill(null);
  const columns = [...names].map((name) => [name, [before, after].flatMap((part) => part.columns[name] ?? empty(part))]);
  return { count: before.count + after.count, columns: Object.fromEntries(columns) };
}
