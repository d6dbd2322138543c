// A canvas full of generated pictures, each of which can be opened in Latent sliders: a click, a tap, or arrow keys and Enter.

import { openTab } from "../core/address.js";
import { h } from "../core/dom.js";
import { whole } from "../core/format.js";
import { notify } from "../core/notice.js";
import { t } from "../core/text.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 }; // up and down depend on the columns

/** One button that lies over the picture under the pointer, or the one that the keys have come to. */
export class TileButton {
  /** onOpen(i): picture number i was chosen. */
  constructor(canvas, onOpen) {
    this.canvas = canvas;
    this.onOpen = onOpen;
    this.at = 0;
    this.button = h("button", { type: "button", class: "gf-tile", hidden: true, onclick: () => onOpen(this.at) });
    canvas.after(this.button);
    canvas.parentElement.classList.add("gf-holds-tile");
    canvas.addEventListener("pointermove", (event) => this.follow(event));
    canvas.addEventListener("click", (event) => this.follow(event) && this.onOpen(this.at));
    this.button.addEventListener("keydown", (event) => this.key(event));
  }

  /** layout: of drawTiles; count: how many pictures there are; 0 where none can be opened. */
  place(layout, count) {
    this.layout = layout;
    this.count = count;
    this.button.hidden = !count;
    if (count) this.moveTo(Math.min(this.at, count - 1));
  }

  follow({ offsetX, offsetY }) {
    const inside = (i) =>
      offsetX >= this.layout.x(i) &&
      offsetY >= this.layout.y(i) &&
      offsetX < this.layout.x(i) + this.layout.tile &&
      offsetY < this.layout.y(i) + this.layout.tile;
    const found = Array.from({ length: this.count ?? 0 }, (_, i) => i).find(inside);
    if (found !== undefined) this.moveTo(found);
    return found !== undefined;
  }

  key(event) {
    const { columns } = this.layout;
    const step = { ...STEPS, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = this.at + step;
    if (next >= 0 && next < this.count) this.moveTo(next);
  }

  moveTo(i) {
    const { x, y, tile } = this.layout;
    const words = t("share.open_tile", { i: i + 1 });
    const [left, top] = [this.canvas.offsetLeft + x(i), this.canvas.offsetTop + y(i)];
    Object.assign(this.button.style, { left: `${left}px`, top: `${top}px`, width: `${tile}px`, height: `${tile}px` });
    this.button.title = words;
    this.button.setAttribute("aria-label", words);
    this.at = i;
  }
}

/** Picture number i of a run, as it was shown at step `was`, in Latent sliders; these have the weights of step `now`. */
export function openTile({ id, shown_seed: seed, conditional, class_names: names }, i, was, now) {
  openTab("latent", { w: `run-${id}`, seed, from: `tile:${i}`, c: conditional ? i % names.length : "" });
  if (was !== now) notify(t("share.tile_past", { now: whole(now), was: whole(was) }), "info");
}

/** How many of a run's pictures can be opened: a recording keeps no weights. */
export const openable = ({ recorded, tiles }) => (recorded ? 0 : tiles.count);
