// The feature maps of a layer of the generator.

import { drawTiles } from "../../core/canvas.js";
import { h, setText } from "../../core/dom.js";
import { short } from "../../core/format.js";
import { newestWins } from "../../core/schedule.js";
import { t } from "../../core/text.js";
import { drawnOf } from "./pictures.js";

const COLUMNS = 8; // of feature maps; twice as many where there is room
const WIDE = 460; // CSS pixels

export class Layers {
  /** card: {ask, layout} of the card. weights(): the id of those that draw. */
  constructor(card, box, weights) {
    this.card = card;
    this.weights = weights;
    const id = "gf-made-layer";
    this.select = h("select", { class: "gf-select", id, onchange: () => this.show() });
    this.range = h("p", { class: "gf-hint" });
    this.canvas = h("canvas", { class: "gf-canvas", role: "img", "aria-label": t("made_of.layers") });
    const label = h("label", { class: "gf-hint", htmlFor: id }, t("made_of.layer"));
    box.append(h("div", { class: "gf-row" }, label, this.select), h("div", { class: "gf-made-maps" }, this.canvas), this.range);
    this.show = newestWins(() => this.read());
  }

  async read() {
    const id = this.weights();
    const layer = id === this.shownOf ? this.select.value : "";
    const found = await this.card.ask("layers", { layer }, this.show);
    this.shownOf = id;
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
