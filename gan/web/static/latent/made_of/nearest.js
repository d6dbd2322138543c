// The training pictures that are nearest to the picture on the stage, and whether it is a copy of one.

import { putPicture } from "../../core/canvas.js";
import { h, setText } from "../../core/dom.js";
import { fixed, percentOf, whole } from "../../core/format.js";
import { newestWins } from "../../core/schedule.js";
import { t } from "../../core/text.js";
import { drawnOf, picture } from "./pictures.js";

const SHOWN = 6;

export class Nearest {
  /** card: {ask, layout} of the card. nearestIs(row): which training picture is nearest, undefined where none is known. */
  constructor(card, box, nearestIs) {
    this.card = card;
    this.nearestIs = nearestIs;
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
    if (way === "pixels") this.nearestIs(found.rows?.[0]);
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
    this.pictures = Array.from({ length: SHOWN + 1 }, () => picture(t("made_of.nearest")));
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
    const number = unseen === null ? (value) => this.distance(value) : (value) => fixed(value);
    return {
      near: this.distance(distances[0]),
      unseen: this.distance(unseen ?? 0),
      score: number(score),
      limit: number(limit),
      lower: percentOf(lower),
      trained: whole(trained),
      held: whole(held),
      judged: whole(judged),
    };
  }

  distance(value) {
    return this.way === "pixels" ? percentOf(value, 1) : fixed(value);
  }
}
