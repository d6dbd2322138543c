// The card "What is it made of": nearest training pictures of the picture on the stage. Nothing is asked for until the card is
// opened; then it follows the picture whenever the hand rests.

import { api, h, setText, t } from "./common.js";
import { fitPicture, laneOf, newestWins, putPicture, queryOf } from "./pixels.js";

const AGAIN_MS = 500; // while the server is making something ready
const SHOWN = 6;

/** The card. `host` is the tab: host.about, host.place() (what a picture is asked for with). */
export class MadeOf {
  constructor(part, host) {
    this.part = part;
    this.card = part("made-of");
    this.host = host;
    this.sections = [new Nearest(this, part("made-nearest"))];
    this.card.addEventListener("toggle", () => this.follow());
    new ResizeObserver(() => this.layout()).observe(this.card);
  }

  /** The picture on the stage is another one, and rests. */
  follow() {
    if (!this.card.open || !this.host.about) return;
    for (const section of this.sections) section.show();
  }

  layout() {
    for (const canvas of this.card.querySelectorAll("canvas")) fitted(canvas);
  }

  /** What a route of the card says; while it is still making ready, what it does, as {words}, and it is asked again. */
  async ask(route, values, again) {
    const lane = laneOf(`made-${route}-${values.way ?? ""}`);
    const response = await api(`made-of/${route}?${queryOf({ ...this.host.place(), ...values, lane })}`);
    if (response.status === 202) setTimeout(() => this.card.open && again(), AGAIN_MS);
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
    this.also = h("button", { type: "button", class: "gf-btn gf-btn-quiet gf-small", hidden: true }, t("made_of.also_features"));
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
    else if (found.ways) this.offer(found.ways.includes("features"));
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
    const says = h("p", { class: "gf-made-says", role: "status" }, this.verdict, this.words);
    const row = h("div", { class: "gf-made-row" }, this.pictures.map(({ element }) => element));
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

const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const percent = (share) => `${Math.round(100 * share)} %`;
