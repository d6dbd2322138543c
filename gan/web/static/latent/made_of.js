// The card "What is it made of": the nearest training pictures of the picture on the stage, what D says of it and looked at,
// the same noise in early states of the run, and every layer's feature maps. Nothing is asked for until the card is opened;
// then it follows the picture whenever the hand rests.

import { cssColor, drawTiles, fitPicture, pixelsToImageData, putPicture } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { short, whole } from "../core/format.js";
import { queryOf } from "../core/query.js";
import { newestWins } from "../core/schedule.js";
import { api } from "../core/server.js";
import { t } from "../core/text.js";
import { bytesOf } from "../engine/vector.js";
import { slotOf } from "../weights/pixels.js";

const AGAIN_MS = 500; // while the server is making something ready
const KEEP_UP_MS = 5000; // between two looks at weights that learn
const SHOWN = 6;
const DIMMED = 0.55; // brightness of the picture under what D looked at
const COLUMNS = 8; // of feature maps; twice as many where there is room
const WIDE = 460; // CSS pixels

/** The card. `host` is the tab: host.about, host.query() (what a picture is asked for with). */
export class MadeOf {
  constructor(part, host) {
    this.part = part;
    this.card = part("made-of");
    this.host = host;
    this.lookedAt = -Infinity;
    this.sections = null; // made when the card is first opened
    this.waiting = {}; // slot -> the timer after which it is asked again
    this.card.addEventListener("toggle", () => this.follow());
    new ResizeObserver(() => this.layout()).observe(this.card);
  }

  /** The picture on the stage is another one, and rests. */
  follow() {
    if (!this.card.open || !this.host.about) return;
    this.lookedAt = performance.now();
    this.sections ??= this.build();
    for (const section of this.sections) section.show();
  }

  /** The weights have learned meanwhile. */
  keepUp() {
    if (performance.now() - this.lookedAt > KEEP_UP_MS) this.follow();
  }

  build() {
    this.discriminator = new Discriminator(this, this.part("made-verdict"));
    const nearest = new Nearest(this, this.part("made-nearest"));
    this.layers = new Layers(this, this.part("made-layers"));
    return [nearest, this.discriminator, new Snapshots(this, this.part("made-snapshots")), this.layers];
  }

  layout() {
    for (const canvas of this.card.querySelectorAll("figure canvas, .gf-made-step canvas")) fitted(canvas);
    this.layers?.layout();
  }

  /** What a route of the card says; while it is still making ready, what it does, as {words}, and it is asked again. */
  async ask(route, values, again) {
    const slot = slotOf(`made-${route}-${values.way ?? (values.row === undefined ? "" : "real")}`);
    const response = await api(`made-of/${route}?${queryOf({ ...this.host.query(), ...values, slot })}`);
    clearTimeout(this.waiting[slot]);
    if (response.status === 202) this.waiting[slot] = setTimeout(() => this.card.open && again(), AGAIN_MS);
    return response.json();
  }
}

// ---- training pictures ----

class Nearest {
  constructor(card, box) {
    this.card = card;
    this.box = box;
    this.rows = new Map();
    this.show = newestWins(() => this.read("pixels"));
    this.showFeatures = newestWins(() => this.read("features"));
    this.also = h("button", { type: "button", class: "gf-btn gf-small", hidden: true }, t("made_of.also_features"));
    this.also.title = t("made_of.also_features_hint");
    this.also.addEventListener("click", () => {
      this.wantsFeatures = true;
      this.showFeatures();
    });
    box.append(h("div", {}, this.also));
  }

  async read(way) {
    const found = await this.card.ask("nearest", { way }, way === "pixels" ? this.show : this.showFeatures);
    this.rowOf(way).show(found);
    if (way === "features") this.also.hidden = true;
    else if (!found.words) this.offer(found.ways?.includes("features") ?? false);
    if (way === "pixels") this.card.discriminator.compare(found.rows?.[0]);
  }

  /** Features take longer, so they are only looked at when somebody wants them. */
  offer(known) {
    if (known && this.wantsFeatures) return this.showFeatures();
    this.also.hidden = !known;
    this.rows.get("features")?.element.remove();
    this.rows.delete("features");
  }

  rowOf(way) {
    if (!this.rows.has(way)) {
      const row = new NearestRow(this.card, way);
      this.rows.set(way, row);
      this.also.parentElement.before(row.element);
    }
    return this.rows.get(way);
  }
}

/** One way of looking: the verdict, this picture, and the nearest ones beside it. */
class NearestRow {
  constructor(card, way) {
    this.card = card;
    this.way = way;
    this.verdict = h("b", { class: "gf-made-verdict" });
    this.words = h("span");
    this.why = h("p", { class: "gf-hint" });
    this.pictures = Array.from({ length: SHOWN + 1 }, () => picture());
    const title = h("span", { class: "gf-hint", title: t(`made_of.way_${way}_hint`) }, t(`made_of.way_${way}`));
    const says = h("p", { class: "gf-made-says", role: "status" }, this.verdict, " ", this.words);
    const row = h(
      "div",
      { class: "gf-made-row" },
      this.pictures.map(({ element }) => element),
    );
    this.element = h("div", { class: "gf-stack-tight", dataset: { way } }, title, row, says, this.why);
    this.row = row;
  }

  show(found) {
    this.row.hidden = !found.images;
    this.verdict.hidden = !found.images;
    this.why.hidden = !found.images;
    if (!found.images) return setText(this.words, found.words ?? found.why);
    const { rows, distances, copied } = found;
    setText(this.verdict, t(copied ? "made_of.copy" : "made_of.new"));
    this.verdict.dataset.copied = copied;
    const values = this.valuesOf(found);
    const key = found.unseen === null ? "near_all" : "near_seen";
    setText(this.words, t(`made_of.${key}`, values));
    setText(this.why, t(`made_of.${key}_why`, values));
    const drawn = drawnOf(found);
    this.pictures.forEach((picture, i) => {
      picture.element.hidden = i >= drawn.count;
      if (i >= drawn.count) return;
      putPicture(picture.canvas, drawn, i);
      const distance = i && this.distance(distances[i - 1]);
      const words = i ? t("made_of.nearest_picture", { row: rows[i - 1] + 1, distance }) : t("made_of.yours");
      setText(picture.caption, i ? distance : words);
      picture.canvas.setAttribute("aria-label", words);
    });
    this.card.layout();
  }

  valuesOf({ distances, unseen, score, limit, lower, trained, held, judged }) {
    const number = unseen === null ? (value) => this.distance(value) : (value) => value.toFixed(2);
    return {
      near: this.distance(distances[0]),
      unseen: this.distance(unseen ?? 0),
      score: number(score),
      limit: number(limit),
      lower: percent(lower),
      trained: trained.toLocaleString("en-US"),
      held: held.toLocaleString("en-US"),
      judged: judged.toLocaleString("en-US"),
    };
  }

  distance(value) {
    return this.way === "pixels" ? `${(100 * value).toFixed(1)} %` : value.toFixed(2);
  }
}

// ---- the discriminator ----

const WORDS = [
  [0.1, "surely_generated"],
  [0.4, "rather_generated"],
  [0.6, "undecided"],
  [0.9, "rather_real"],
  [Infinity, "surely_real"],
];

class Discriminator {
  constructor(card, box) {
    this.card = card;
    this.words = h("p", { class: "gf-made-says", role: "status" });
    this.real = h("p", { class: "gf-hint" });
    this.change = h("span", { class: "gf-hint" });
    this.pairs = ["yours", "real_picture"].map((what) => new Heat(t(`made_of.${what}`)));
    this.row = h(
      "div",
      { class: "gf-made-pairs", hidden: true },
      this.pairs.map((pair) => pair.elements),
    );
    this.legend = legend(this.change);
    box.append(this.row, this.words, this.real, this.legend);
    this.show = newestWins(() => this.read());
    this.compare = newestWins((row) => this.readReal(row));
  }

  async read() {
    const found = await this.card.ask("verdict", {}, this.show);
    const known = Boolean(found.heat);
    this.row.hidden = this.legend.hidden = !known;
    if (!known) {
      this.real.hidden = true;
      return setText(this.words, found.why ?? found.words);
    }
    const { probability, step } = found;
    const word = probability !== null && t(`made_of.${WORDS.find(([below]) => probability < below)[1]}`);
    const said = t(probability === null ? "made_of.by_score" : "made_of.by_probability", {
      ...numbers(found),
      step: whole(step),
    });
    this.words.replaceChildren(...(word ? [h("b", {}, word), " "] : []), said);
    setText(this.change, t("made_of.steepest", { change: short(found.steepest, 2) }));
    this.pairs[0].show(found);
    this.card.layout();
  }

  /** The same of the training picture that is nearest, where one is known. */
  async readReal(row) {
    const found = row === undefined ? {} : await this.card.ask("verdict", { row }, () => this.compare(row));
    this.real.hidden = !found.heat;
    this.pairs[1].hide(!found.heat);
    if (!found.heat) return;
    const key = found.probability === null ? "made_of.real_by_score" : "made_of.real_by_probability";
    setText(this.real, t(key, numbers(found)));
    this.pairs[1].show(found);
    this.card.layout();
  }
}

const numbers = ({ probability, logit }) => ({
  share: probability === null ? "" : percent(probability),
  logit: logit.toFixed(2).replace("-", "−"),
});

/** A picture, and the same in greys under what D looked at. */
class Heat {
  constructor(what) {
    this.plain = picture();
    this.heated = picture();
    this.elements = [this.plain.element, this.heated.element];
    setText(this.plain.caption, what);
    setText(this.heated.caption, t("made_of.looked_at"));
    this.plain.canvas.setAttribute("aria-label", what);
    this.heated.canvas.setAttribute("aria-label", t("made_of.looked_at_in", { what }));
  }

  hide(hidden) {
    for (const element of this.elements) element.hidden = hidden;
  }

  show(found) {
    const drawn = drawnOf(found);
    putPicture(this.plain.canvas, drawn);
    putHeat(this.heated.canvas, drawn, bytesOf(found.heat));
  }
}

/** Over a dimmed grey picture, the accent colour where the logit depends on a pixel. */
function putHeat(canvas, { pixels, channels, size }, heat) {
  canvas.width = canvas.height = size;
  const image = pixelsToImageData(pixels, channels, size);
  const accent = rgb(cssColor("--gf-accent"));
  heat.forEach((value, i) => {
    const [r, g, b] = image.data.subarray(4 * i, 4 * i + 3);
    const grey = DIMMED * (0.299 * r + 0.587 * g + 0.114 * b);
    accent.forEach((level, c) => (image.data[4 * i + c] = grey + (level - grey) * (value / 255)));
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** [r, g, b] of #rrggbb. */
const rgb = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));

function legend(change) {
  const bar = h("span", { class: "gf-made-scale", "aria-hidden": "true" });
  const ends = ["none", "most"].map((end) => h("span", { class: "gf-hint" }, t(`made_of.heat_${end}`)));
  const scale = h("span", { class: "gf-made-legend", title: t("made_of.heat_hint") }, ends[0], bar, ends[1]);
  return h("div", { class: "gf-row", hidden: true }, scale, change);
}

// ---- early states ----

class Snapshots {
  constructor(card, box) {
    this.card = card;
    this.words = h("p", { class: "gf-made-says" });
    this.large = picture();
    this.strip = h("div", { class: "gf-made-strip", role: "group" });
    this.strip.setAttribute("aria-label", t("made_of.snapshots"));
    this.body = h("div", { class: "gf-made-snapshots", hidden: true }, this.large.element, this.strip);
    box.append(this.words, this.body);
    this.show = newestWins(() => this.read());
  }

  async read() {
    const found = await this.card.ask("snapshots", {}, this.show);
    this.words.hidden = Boolean(found.steps);
    this.body.hidden = !found.steps;
    if (!found.steps) return setText(this.words, found.why);
    this.drawn = drawnOf(found);
    this.steps = found.steps;
    const at = this.steps.indexOf(this.chosen);
    this.build();
    this.choose(at < 0 ? this.steps.length - 1 : at, at >= 0);
  }

  /** A button for each step; those that are there keep the focus. */
  build() {
    while (this.strip.children.length > this.steps.length) this.strip.lastChild.remove();
    while (this.strip.children.length < this.steps.length) this.strip.append(this.button(this.strip.children.length));
    this.steps.forEach((step, i) => {
      const [canvas, label] = this.strip.children[i].children;
      putPicture(canvas, this.drawn, i);
      setText(label, whole(step));
      this.strip.children[i].setAttribute("aria-label", t("made_of.snapshot", { step: whole(step) }));
    });
  }

  button(i) {
    const canvas = h("canvas", { class: "gf-canvas", "aria-hidden": "true" });
    const label = h("span", { class: "gf-hint gf-num" });
    return h("button", { type: "button", class: "gf-made-step", onclick: () => this.choose(i, true) }, canvas, label);
  }

  /** Show one large; one that a person chose stays chosen when the picture changes, else the newest is shown. */
  choose(i, byHand) {
    this.chosen = byHand ? this.steps[i] : undefined;
    [...this.strip.children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === i)));
    putPicture(this.large.canvas, this.drawn, i);
    const step = whole(this.steps[i]);
    setText(this.large.caption, t("made_of.snapshot", { step }));
    this.large.canvas.setAttribute("aria-label", t("made_of.snapshot_large", { step }));
    this.card.layout();
  }
}

// ---- layers ----

class Layers {
  constructor(card, box) {
    this.card = card;
    const id = "gf-made-layer";
    this.select = h("select", { class: "gf-select", id, onchange: () => this.show() });
    this.range = h("p", { class: "gf-hint" });
    this.canvas = h("canvas", { class: "gf-canvas", role: "img" });
    const label = h("label", { class: "gf-hint", htmlFor: id }, t("made_of.layer"));
    box.append(h("div", { class: "gf-row" }, label, this.select), h("div", { class: "gf-made-maps" }, this.canvas), this.range);
    this.show = newestWins(() => this.read());
  }

  async read() {
    const { id } = this.card.host.about;
    const layer = id === this.weights ? this.select.value : "";
    const found = await this.card.ask("layers", { layer }, this.show);
    this.weights = id;
    const names = found.layers.map((layer, i) => layerName(layer, i, found.layers.length));
    if (names.join() !== this.names) {
      this.names = names.join();
      this.select.replaceChildren(...names.map((name, value) => h("option", { value }, name)));
    }
    this.select.value = found.layer;
    this.found = found;
    this.say(found.layers[found.layer], found);
    this.layout();
  }

  say({ channels, side }, { low, high, shape }) {
    const [count] = shape;
    const key = side === 1 ? "maps_numbers" : count < channels ? "maps_first" : "maps_range";
    setText(this.range, t(`made_of.${key}`, { count, channels, low: short(low), high: short(high) }));
    this.canvas.setAttribute("aria-label", `${this.select.selectedOptions[0].textContent}. ${this.range.textContent}`);
  }

  layout() {
    if (!this.found) return;
    const drawn = drawnOf(this.found);
    const { count, size } = drawn;
    const width = this.canvas.parentElement.clientWidth;
    if (!width) return;
    const columns = Math.min(count, count > COLUMNS && width > WIDE ? 2 * COLUMNS : COLUMNS);
    drawTiles(this.canvas, drawn, {
      size,
      columns,
      sourceColumns: columns,
      count,
      width,
      gap: 3,
      maxScale: (count > 1 ? 64 : 224) / size,
    });
  }
}

function layerName({ kind, channels, side }, i, count) {
  const kindWords = t(`made_of.layer_${kind}`, { i: i + 1 });
  const words = t(side === 1 ? "made_of.layer_numbers" : "made_of.layer_map", { kind: kindWords, channels, side });
  return i === count - 1 ? t("made_of.layer_last", { words }) : words;
}

// ---- small pictures ----

function picture() {
  const canvas = h("canvas", { class: "gf-canvas", role: "img" });
  const caption = h("figcaption", { class: "gf-hint gf-num" });
  return { element: h("figure", { class: "gf-made-picture" }, canvas, caption), canvas, caption };
}

/** Whole device pixels, as many as fit into the element around it. */
function fitted(canvas) {
  const room = canvas.parentElement.clientWidth;
  if (room && canvas.width) fitPicture(canvas, canvas.width, room);
}

/** Pictures of an answer as `putPicture` takes them. */
function drawnOf({ images, shape }) {
  const [count, channels, size] = shape;
  return { pixels: bytesOf(images), count, channels, size };
}

const percent = (share) => `${Math.round(100 * share)} %`;
