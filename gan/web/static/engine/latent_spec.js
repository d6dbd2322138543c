// What a picture's latent is made of, and the class it is drawn as: gan.latent.spec.LatentSpec of the page, and the only
// place in the page where its text is read and written (gan/latent/query.py is the server's). Text is for addresses, links
// and the server; everything else has objects. tests/latent/golden_links.json holds what both read the same. No DOM in here.

import { rounded } from "../core/format.js";
import { queryOf } from "../core/query.js";
import { MAX_KEY, MAX_PUSHES, MAX_RINGS, MAX_STEPS, MAX_VALUE, RING, SHEETS, SPEC_KEYS } from "./constants.js";
import { readSeed } from "./seed.js";
import { Vector } from "./vector.js";

/**
 * @typedef {object} Push a push along a direction that is written out, not numbered
 * @property {number} amount lengths of the vector, -10 to 10
 * @property {Vector} vector
 * @property {boolean} [regroups] the pushed latent votes for its group anew; otherwise the picture keeps its group
 * @property {string} [at] the picture that the vector was fitted to; in no link
 */

/**
 * @typedef {object} Weights what decides which specs they can draw
 * @property {number} z_dim
 * @property {number} classes 0 where there are none
 * @property {ArrayLike<unknown>} directions the principal ones
 */

/**
 * @typedef {object} AllParts
 * @property {number} seed 0 to 2^31 - 1
 * @property {number | undefined} label the class that is drawn; undefined where none was chosen
 * @property {readonly (readonly [number, number])[]} walk neighbour's number and spread, in turn
 * @property {ReadonlyMap<number, number>} principal principal direction -> standard deviations, -10 to 10
 * @property {ReadonlyMap<number, number>} fixed raw dimension -> its value, -10 to 10
 * @property {ReadonlyMap<string, Push>} pushes directions that are written out, by name
 * @property {ReadonlySet<string>} locked names of pushes and numbers of principal directions that no other may move along
 * @property {number} psi truncation: this share of the way from the mean latent, 0 to 1
 * @property {readonly [number, number] | null} mix another class, and its share, 0 to 1
 * @property {Vector | null} base a latent that was found, instead of the seed's
 * @property {readonly [keyof typeof SHEETS, number] | null} sheet a picture of a sheet, its row, instead of the seed's own
 * @property {Readonly<Record<string, string>>} unread parts of a query that could not be read in full, as they came
 */

/** @typedef {Partial<AllParts>} Parts */

/** @type {AllParts} */
const USUAL = {
  seed: 0,
  label: undefined,
  walk: [],
  principal: new Map(),
  fixed: new Map(),
  pushes: new Map(),
  locked: new Set(),
  psi: 1,
  mix: null,
  base: null,
  sheet: null,
  unread: {},
};

/** Never changes: `with` makes another one, which shares what is the same. */
export class LatentSpec {
  /** @param {Parts} [parts] whatever is not as usual */
  constructor(parts = {}) {
    const all = { ...USUAL, ...parts };
    this.seed = all.seed;
    this.label = all.label;
    this.walk = all.walk;
    this.principal = all.principal;
    this.fixed = all.fixed;
    this.pushes = all.pushes;
    this.locked = all.locked;
    this.psi = all.psi;
    this.mix = all.mix;
    this.base = all.base;
    this.sheet = all.sheet;
    this.unread = all.unread;
    Object.freeze(this);
  }

  /**
   * The spec that a query {seed, c, m, ...} says. Numbers beyond their limits are set to them; what cannot be read is left
   * out, and its whole part stays in `unread` as it came: the server, when asked, says what is wrong with it.
   * @param {Record<string, unknown>} query may hold other keys too
   */
  static parse(query) {
    /** @type {Parts} */
    const parts = {};
    /** @type {Record<string, string>} */
    const unread = {};
    for (const [key, read] of Object.entries(READERS)) {
      const text = String(query[key] ?? "");
      const [found, whole] = text ? read(text) : [{}, true];
      Object.assign(parts, found);
      if (!whole) unread[key] = text;
    }
    return new LatentSpec({ ...parts, unread });
  }

  /**
   * The query that says this, only of what is not as usual, as every link has been written.
   * @param {Iterable<string>} [also] names of pushes that are written although they push by nothing and are not locked
   * @returns {Record<string, string>}
   */
  toQuery(also = []) {
    const { seed, label, walk, principal, fixed, locked, psi, mix, base, sheet, unread } = this;
    const written = {
      seed: String(seed),
      c: label === undefined ? "" : String(label),
      m: writePairs(walk),
      d: writePairs(principal),
      z: writePairs(fixed),
      u: writePushes(this.pushes, new Set([...locked, ...also])),
      lock: [...locked].join(","),
      psi: psi === 1 ? "" : String(psi),
      mix: mix ? writePairs([mix]) : "",
      from: base?.text ?? sheet?.join(":") ?? "",
      ...unread,
    };
    return Object.fromEntries(Object.entries(written).filter(([, text]) => text));
  }

  /**
   * The same but for these parts.
   * @param {Parts} change
   */
  with(change) {
    return new LatentSpec({ ...this, ...change });
  }

  /** The same start and class, with nothing that moves the picture. */
  unmoved() {
    const { seed, label, base, sheet } = this;
    return new LatentSpec({ seed, label, base, sheet });
  }

  /** The same without what could not be read. */
  readable() {
    return this.with({ unread: {} });
  }

  /**
   * The same with another amount of one push, or of the principal direction with this number (gan.latent.spec.along).
   * @param {string} key
   * @param {number} amount
   */
  along(key, amount) {
    if (isNumber(key)) return this.with({ principal: new Map(this.principal).set(Number(key), amount) });
    const push = this.pushes.get(key);
    return push ? this.with({ pushes: new Map(this.pushes).set(key, { ...push, amount }) }) : this;
  }

  /**
   * The same as far as these weights know what it speaks of: itself where they know all.
   * @param {Weights} weights
   */
  fitTo({ z_dim, classes, directions }) {
    const pushes = keptOf(this.pushes, (_, { vector }) => vector.length === z_dim);
    const locks = [...this.locked].filter((key) => pushes.has(key) || (isNumber(key) && Number(key) < directions.length));
    const fitted = {
      label: classes ? Math.min(this.label ?? 0, classes - 1) : undefined,
      principal: keptOf(this.principal, (k) => k < directions.length),
      fixed: keptOf(this.fixed, (i) => i < z_dim),
      pushes,
      locked: locks.length === this.locked.size ? this.locked : new Set(locks),
      mix: this.mix && this.mix[0] < classes ? this.mix : null,
      base: this.base?.length === z_dim ? this.base : null,
    };
    const same = Object.entries(fitted).every(([key, value]) => this[/** @type {keyof AllParts} */ (key)] === value);
    return same ? this : this.with(fitted);
  }

  /**
   * Whether these weights know all of it, and all of it was read.
   * @param {Weights} weights
   */
  fits(weights) {
    const { unread, pushes, base, sheet } = this;
    if (Object.keys(unread).length || pushes.size > MAX_PUSHES || this.fitTo(weights) !== this) return false;
    if (sheet && sheet[1] >= SHEETS[sheet[0]].latents) return false;
    return base?.numbers !== null && [...pushes.values()].every(({ vector }) => vector.numbers);
  }

  /**
   * Whether another one says the same.
   * @param {LatentSpec} other
   */
  equals(other) {
    return this === other || queryOf(this.toQuery()) === queryOf(other.toQuery());
  }

  /** Whether it is more than a seed and a class. */
  get edited() {
    const query = this.toQuery();
    return SPEC_KEYS.some((key) => query[key]);
  }
}

/**
 * Whether a direction is one of the principal ones, which have numbers for names.
 * @param {string} key
 */
export const isNumber = (key) => /^\d+$/.test(key);

/**
 * The map itself where all of it is right, else what is right of it.
 * @template K, V
 * @param {ReadonlyMap<K, V>} map
 * @param {(key: K, value: V) => boolean} isRight
 */
function keptOf(map, isRight) {
  const kept = [...map].filter(([key, value]) => isRight(key, value));
  return kept.length === map.size ? map : new Map(kept);
}

// ---- read ----

/**
 * What each part of a query says, and whether all of its text was understood.
 * @type {Record<string, (text: string) => [Parts, boolean]>}
 */
const READERS = {
  seed: (text) => [{ seed: readSeed(text) ?? 0 }, readSeed(text) !== null],
  c: (text) => (isNumber(text) ? [{ label: Number(text) }, true] : [{}, false]),
  m: readWalk,
  d: (text) =>
    read(
      text,
      (part) => readPair(part),
      (pairs) => ({ principal: new Map(pairs) }),
    ),
  z: (text) =>
    read(
      text,
      (part) => readPair(part),
      (pairs) => ({ fixed: new Map(pairs) }),
    ),
  u: readPushes,
  lock: (text) => [{ locked: new Set(text.split(",").filter(Boolean)) }, true],
  psi: readPsi,
  mix: readMix,
  from: readStart,
};

/**
 * Whatever is right of a list with commas.
 * @template T
 * @param {string} text
 * @param {(part: string) => T | null} readOne
 * @param {(found: T[]) => Parts} put
 * @returns {[Parts, boolean]}
 */
function read(text, readOne, put) {
  const parts = text.split(",").map(readOne);
  const found = parts.filter((part) => part !== null);
  return [put(found), found.length === parts.length];
}

/** @type {(text: string) => [Parts, boolean]} */
function readWalk(text) {
  const step = (/** @type {string} */ part) => readPair(part, RING * MAX_RINGS, 0, 1);
  const [{ walk = [] }, whole] = read(text, step, (steps) => ({ walk: steps }));
  return [{ walk: walk.slice(0, MAX_STEPS) }, whole && walk.length <= MAX_STEPS];
}

/** @type {(text: string) => [Parts, boolean]} */
function readPushes(text) {
  const [{ pushes = USUAL.pushes }, whole] = read(text, readPush, (found) => ({ pushes: new Map(found) }));
  return [{ pushes }, whole && pushes.size === text.split(",").length];
}

/** @type {(text: string) => [Parts, boolean]} */
function readPsi(text) {
  const psi = readNumber(text, 0, 1);
  return psi === null ? [{}, false] : [{ psi }, true];
}

/** @type {(text: string) => [Parts, boolean]} */
function readMix(text) {
  const [first, ...more] = text.split(",");
  const mix = readPair(first, Infinity, 0, 1);
  return [{ mix }, mix !== null && !more.length];
}

/** @type {(text: string) => [Parts, boolean]} */
function readStart(text) {
  const [name, row = "", ...more] = text.split(":");
  if (Object.hasOwn(SHEETS, name) && /^\d{1,4}$/.test(row) && !more.length)
    return [{ sheet: [/** @type {keyof typeof SHEETS} */ (name), Number(row)] }, true];
  return /^[\w-]+$/.test(text) ? [{ base: new Vector(text) }, true] : [{}, false];
}

/**
 * NAME:AMOUNT:VECTOR, or NAME:AMOUNT:VECTOR:g where the group may change; null when it is none.
 * @type {(text: string) => [string, Push] | null}
 */
function readPush(text) {
  const [key, given, vector, flag = "", ...more] = text.split(":");
  const amount = readNumber(given ?? "", -MAX_VALUE, MAX_VALUE);
  const named = key && key.length <= MAX_KEY && !isNumber(key);
  if (!named || amount === null || !vector || !["", "g"].includes(flag) || more.length) return null;
  return [key, { amount, vector: new Vector(vector), regroups: flag === "g" }];
}

/**
 * NUMBER:VALUE; null when it is none.
 * @param {string} text
 * @returns {[number, number] | null}
 */
function readPair(text, keys = Infinity, low = -MAX_VALUE, high = MAX_VALUE) {
  const [key, given, ...more] = text.split(":");
  const value = readNumber(given ?? "", low, high);
  return /^\d{1,4}$/.test(key) && Number(key) < keys && value !== null && !more.length ? [Number(key), value] : null;
}

/**
 * A number, at most its limits; null when it is none.
 * @param {string} text
 * @param {number} low
 * @param {number} high
 */
function readNumber(text, low, high) {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim())) return null;
  const value = Number(text);
  return Number.isFinite(value) ? Math.min(Math.max(value, low), high) : null;
}

// ---- write ----

/** @param {Iterable<readonly [number, number]>} pairs */
const writePairs = (pairs) => [...pairs].map(([key, value]) => `${key}:${tidy(value)}`).join(",");

/**
 * @param {ReadonlyMap<string, Push>} pushes
 * @param {Set<string>} kept names of those that are written even if they push by nothing
 */
function writePushes(pushes, kept) {
  const said = [...pushes].filter(([key, { amount }]) => amount !== 0 || kept.has(key));
  return said
    .map(([key, { amount, vector, regroups }]) => `${key}:${tidy(amount)}:${vector.text}${regroups ? ":g" : ""}`)
    .join(",");
}

const tidy = (/** @type {number} */ value) => rounded(value, 6);
