// There and back: what was shown before each change. A change is what lies between two rests of the hand.

const MOST = 200;

/** @typedef {import("./state.js").State} State */

/** Other weights begin anew: what was drawn with the ones before is not gone back to. */
export class Undo {
  /** @type {State[]} */
  #past = [];
  /** @type {State[]} */
  #future = [];
  /** @type {State | null} */
  #rested = null;

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  /**
   * The hand rests.
   *
   * @param {State} now
   */
  remember(now) {
    const before = this.#rested;
    if (!before || before.w !== now.w) [this.#past, this.#future] = [[], []];
    else if (!before.spec.equals(now.spec)) [this.#past, this.#future] = [[...this.#past, before].slice(-MOST), []];
    this.#rested = now;
  }

  /**
   * A change that nobody made by hand is no step of its own.
   *
   * @param {State} before
   * @param {State} after
   */
  refine(before, after) {
    if (this.#rested?.w === before.w && this.#rested.spec.equals(before.spec)) this.#rested = after;
  }

  /**
   * What was there before the last change; null where there was none.
   *
   * @param {State} now
   */
  undo(now) {
    this.remember(now);
    return this.#travel(this.#past, this.#future, now);
  }

  /**
   * What was left with undo last; null where nothing was, or where something changed since.
   *
   * @param {State} now
   */
  redo(now) {
    this.remember(now);
    return this.#travel(this.#future, this.#past, now);
  }

  /**
   * @param {State[]} from
   * @param {State[]} to
   * @param {State} now
   */
  #travel(from, to, now) {
    const there = from.pop() ?? null;
    if (there) to.push(now);
    this.#rested = there ?? now;
    return there;
  }
}
