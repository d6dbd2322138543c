// The grid: everything between four pictures, or every picture of the row as every class. A click opens a cell in Latent
// sliders.

import { openTab } from "../core/address.js";
import { cssColor, drawTiles, rawSheet, whenLookChanges } from "../core/canvas.js";
import { h } from "../core/dom.js";
import { t } from "../core/text.js";
import { MAX_SUMS } from "../engine/constants.js";
import { MOST_KEYFRAMES, nameOf } from "../engine/keyframes.js";
import { drawSums, eachAlone, openSum, sumsQuery } from "./sums.js";

const SIZES = [3, 5, 7, 9]; // cells in a row between four pictures
const [GAP, HEADING] = [3, 20]; // CSS pixels
const MOST_HEIGHT = 600;

/** The state's grid is a size, or "classes". */
export class Crossing {
  /** hooks: {state(), about(), move(change): change the state and draw}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.cell = 0;
    this.bind();
  }

  get byClass() {
    return this.hooks.state().grid === "classes" && this.hooks.about().classes > 0;
  }

  get size() {
    const { grid } = this.hooks.state();
    return SIZES.includes(grid) ? grid : SIZES[1];
  }

  get needs() {
    return this.byClass ? 1 : 4;
  }

  /** Shares of each row of sums, and as which classes each is drawn. */
  get sums() {
    const { keyframes } = this.hooks.state();
    const { class_names: names } = this.hooks.about();
    if (!this.byClass) return { rows: corners(this.size), labels: [], columns: this.size };
    const labels = names.slice(0, MAX_SUMS).map((_, label) => label);
    const most = Math.min(keyframes.length, MOST_KEYFRAMES, Math.floor(MAX_SUMS / labels.length));
    return { rows: eachAlone(most), labels, columns: labels.length };
  }

  build() {
    const { classes } = this.hooks.about();
    const options = SIZES.map((size) => [size, t("interpolation.grid_corners", { size })]);
    if (classes) options.push(["classes", t("interpolation.grid_classes")]);
    this.part("grid-kind").replaceChildren(...options.map(([value, words]) => h("option", { value }, words)));
    this.part("grid-kind").value = this.byClass ? "classes" : this.size;
    this.part("grid-hint").textContent = t(
      this.byClass ? "interpolation.grid_classes_hint" : "interpolation.grid_corners_hint",
    );
  }

  exported() {
    const { rows, labels, columns } = this.sums;
    return { ...sumsQuery(this.hooks.state(), rows, labels), columns };
  }

  async draw() {
    const { rows, labels, columns } = this.sums;
    const { film, by } = await drawSums(this.hooks.state(), rows, "grid", labels);
    const names = labels.map((label) => this.hooks.about().class_names[label]);
    this.film = { size: film.size, count: film.count, sheet: rawSheet(film, film.size, columns), columns, names };
    this.cell = Math.min(this.cell, film.count - 1);
    this.part("grid").dataset.shows = `${columns}x${film.count / columns}`;
    this.layout();
    return by;
  }

  layout() {
    const room = this.part("grid-box").clientWidth;
    if (!this.film || !room) return;
    const { count, columns, size, names } = this.film;
    const most = MOST_HEIGHT / ((count / columns) * size);
    const maxScale = most < 2 ? Math.max(1, Math.floor(2 * most) / 2) : Math.floor(most);
    this.options = { size, columns, count, width: room, gap: GAP, above: names.length ? HEADING : 0, maxScale };
    this.paint();
  }

  paint() {
    const { sheet, columns, names } = this.film;
    const drawn = drawTiles(this.part("grid"), sheet, this.options);
    const { ctx, x, y, tile } = drawn;
    this.drawn = drawn;
    const chip = tile < 48 ? 11 : 16;
    ctx.font = `600 ${chip < 16 ? 9 : 12}px ${getComputedStyle(this.part("grid")).fontFamily}`;
    Object.assign(ctx, { textAlign: "center", textBaseline: "middle", fillStyle: cssColor("--gf-dim") });
    names.forEach((name, i) => ctx.fillText(name, x(i) + tile / 2, HEADING / 2, tile));
    for (const [i, name] of this.letters()) {
      ctx.fillStyle = cssColor("--gf-on-picture");
      ctx.fillRect(x(i), y(i), chip, chip);
      ctx.fillStyle = cssColor("--gf-on-stage");
      ctx.fillText(name, x(i) + chip / 2, y(i) + chip / 2 + 0.5);
    }
    Object.assign(ctx, { strokeStyle: cssColor("--gf-accent"), lineWidth: 3 });
    if (this.marked) ctx.strokeRect(x(this.cell) + 1.5, y(this.cell) + 1.5, tile - 3, tile - 3);
    const place = { row: Math.floor(this.cell / columns) + 1, column: (this.cell % columns) + 1 };
    this.part("grid").setAttribute("aria-label", t("interpolation.grid_cell", place));
  }

  /**
   * Which cells are pictures of the row: [cell, name].
   *
   * @returns {[number, string][]}
   */
  letters() {
    const { count, columns } = this.film;
    const cells = this.byClass ? this.sums.rows.map((_, i) => i * columns) : [0, columns - 1, count - columns, count - 1];
    return cells.map((cell, i) => [cell, nameOf(i)]);
  }

  open(cell) {
    const { rows, labels, columns } = this.sums;
    if (!this.byClass) return openSum(this.hooks.state(), rows[cell]);
    const keyframe = this.hooks.state().keyframes[Math.floor(cell / columns)];
    const spec = keyframe.with({ mix: null, label: labels[cell % columns] });
    return openTab("latent", { w: this.hooks.state().w, ...spec.toQuery() });
  }

  // ---- wiring ----

  bind() {
    const grid = this.part("grid");
    this.part("grid-kind").addEventListener("change", ({ target: { value } }) =>
      this.hooks.move({ grid: value === "classes" ? value : Number(value) }),
    );
    grid.addEventListener("pointermove", (event) => this.mark(this.cellAt(event)));
    grid.addEventListener("pointerleave", () => this.mark(-1));
    grid.addEventListener("focus", () => grid.matches(":focus-visible") && this.mark(this.cell));
    grid.addEventListener("blur", () => this.mark(-1));
    grid.addEventListener("click", (event) => this.cellAt(event) >= 0 && this.open(this.cellAt(event)));
    grid.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.layout()).observe(this.part("grid-box"));
    whenLookChanges(() => this.layout());
  }

  mark(cell) {
    if (!this.film || (cell < 0 && !this.marked) || (this.marked && cell === this.cell)) return;
    this.marked = cell >= 0;
    if (this.marked) this.cell = cell;
    this.paint();
  }

  cellAt({ offsetX, offsetY }) {
    if (!this.drawn) return -1;
    const { columns, count, above, gap } = this.options;
    const step = this.drawn.tile + gap;
    const [column, row] = [Math.floor(offsetX / step), Math.floor((offsetY - above) / step)];
    const cell = row * columns + column;
    return column >= 0 && column < columns && row >= 0 && cell < count ? cell : -1;
  }

  key(event) {
    if (!this.film) return;
    const { columns, count } = this.film;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!step && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!step) this.open(this.cell);
    else if (this.cell + step >= 0 && this.cell + step < count) this.mark(this.cell + step);
  }
}

/** Shares of four corners A B / C D in a grid of size × size. */
function corners(size) {
  return Array.from({ length: size ** 2 }, (_, i) => {
    const [x, y] = [(i % size) / (size - 1), Math.floor(i / size) / (size - 1)];
    return [(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y];
  });
}
