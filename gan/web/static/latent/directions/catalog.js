// Which directions there are for some weights, and which of them have a slider. An entry: {key, kind, vector, regroups, at}.
// What a person taught or opened, and chose to see, stays in this browser.

import { notify } from "../../core/notice.js";
import { read, write } from "../../core/storage.js";
import { t } from "../../core/text.js";
import { isNumber } from "../../engine/latent_spec.js";
import { Vector } from "../../engine/vector.js";

export const KINDS = ["measured", "attribute", "weak", "own", "class", "varied", "principal"]; // in the order of the page
export const OF_VALUES = ["attribute", "weak"]; // those towards a value of an attribute
const FOUND = ["measured", ...OF_VALUES];
export const MOST_SHOWN = 12;
const FIRST_OF_THE_LAYER = 3; // shown at the beginning, after the named ones
const [OWN, SHOWN] = ["directions", "sliders"]; // under these names the browser remembers them, for each of the weights

export class Catalog {
  /** about(): what is known of the weights. */
  constructor(about) {
    this.about = about;
    this.weights = ""; // their id
    this.stamp = ""; // of the weights in which directions were found; "" until they are
    this.fittedTo = ""; // the picture that some are fitted to (fitting.js)
    this.entries = new Map();
    this.shown = new Set(); // keys of those with a slider; those that the spec speaks of have one anyway
  }

  /** For the weights as they are now; what was found in the same ones before stays. False where they are others. */
  begin() {
    const about = this.about();
    const same = this.weights === about.id;
    const found = same ? this.sorted().filter((entry) => entry.vector && entry.kind !== "own") : [];
    if (!same) this.stamp = this.fittedTo = "";
    this.weights = about.id;
    this.entries = new Map();
    for (const key of about.measured) this.add({ key, kind: "measured" });
    about.directions.forEach((_, k) => this.add({ key: String(k), kind: "principal" }));
    for (const entry of [...found, ...this.own().map((entry) => ({ ...entry, kind: "own" }))]) this.add(entry);
    return same;
  }

  add(entry) {
    this.entries.set(entry.key, { ...this.entries.get(entry.key), ...entry });
  }

  /** A link may hold directions that nobody here has saved. */
  addPushes(pushes) {
    for (const [key, { vector, regroups }] of pushes)
      if (!this.entries.get(key)?.vector) this.add({ kind: "own", ...this.entries.get(key), key, vector, regroups });
  }

  /** What the server has found in these weights; of the kinds in FOUND there are no others. */
  take(stamp, directions) {
    this.stamp = stamp;
    const found = new Set(directions.map((entry) => entry.key));
    for (const [key, { kind }] of this.entries) if (FOUND.includes(kind) && !found.has(key)) this.entries.delete(key);
    for (const entry of directions) this.add(withVector(entry));
    if (!Array.isArray(read(SHOWN)[this.weights])) this.readShown(); // those towards attributes are known only now
  }

  /** In the order of the kinds. */
  sorted() {
    return [...this.entries.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
  }

  /** Whether it has been found. */
  isReady(key) {
    return isNumber(key) || Boolean(this.entries.get(key)?.vector);
  }

  /** Whether it is fitted to each picture; one's own direction of the same name is not. */
  isFitted(key) {
    return this.entries.get(key)?.kind === "measured" && this.about().steered.includes(key);
  }

  /** A push along a direction by nothing; null for the principal ones, which have numbers. */
  pushOf(key) {
    if (isNumber(key)) return null;
    const { vector, regroups, at = "" } = this.entries.get(key);
    return { amount: 0, vector, regroups, at };
  }

  nameOf(key) {
    const { kind } = this.entries.get(key) ?? { kind: isNumber(key) ? "principal" : "own" };
    if (kind === "principal") return t("latent.direction", { k: Number(key) + 1 });
    if (kind === "varied") return t("latent.varied", { k: Number(key.slice(7)) + 1 });
    if (kind === "class") return t("latent.towards", { name: key.slice(6) });
    return kind === "measured" ? t(`latent.measured_${key}`) : (this.nameOfValue(key) ?? key);
  }

  /** "attribute-1-2": the third value of the second attribute. A link may name one before it has been found again. */
  nameOfValue(key) {
    const { title, value } = this.valueOf(key);
    return value && t("latent.attribute", { attribute: title, value });
  }

  /** {title: of the attribute that the key is about, value, at: which of its values that is}; nothing of other keys. */
  valueOf(key) {
    const [, a, at] = /^attribute-(\d+)-(\d+)$/.exec(key) ?? [];
    const { title, values } = this.about().attributes[a] ?? {};
    return { title, value: values?.[at], at: Number(at) };
  }

  /** What is said about a kind of directions. */
  aboutKind(kind) {
    return t(`latent.kind_${kind === "attribute" && this.about().told ? "told" : kind}`);
  }

  // ---- which are shown ----

  /** As the person chose last; at first the named ones, and some of the layer's. */
  readShown() {
    const kept = read(SHOWN)[this.weights];
    const keys = Array.isArray(kept) ? kept.filter((key) => this.entries.has(key)) : this.usual();
    this.shown = new Set(keys);
  }

  usual() {
    const of = (...kinds) => [...this.entries.values()].filter(({ kind }) => kinds.includes(kind)).map(({ key }) => key);
    const { told, open_mouth } = this.about(); // of told attributes each has a list (attributes.js)
    const values = told ? of(...OF_VALUES).filter((key) => key === open_mouth) : of("attribute");
    const named = [...of("measured"), ...values, ...of("own")];
    return [...named, ...of("principal").slice(0, named.length ? FIRST_OF_THE_LAYER : MOST_SHOWN)].slice(0, MOST_SHOWN);
  }

  keepShown() {
    keep(SHOWN, { ...read(SHOWN), [this.weights]: [...this.shown] });
  }

  // ---- one's own ----

  own() {
    const kept = read(OWN)[this.weights];
    if (!Array.isArray(kept)) return [];
    return kept.filter(({ key, vector }) => typeof key === "string" && typeof vector === "string").map(withVector);
  }

  /** More of one's own, [{key, vector, regroups}]; each takes the place of another of its name. */
  save(entries) {
    const kept = new Map([...this.own(), ...entries].map((entry) => [entry.key, entry]));
    this.keepOwn([...kept.values()]);
    for (const entry of entries) {
      this.add({ ...entry, kind: "own" });
      this.shown.add(entry.key);
    }
    this.keepShown();
  }

  forget(key) {
    this.keepOwn(this.own().filter((entry) => entry.key !== key));
    this.entries.delete(key);
    this.shown.delete(key);
    this.keepShown();
  }

  keepOwn(entries) {
    const texts = entries.map(({ key, vector, regroups }) => ({ key, vector: vector.text, regroups }));
    keep(OWN, { ...read(OWN), [this.weights]: texts });
  }
}

/**
 * What was sent or kept, with a vector instead of its text.
 *
 * @param {{ key: string, vector?: string, regroups?: boolean, [more: string]: unknown }} entry
 */
export const withVector = ({ key, vector, ...more }) => ({ key, ...more, vector: vector ? new Vector(vector) : undefined });

function keep(name, value) {
  if (!write(name, value)) notify(t("latent.not_kept"), "info");
}
