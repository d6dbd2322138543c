// Following a run: one follower asks for it, however many tabs show it, and only while one of them is open.

import { visibleTab } from "../core/gradio_shell.js";
import { everyVisible } from "../core/schedule.js";
import { api, getJSON } from "../core/server.js";
import { localised } from "../core/text.js";
import { owns } from "../core/tokens.js";
import { bitmapOf, changed } from "./difference.js";
import { RunHistory } from "./history.js";

/**
 * What is new: "run" (its description), "snapshot", "picture", "status", "gone", "again" (what was recorded is told anew),
 * and kinds of records: "rows", "frames", "events", "signals", "measures".
 *
 * @typedef {Set<string>} Change
 */
/**
 * Who shows a run in a tab. eager: whoever owns the run sees it as often as it shows something. changed(change) is called
 * after every question while the tab is open, with all that is new since the last call; so it may be nothing.
 *
 * @typedef {{tab: string, eager?: boolean, changed: (change: Change) => any}} Subscriber
 */
/** @typedef {import("./follow").FollowAnswer} FollowAnswer */
/** @typedef {import("./follow").Description & {pictures_bytes?: number}} Meta */

const OWNER_MS = 333;
const WATCHER_MS = 1000;
const READY_MS = 250; // a run gets ready, and has no picture yet
const SOON_MS = 4000; // it has one within that time, unless others learn before it
const RESTING_MS = 1500; // nothing is learning
const RECORDED_MS = 60_000;
const LOOK_MS = 1000; // at which tab is open
const LINE_END = 10;

/** @type {Map<string, RunFollower>} */
const shared = new Map();
/** @type {Map<string, Promise<RunFollower>>} */
const opening = new Map();

/**
 * The follower of a run, which knows already what there is. Who wants to hear more subscribes to it. Throws what the server
 * refuses.
 *
 * @param {string} runId
 * @returns {Promise<RunFollower>}
 */
export async function followerOf(runId) {
  const asked = shared.get(runId) ?? opening.get(runId) ?? opened(runId);
  return asked;
}

/** @param {string} runId */
function opened(runId) {
  const follower = new RunFollower(runId);
  const asked = follower.open().finally(() => opening.delete(runId));
  opening.set(runId, asked);
  return asked;
}

export class RunFollower {
  /** @param {string} runId */
  constructor(runId) {
    this.runId = runId;
    this.history = new RunHistory(runId);
    /** @type {Meta | null} */
    this.description = null;
    /** @type {import("./follow").Moment | null} */
    this.snapshot = null;
    /** @type {ImageBitmap | null} */
    this.sheet = null; // the newest pictures
    this.pixels = new Uint8Array(); // of the sheet
    this.gone = false;
    this.cursor = "";
    this.openedAt = performance.now();
    this.due = 0; // when the server is asked next
    /** @type {Map<Subscriber, Change>} */
    this.subscribers = new Map(); // with what they have not been told
    /** @type {ReturnType<typeof everyVisible> | null} */
    this.poll = null;
  }

  /** What the server says of the run. @returns {Meta} */
  get meta() {
    if (!this.description) throw new Error(`The run ${this.runId} was not asked for yet.`);
    return this.description;
  }

  get status() {
    return this.gone ? "gone" : (this.snapshot?.status ?? this.description?.status ?? null);
  }

  // ---- who is told ----

  /**
   * What there is already counts as new for a subscriber, except for the description.
   *
   * @param {Subscriber} subscriber
   */
  subscribe(subscriber) {
    if (!this.gone) shared.set(this.runId, this);
    this.subscribers.set(subscriber, new Set(["snapshot", "picture", ...this.history.kinds]));
    if (this.poll) this.poll.now();
    else this.poll = everyVisible(WATCHER_MS, () => this.tick());
  }

  /** @param {Subscriber} subscriber */
  unsubscribe(subscriber) {
    this.subscribers.delete(subscriber);
    if (this.subscribers.size) return;
    this.poll?.stop();
    this.poll = null;
    if (shared.get(this.runId) === this) shared.delete(this.runId);
  }

  /** Those whose tab is open. */
  get shown() {
    const tab = visibleTab();
    return [...this.subscribers.keys()].filter((subscriber) => subscriber.tab === tab);
  }

  /** @param {Iterable<string>} change */
  note(change) {
    for (const untold of this.subscribers.values()) for (const what of change) untold.add(what);
  }

  async tell() {
    const told = this.shown.map((subscriber) => {
      const change = this.subscribers.get(subscriber);
      this.subscribers.set(subscriber, new Set());
      return subscriber.changed(change ?? new Set());
    });
    await Promise.all(told);
  }

  // ---- asking ----

  /** Ask again at once. */
  now() {
    this.due = 0;
    this.poll?.now();
  }

  /** Returns after how many ms to look again. */
  async tick() {
    if (!this.shown.length) return LOOK_MS;
    const { due } = this;
    const asks = !this.gone && performance.now() >= due;
    if (asks) await this.askUnlessGone();
    await this.tell();
    if (asks && this.due === due) this.due = performance.now() + this.pace();
    return Math.min(LOOK_MS, Math.max(0, this.due - performance.now()));
  }

  pace() {
    if (this.meta.recorded) return RECORDED_MS;
    if (!this.snapshot) return performance.now() - this.openedAt < SOON_MS ? READY_MS : WATCHER_MS;
    if (this.status !== "running") return RESTING_MS;
    return owns(this.runId) && this.shown.some(({ eager }) => eager) ? OWNER_MS : WATCHER_MS;
  }

  async askUnlessGone() {
    try {
      await this.ask();
    } catch (error) {
      if (!error.details?.gone) throw error;
      this.lose();
    }
  }

  /** The first question. */
  async open() {
    await this.ask();
    this.due = performance.now() + this.pace();
    return this;
  }

  async ask() {
    const response = await api(`runs/${this.runId}/follow?since=${this.cursor}`);
    if (response.status === 204) return;
    const bytes = new Uint8Array(await response.arrayBuffer());
    const end = bytes.indexOf(LINE_END);
    /** @type {FollowAnswer} */
    const answer = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
    const { run, snapshot } = answer;
    this.take(
      { ...answer, run: localised(run), snapshot: localised(snapshot) },
      answer.picture && (await this.pictured(answer.picture, bytes.subarray(end + 1))),
    );
  }

  /**
   * @param {import("./follow").Picture} picture
   * @param {Uint8Array<ArrayBuffer>} changes
   */
  async pictured(picture, changes) {
    if (picture.webp) return { pixels: new Uint8Array(), sheet: await createImageBitmap(new Blob([changes])) };
    const pixels = changed(picture.difference ? this.pixels : new Uint8Array(changes.length), changes);
    return { pixels, sheet: await bitmapOf(pixels, picture) };
  }

  /**
   * All of an answer at once, so that nobody sees half of it.
   *
   * @param {FollowAnswer} answer
   * @param {{pixels: Uint8Array, sheet: ImageBitmap}} [pictures]
   */
  take({ cursor, again, run, snapshot, records }, pictures) {
    const before = this.status;
    this.cursor = cursor;
    if (run) this.describedAs(run);
    if (snapshot) this.snapshot = snapshot;
    if (pictures) this.sheet?.close();
    if (pictures) Object.assign(this, pictures);
    const kinds = again ? this.history.kinds : [];
    if (again) this.history.clear();
    const news = { run, snapshot, picture: pictures, again, status: this.status !== before };
    this.note([...kinds, ...this.history.append(records ?? {}), ...named(news)]);
  }

  /** @param {Meta} run */
  describedAs(run) {
    this.description = { ...this.description, ...run };
  }

  /** Ask for the description alone, with what only its owner hears. */
  async describe() {
    this.describedAs(await getJSON(`runs/${this.runId}`));
    this.note(["run"]);
    await this.tell();
  }

  /** The run was deleted, or the server was started anew without it: what was seen stays, and nothing more is asked. */
  lose() {
    const gone = { status: "gone", message: "" };
    this.gone = true;
    this.description = { ...this.meta, ...gone, needs: "" };
    if (this.snapshot) this.snapshot = { ...this.snapshot, ...gone };
    if (shared.get(this.runId) === this) shared.delete(this.runId);
    this.note(["gone"]);
  }
}

/**
 * The names of what there is.
 *
 * @param {Record<string, any>} found
 */
const named = (found) => Object.keys(found).filter((name) => found[name]);
