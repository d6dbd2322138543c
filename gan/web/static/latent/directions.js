// Directions as sliders: which ones there are, which are shown, a strip of pictures under each, teaching one by marking.
// A direction that is not one of the first layer's is a vector (Vector); it travels in the address with its amount. Some
// are fitted to the picture at hand (about.steered): `at` says to which.

import { drawTiles, putPicture } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { saveFile } from "../core/files/downloads.js";
import { signed } from "../core/format.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { newestWins } from "../core/schedule.js";
import { api, getJSON, url } from "../core/server.js";
import { read, write } from "../core/storage.js";
import { t } from "../core/text.js";
import { drawStripsHere } from "../engine/draw_here.js";
import { isNumber, LatentSpec } from "../engine/latent_spec.js";
import { Vector } from "../engine/vector.js";
import { fetchPixels, slotOf } from "../weights/pixels.js";

const LIMIT = 3;
const STRIP = 2 * LIMIT + 1;
const MOST_SHOWN = 12;
const FIRST_OF_THE_LAYER = 3; // shown at the beginning, after the named ones
const TO_MARK = 24;
const KINDS = ["measured", "own", "class", "varied", "principal"];
const [OWN, SHOWN] = ["directions", "sliders"]; // under these names the browser remembers them, for each of the weights
const MARKS = [undefined, "more", "less"]; // what a click makes of a picture, in turn

/**
 * The sliders of the tab. `host` is the tab: host.state, host.spec, host.about, host.move(change), host.refine(change),
 * host.query() (what a picture is asked for with).
 */
export class Directions {
  constructor(part, host) {
    this.part = part;
    this.host = host;
    this.catalog = new Map();
    this.rows = [];
    this.made = new Map(); // a row for every key that was ever shown of these weights
    this.load = newestWins((id) => this.fetchCatalog(id));
    this.showStrips = newestWins(() => this.drawStrips());
    this.showFitted = newestWins(() => this.fit());
    this.teaching = new Teaching(part, this);
    this.bind();
  }

  // ---- what there is ----

  /** Sliders for these weights; those that must be looked for first are there at once, and move when they are found. */
  build() {
    const { about } = this.host;
    const sameWeights = this.weights === about.id;
    this.weights = about.id;
    if (!sameWeights) this.stamp = this.fitted = "";
    const found = sameWeights ? [...this.catalog.values()].filter((entry) => entry.vector && entry.kind !== "own") : [];
    this.catalog = new Map();
    if (!sameWeights) this.made = new Map();
    for (const key of about.measured) this.add({ key, kind: "measured" });
    about.directions.forEach((_, k) => this.add({ key: String(k), kind: "principal" }));
    found.forEach((entry) => this.add(entry));
    this.ownDirections().forEach((entry) => this.add({ ...entry, kind: "own" }));
    this.addFromSpec();
    this.shown = this.readShown();
    this.rebuild();
    if (!this.stamp) this.load(about.id);
  }

  add(entry) {
    this.catalog.set(entry.key, { ...this.catalog.get(entry.key), ...entry });
  }

  /** A link may hold directions that nobody here has saved; what it holds belongs to its picture. */
  addFromSpec() {
    const { pushes } = this.host.spec;
    const here = this.picture();
    if ([...pushes.values()].some(({ at }) => at === undefined))
      this.host.refine({ pushes: new Map([...pushes].map(([key, push]) => [key, { at: here, ...push }])) });
    for (const [key, { vector, regroups }] of pushes)
      if (!this.catalog.get(key)?.vector) this.add({ kind: "own", ...this.catalog.get(key), key, vector, regroups });
  }

  async fetchCatalog(id) {
    const { stamp, directions } = await getJSON(`weights/${encodeURIComponent(id)}/directions`);
    if (id !== this.weights) return;
    this.stamp = stamp;
    directions.forEach((entry) => this.add(withVector(entry)));
    const found = new Set(directions.map((entry) => entry.key));
    for (const [key, { kind }] of this.catalog) if (kind === "measured" && !found.has(key)) this.catalog.delete(key);
    this.rebuild();
    this.showStrips();
  }

  /** Rows and chips in the order of the kinds. */
  rebuild() {
    const entries = [...this.catalog.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
    const wanted = entries.filter(({ key }) => this.shown.has(key) || this.isSet(key));
    for (const entry of wanted) if (!this.made.has(entry.key)) this.made.set(entry.key, this.row(entry));
    this.rows = wanted.map(({ key }) => this.made.get(key));
    const elements = this.rows.map((row) => row.element);
    const box = this.part("directions");
    const same = elements.length === box.children.length && elements.every((element, i) => element === box.children[i]);
    if (!same) box.replaceChildren(...elements); // a slider that is being dragged must stay where it is
    this.part("directions-box").hidden = !entries.length;
    this.buildChips(entries);
    this.show();
  }

  isSet(key) {
    const { principal, pushes, locked } = this.host.spec;
    return principal.has(Number(key)) || pushes.has(key) || locked.has(key);
  }

  amountOf(key) {
    const { principal, pushes } = this.host.spec;
    return (isNumber(key) ? principal.get(Number(key)) : pushes.get(key)?.amount) ?? 0;
  }

  nameOf({ key, kind }) {
    if (kind === "principal") return t("latent.direction", { k: Number(key) + 1 });
    if (kind === "varied") return t("latent.varied", { k: Number(key.slice(7)) + 1 });
    if (kind === "class") return t("latent.towards", { name: key.slice(6) });
    return kind === "measured" ? t(`latent.measured_${key}`) : key;
  }

  /** The name of a direction by its key. */
  named(key) {
    return this.nameOf(this.catalog.get(key) ?? { key, kind: isNumber(key) ? "principal" : "own" });
  }

  // ---- a slider and its strip ----

  row(entry) {
    const { key, kind } = entry;
    const id = `gf-direction-${key}`;
    const name = this.nameOf(entry);
    const range = { min: -LIMIT, max: LIMIT, step: 0.05 };
    const input = h("input", { type: "range", id, class: "gf-slider gf-both-ways", ...range });
    const zero = h("button", { type: "button", class: "gf-value gf-num", title: t("latent.to_zero") });
    const lock = h("button", { type: "button", class: "gf-lock", title: t("latent.lock_hint") });
    lock.append(lockIcon());
    lock.setAttribute("aria-label", t("latent.lock", { name }));
    const strip = h("canvas", { class: "gf-canvas gf-along", "aria-hidden": "true", title: t("latent.strip_hint") });
    input.addEventListener("input", () => this.push(key, Number(input.value)));
    zero.addEventListener("click", () => this.push(key, 0));
    lock.addEventListener("click", () => this.toggleLock(key));
    strip.addEventListener("click", (event) => this.isReady(key) && this.push(key, stripAmount(strip, event)));
    const title = t(`latent.kind_${this.isFitted(entry) ? "fitted" : kind}`);
    const label = h("label", { htmlFor: id, title }, name);
    const share = kind === "principal" && h("span", { class: "gf-hint gf-num" });
    if (share) label.append(" ", share);
    const element = h("div", { class: "gf-direction", dataset: { gf: "direction", key } }, label, lock, zero, input, strip);
    const show = (value) => {
      input.disabled = lock.disabled = !this.isReady(key);
      input.value = value;
      input.style.setProperty("--gf-at", `${(50 * value) / LIMIT + 50}%`);
      setText(zero, signed(value));
      zero.setAttribute("aria-label", t("latent.value_name", { name, value: signed(value) }));
      zero.classList.toggle("gf-is-set", value !== 0);
      lock.setAttribute("aria-pressed", String(this.host.spec.locked.has(key)));
      if (share) setText(share, `(${percent(this.host.about.directions[Number(key)].share)})`);
    };
    return { key, element, strip, show };
  }

  /** Whether it has been found. */
  isReady(key) {
    return isNumber(key) || Boolean(this.catalog.get(key)?.vector);
  }

  /** Sliders as the state says. */
  show() {
    for (const row of this.rows) row.show(this.amountOf(row.key));
  }

  push(key, amount) {
    if (!this.isReady(key)) return;
    this.host.move(this.moved(key, amount));
    this.show();
  }

  /** What changes about the spec; a push by nothing stays in it only while it is locked. */
  moved(key, amount, locked = this.host.spec.locked) {
    if (isNumber(key)) return { locked, principal: replaced(this.host.spec.principal, Number(key), amount || undefined) };
    const { pushes } = this.host.spec;
    const push = { ...this.entryOf(key), ...pushes.get(key), amount };
    return { locked, pushes: replaced(pushes, key, amount || locked.has(key) ? push : undefined) };
  }

  /** A push along a direction of the catalog, by nothing. */
  entryOf(key) {
    const { vector, regroups, at = "" } = this.catalog.get(key);
    return { amount: 0, vector, regroups, at };
  }

  toggleLock(key) {
    const locked = new Set(this.host.spec.locked);
    if (!locked.delete(key)) locked.add(key);
    this.host.move(this.moved(key, this.amountOf(key), locked));
    this.show();
  }

  // ---- fitted to the picture ----

  /** One's own direction of the same name is not. */
  isFitted(entry) {
    return entry?.kind === "measured" && this.host.about.steered.includes(entry.key);
  }

  /** Which picture a fit belongs to, as text: the one before any push that keeps its group. */
  picture() {
    const { w, spec } = this.host.state;
    const regrouping = new Map([...spec.pushes].filter(([, { regroups }]) => regroups));
    return queryOf({ w, ...spec.with({ pushes: regrouping }).toQuery() });
  }

  /** Fetch what is fitted to the picture on the stage. In the state too it replaces what was fitted to another, if free. */
  async fit() {
    const at = this.picture();
    const shown = this.rows.some(({ key }) => this.isFitted(this.catalog.get(key)));
    if (!shown || !this.stamp || this.fitted === at || this.host.about.gone) return;
    const query = queryOf({ ...this.host.query(), stamp: this.stamp, slot: slotOf("steered") });
    const { directions } = await getJSON(`steered?${query}`).catch((error) => {
      if (error.offline) return {}; // the page goes on with the directions that it has
      throw error;
    });
    if (!directions) return;
    if (at !== this.picture()) return; // the hand has moved on, and will rest again
    this.fitted = at;
    const { locked } = this.host.spec;
    const pushes = new Map(this.host.spec.pushes);
    for (const { key, vector } of directions.map(withVector).filter(({ key }) => this.isFitted(this.catalog.get(key)))) {
      this.add({ key, vector, at });
      const pushed = pushes.get(key);
      if (pushed && pushed.at !== at && !locked.has(key)) pushes.set(key, { ...pushed, vector, at });
    }
    this.host.refine({ pushes });
    this.showStrips();
  }

  /** The spec with every shown direction in it. */
  specWith(rows) {
    const pushes = new Map(this.host.spec.pushes);
    for (const { key } of rows) if (!isNumber(key) && !pushes.has(key)) pushes.set(key, this.entryOf(key));
    return this.host.spec.with({ pushes });
  }

  async drawStrips() {
    this.showFitted(); // the strips do not wait for it, and are drawn again
    const rows = this.rows.filter((row) => this.isReady(row.key)).slice(0, MOST_SHOWN);
    if (!rows.length || this.weights !== this.host.state.w) return;
    const keys = rows.map((row) => row.key);
    const drawn = await stripsOf(this.weights, this.specWith(rows), keys);
    this.strips = { drawn, keys };
    this.layout();
  }

  /** Draw the strips again, as wide as there is room. */
  layout() {
    if (!this.strips) return;
    this.strips.keys.forEach((key, i) => {
      const row = this.rows.find((one) => one.key === key);
      if (row) drawStrip(row.strip, this.strips.drawn, i);
    });
  }

  // ---- which are shown ----

  buildChips(entries) {
    const groups = KINDS.map((kind) => [kind, entries.filter((entry) => entry.kind === kind)]);
    const boxes = groups
      .filter(([, group]) => group.length)
      .map(([kind, group]) => {
        const chips = group.map((entry) => this.chip(entry));
        const label = h("p", { class: "gf-hint" }, t(`latent.kind_${kind}`));
        return h("div", {}, label, h("div", { class: "gf-row gf-chip-row" }, chips));
      });
    this.part("chips").replaceChildren(...boxes);
    this.part("export").disabled = !this.ownDirections().length;
  }

  chip(entry) {
    const { key, kind } = entry;
    const props = { type: "button", class: "gf-btn gf-btn-mini gf-chip", dataset: { key } };
    const button = h("button", { ...props, onclick: () => this.toggleShown(key) }, this.nameOf(entry));
    button.setAttribute("aria-pressed", String(this.shown.has(key) || this.isSet(key)));
    if (kind !== "own") return button;
    const remove = h("button", { type: "button", class: "gf-chip-remove", onclick: () => this.forget(key) }, "×");
    remove.setAttribute("aria-label", t("latent.forget", { name: key }));
    return h("span", { class: "gf-chip-own" }, button, remove);
  }

  toggleShown(key) {
    if (this.shown.has(key) || this.isSet(key)) this.hide(key);
    else if (this.rows.length >= MOST_SHOWN) notify(t("latent.most_sliders", { most: MOST_SHOWN }), "info");
    else this.shown.add(key);
    this.keepShown();
    this.rebuild();
    this.showStrips();
  }

  hide(key) {
    this.shown.delete(key);
    if (!this.isSet(key)) return;
    const locked = new Set(this.host.spec.locked);
    locked.delete(key);
    this.host.move(this.moved(key, 0, locked));
  }

  readShown() {
    const kept = read(SHOWN)[this.weights];
    if (Array.isArray(kept)) return new Set(kept.filter((key) => this.catalog.has(key)));
    const named = [...this.catalog.values()].filter(({ kind }) => kind === "measured" || kind === "own");
    const numbered = [...this.catalog.values()].filter(({ kind }) => kind === "principal");
    const first = [...named, ...numbered.slice(0, named.length ? FIRST_OF_THE_LAYER : MOST_SHOWN)];
    return new Set(first.slice(0, MOST_SHOWN).map(({ key }) => key));
  }

  keepShown() {
    keep(SHOWN, { ...read(SHOWN), [this.weights]: [...this.shown] });
  }

  // ---- one's own ----

  ownDirections() {
    const kept = read(OWN)[this.weights];
    if (!Array.isArray(kept)) return [];
    return kept.filter(({ key, vector }) => typeof key === "string" && typeof vector === "string").map(withVector);
  }

  save(entries) {
    const kept = new Map(this.ownDirections().map((entry) => [entry.key, entry]));
    for (const entry of entries) kept.set(entry.key, entry);
    this.keepOwn([...kept.values()]);
    for (const entry of entries) {
      this.add({ ...entry, kind: "own" });
      this.shown.add(entry.key);
    }
    this.keepShown();
    this.rebuild();
    this.showStrips();
  }

  keepOwn(entries) {
    const texts = entries.map(({ key, vector, regroups }) => ({ key, vector: vector.text, regroups }));
    keep(OWN, { ...read(OWN), [this.weights]: texts });
  }

  forget(key) {
    this.keepOwn(this.ownDirections().filter((entry) => entry.key !== key));
    this.hide(key);
    this.catalog.delete(key);
    this.made.delete(key);
    this.keepShown();
    this.rebuild();
  }

  async open(file) {
    try {
      const options = { method: "POST", body: file, headers: { "Content-Type": "application/json" } };
      const response = await api(`weights/${encodeURIComponent(this.weights)}/directions`, options);
      const { directions } = await response.json();
      this.save(directions.map(withVector));
    } catch (error) {
      notify(error.message, "error");
    }
  }

  bind() {
    this.part("teach").addEventListener("click", () => this.teaching.open());
    this.part("choose").addEventListener("click", () => {
      const box = this.part("chips-box");
      box.hidden = !box.hidden;
      this.part("choose").setAttribute("aria-expanded", String(!box.hidden));
    });
    this.part("export").addEventListener("click", (event) => {
      const own = new Map(this.ownDirections().map(({ key, ...entry }) => [key, { ...entry, amount: 1 }]));
      const { u } = new LatentSpec({ pushes: own }).toQuery();
      event.currentTarget.href = url(`directions.json?${queryOf({ w: this.weights, stamp: this.stamp, u })}`);
      saveFile(event);
    });
    this.part("import").addEventListener("change", (event) => {
      const [file] = event.target.files;
      event.target.value = "";
      if (file) this.open(file);
    });
  }
}

/** The dialog: pictures to be marked, and what the marks make of the picture on the stage. */
class Teaching {
  constructor(part, directions) {
    this.part = part;
    this.directions = directions;
    this.learn = newestWins(() => this.askForDirection());
    this.fill = newestWins(() => this.drawPictures());
    const click = (name, fn) => part(name).addEventListener("click", fn);
    click("teach-close", () => part("teach-dialog").close());
    click("teach-others", () => this.turn());
    click("teach-open", () => this.openLast());
    click("teach-clear", () => this.clear());
    part("teach-form").addEventListener("submit", (event) => this.keep(event));
  }

  async open() {
    this.page = 0;
    this.marks = new Map();
    this.last = null; // the row that was clicked last
    this.vector = null;
    this.part("teach-name").value = "";
    this.part("teach-dialog").showModal();
    this.update();
    await this.fill();
  }

  /** The next pictures; marks stay. */
  turn() {
    this.page += 1;
    this.fill();
  }

  clear() {
    this.marks.clear();
    this.vector = null;
    this.part("teach-strip").width = 0;
    this.paint();
    this.update();
  }

  /** Rows of the study: of conditional weights, where classes take turns, those of the chosen class. */
  shownRows() {
    const { about, spec } = this.directions.host;
    const [first, every] = about.classes ? [spec.label, about.classes] : [0, 1];
    const pages = Math.floor(about.studied / every / TO_MARK);
    return Array.from({ length: TO_MARK }, (_, i) => first + every * (TO_MARK * (this.page % pages) + i));
  }

  async drawPictures() {
    const rows = this.shownRows();
    const { weights, stamp } = this.directions;
    const drawn = await fetchPixels("study", { w: weights, rows: rows.join(","), stamp }, "study");
    this.stamp = drawn.stamp;
    const buttons = rows.map((row, i) => {
      const canvas = h("canvas", { class: "gf-canvas", "aria-hidden": "true" });
      putPicture(canvas, drawn, i);
      return h("button", { type: "button", class: "gf-mark", dataset: { row }, onclick: () => this.mark(row) }, canvas);
    });
    this.part("teach-pictures").replaceChildren(...buttons);
    this.paint();
  }

  mark(row) {
    this.last = row;
    const next = MARKS[(MARKS.indexOf(this.marks.get(row)) + 1) % MARKS.length];
    if (next) this.marks.set(row, next);
    else this.marks.delete(row);
    this.paint();
    this.update();
    if (this.rowsOf("more").length && this.rowsOf("less").length) this.learn();
  }

  rowsOf(kind) {
    return [...this.marks].filter(([, mark]) => mark === kind).map(([row]) => row);
  }

  paint() {
    [...this.part("teach-pictures").children].forEach((button, i) => {
      const mark = this.marks.get(Number(button.dataset.row));
      button.dataset.mark = mark ?? "";
      button.setAttribute("aria-label", t(`latent.teach_mark_${mark ?? "none"}`, { i: i + 1 }));
    });
  }

  update() {
    const [more, less] = [this.rowsOf("more").length, this.rowsOf("less").length];
    setText(this.part("teach-count"), t(more && less ? "latent.teach_count" : "latent.teach_start", { more, less }));
    this.part("teach-save").disabled = !this.vector;
    this.part("teach-open").disabled = this.last === null;
  }

  /** The study's latents are drawn from seed 0, its classes in turn. */
  openLast() {
    const { host } = this.directions;
    this.part("teach-dialog").close();
    const c = host.about.classes ? String(this.last % host.about.classes) : "";
    host.restore({ w: host.about.id, seed: "0", c, from: `study:${this.last}` });
  }

  async askForDirection() {
    const [more, less] = [this.rowsOf("more"), this.rowsOf("less")];
    if (!more.length || !less.length) return;
    const { weights, host } = this.directions;
    const query = queryOf({ w: weights, more: more.join(","), less: less.join(","), stamp: this.stamp });
    const { vector } = await getJSON(`teach?${query}`);
    this.vector = new Vector(vector);
    this.update();
    const spec = host.spec.with({
      pushes: new Map([["new", { amount: 0, vector: this.vector, regroups: false }]]),
      locked: new Set(),
    });
    drawStrip(this.part("teach-strip"), await stripsOf(host.state.w, spec, ["new"]), 0);
  }

  keep(event) {
    event.preventDefault();
    const typed = this.part("teach-name").value.replace(/[:,]/g, " ").trim().slice(0, 40);
    const name =
      isNumber(typed) || !typed ? t("latent.teach_unnamed", { i: typed || this.directions.ownDirections().length + 1 }) : typed;
    this.directions.save([{ key: name, vector: this.vector, regroups: false }]);
    this.part("teach-dialog").close();
  }
}

/** From this page where it can draw them, else from the server. */
async function stripsOf(w, spec, keys) {
  const query = { w, ...spec.toQuery(keys), along: keys.join(",") };
  return (await drawStripsHere(w, spec, keys)) ?? (await fetchPixels("strips", query, "strips"));
}

/**
 * What was sent or kept, with a vector instead of its text.
 *
 * @param {{ key: string, vector?: string, regroups?: boolean, [more: string]: unknown }} entry
 */
const withVector = ({ key, vector, ...more }) => ({ key, ...more, vector: vector ? new Vector(vector) : undefined });

/** A map with another value for a key, or without it where the value is undefined. */
function replaced(map, key, value) {
  const other = new Map(map);
  if (value === undefined) other.delete(key);
  else other.set(key, value);
  return other;
}

const percent = (share) => `${(100 * share).toFixed(share < 0.095 ? 1 : 0)} %`;

function drawStrip(canvas, { pixels, channels, size }, i) {
  const length = STRIP * channels * size * size;
  const source = { pixels: pixels.subarray(i * length, (i + 1) * length), channels, count: STRIP };
  const width = canvas.parentElement.clientWidth;
  if (width) drawTiles(canvas, source, { size, columns: STRIP, count: STRIP, width, gap: 2, justify: true, maxScale: 2 });
}

function stripAmount(canvas, event) {
  const { left, width } = canvas.getBoundingClientRect();
  return Math.min(STRIP - 1, Math.max(0, Math.floor((STRIP * (event.clientX - left)) / width))) - LIMIT;
}

function lockIcon() {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const shapes = { rect: { x: "3", y: "7", width: "10", height: "7", rx: "1.5" }, path: { d: "M5.5 7V5a2.5 2.5 0 0 1 5 0v2" } };
  for (const [tag, props] of Object.entries(shapes)) {
    const shape = svg.appendChild(document.createElementNS(ns, tag));
    for (const [name, value] of Object.entries(props)) shape.setAttribute(name, value);
  }
  return svg;
}

export function keep(name, value) {
  if (!write(name, value)) notify(t("latent.not_kept"), "info");
}
