// What the discriminator says of the picture on the stage, and which pixels it looked at.

import { cssColor, pixelsToImageData, putPicture } from "../../core/canvas.js";
import { h, setText } from "../../core/dom.js";
import { fixed, percentOf, short, whole } from "../../core/format.js";
import { newestWins } from "../../core/schedule.js";
import { t } from "../../core/text.js";
import { bytesOf } from "../../engine/vector.js";
import { drawnOf, picture } from "./pictures.js";

const DIMMED = 0.55; // brightness of the picture under what D looked at
const WORDS = [
  [0.1, "surely_generated"],
  [0.4, "rather_generated"],
  [0.6, "undecided"],
  [0.9, "rather_real"],
  [Infinity, "surely_real"],
];

export class Discriminator {
  /** card: {ask, layout} of the card. */
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
  share: probability === null ? "" : percentOf(probability),
  logit: fixed(logit),
});

/** A picture, and the same in greys under what D looked at. */
class Heat {
  constructor(what) {
    this.plain = picture(t("made_of.verdict"));
    this.heated = picture(t("made_of.verdict"));
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
