// The map: the plane through the first three pictures. Small pictures show it coarsely; the point is drawn large.

import { drawTiles, fitPicture, putPicture, scaleLike, whenLookChanges } from "../core/canvas.js";
import { h } from "../core/dom.js";
import { percentOf, rounded } from "../core/format.js";
import { newestWins, oncePerFrame } from "../core/schedule.js";
import { t } from "../core/text.js";
import { nameOf } from "../engine/keyframes.js";
import { showWhoDraws } from "../weights/who_draws.js";
import { MIDDLE } from "./state.js";
import { drawSum, drawSums, openSum, sumsQuery, takeSum } from "./sums.js";

const SIDE = 9; // small pictures in a row
// Where the three pictures lie, in small pictures from the upper left corner: in the middles of some.
const [LEFT, RIGHT, TOP, BOTTOM] = [1.5, 7.5, 1.5, 7.5];
const STEP = 0.1; // of an arrow key
const ROOM = 448; // CSS pixels of the large picture at most
const ROOM_ABOVE = 140; // so that picture and map are on the screen together

/** The shares of A, B and C at a place of the map; those of B and C are what a link holds. */
function sharesAt([x, y]) {
  const top = (BOTTOM - y) / (BOTTOM - TOP);
  const right = (x - LEFT) / (RIGHT - LEFT) - top / 2;
  return [1 - right - top, right, top];
}

/** @param {number[]} shares of B and C */
const placeOf = ([right, top]) => [LEFT + (RIGHT - LEFT) * (right + top / 2), BOTTOM - (BOTTOM - TOP) * top];

export class Plane {
  /** hooks: {state(), about(), note(change): change the state and draw nothing else, keep(spec): one more picture of the path}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.needs = 3;
    this.single = true; // what is exported is one picture
    this.paint = oncePerFrame(() => this.paintPoint() || this.ask());
    this.ask = newestWins(() => this.fetchPoint());
    this.bind();
  }

  get shares() {
    const [right, top] = this.hooks.state().at;
    return [1 - right - top, right, top];
  }

  build() {
    this.showPoint();
  }

  /** What the export menu asks for: the picture at the point. */
  exported() {
    return sumsQuery(this.hooks.state(), [this.shares]);
  }

  async draw() {
    const rows = Array.from({ length: SIDE ** 2 }, (_, i) => sharesAt([(i % SIDE) + 0.5, Math.floor(i / SIDE) + 0.5]));
    const { film, by } = await drawSums(this.hooks.state(), rows, "plane");
    this.tiles = film;
    this.layout();
    if (!this.paintPoint()) await this.ask();
    return by;
  }

  layout() {
    if (!this.tiles || !this.part("plane-box").clientWidth) return;
    const { pixels, channels, count, size } = this.tiles;
    const options = {
      size,
      columns: SIDE,
      count,
      width: this.part("plane-box").clientWidth,
      gap: 0,
      maxScale: scaleLike(2, size),
    };
    const { width, height } = drawTiles(this.part("plane"), { pixels, channels, count }, options);
    Object.assign(this.part("plane-pad").style, { width: `${width}px`, height: `${height}px` });
    const above = getComputedStyle(this.part("plane-side")).flexDirection === "row"; // css/interpolation.css
    const most = above ? ROOM_ABOVE : ROOM;
    fitPicture(this.part("plane-picture"), size, Math.min(this.part("plane-side").clientWidth, most));
  }

  // ---- the point ----

  /** Draw the point here; false where only the server can. */
  paintPoint() {
    const drawn = drawSum(this.hooks.state(), this.shares);
    if (drawn) this.put(drawn, this.shares, "page");
    return Boolean(drawn);
  }

  async fetchPoint() {
    const { shares } = this;
    const { film, by } = await drawSums(this.hooks.state(), [shares], "point");
    if (by === "page" || !this.paintPoint()) this.put(film, shares, by); // the weights came meanwhile, and drew something newer
  }

  put(film, shares, by) {
    const picture = this.part("plane-picture");
    putPicture(picture, film);
    picture.dataset.shows = shares
      .slice(1)
      .map((share) => share.toFixed(3))
      .join(",");
    showWhoDraws(this.part("drawn"), by, this.hooks.about());
  }

  showPoint() {
    const [x, y] = placeOf(this.hooks.state().at);
    const point = this.part("plane-point");
    point.style.left = `${(100 * x) / SIDE}%`;
    point.style.top = `${(100 * y) / SIDE}%`;
    const lines = this.lines();
    const words = lines.map((line) => line.textContent).join(", ");
    point.setAttribute("aria-valuetext", words);
    point.setAttribute("aria-valuenow", Math.round(100 * this.hooks.state().at[0]));
    this.part("plane-words").replaceChildren(...lines);
    this.part("plane-picture").setAttribute("aria-label", words);
  }

  lines() {
    return this.shares.map((share, i) =>
      h("span", {}, t("interpolation.plane_share", { share: percentOf(share), name: nameOf(i) })),
    );
  }

  /** The point goes to a place of the map, at most to its border. */
  move(place) {
    const [, right, top] = sharesAt(place.map((value) => Math.min(Math.max(value, 0), SIDE)));
    this.hooks.note({ at: [right, top].map((share) => rounded(share, 3)) });
    this.showPoint();
    this.paint();
  }

  // ---- wiring ----

  bind() {
    const pad = this.part("plane-pad");
    const at = (event) => {
      const { left, top, width, height } = pad.getBoundingClientRect();
      return [(SIDE * (event.clientX - left)) / width, (SIDE * (event.clientY - top)) / height];
    };
    pad.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      pad.setPointerCapture(event.pointerId);
      this.part("plane-point").focus();
      this.move(at(event));
    });
    pad.addEventListener("pointermove", (event) => pad.hasPointerCapture(event.pointerId) && this.move(at(event)));
    this.part("plane-point").addEventListener("keydown", (event) => this.key(event));
    this.part("plane-open").addEventListener("click", () => openSum(this.hooks.state(), this.shares));
    this.part("plane-keep").addEventListener("click", () => takeSum(this.hooks.state(), this.shares, this.hooks.keep));
    new ResizeObserver(() => this.layout()).observe(this.part("plane-box"));
    whenLookChanges(() => this.layout());
  }

  /** Arrows; Home goes to the middle of the three. */
  key(event) {
    const way = /** @type {Record<string, number[]>} */ ({
      ArrowRight: [1, 0],
      ArrowLeft: [-1, 0],
      ArrowDown: [0, 1],
      ArrowUp: [0, -1],
    })[event.key];
    if (!way && event.key !== "Home") return;
    event.preventDefault();
    const now = placeOf(this.hooks.state().at);
    const step = event.shiftKey ? 10 * STEP : STEP;
    this.move(way ? now.map((value, i) => value + step * way[i]) : placeOf(MIDDLE));
  }
}
