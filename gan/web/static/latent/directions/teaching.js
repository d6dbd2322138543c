// Teaching a direction, in a dialog: pictures are marked, and a strip shows what the marks make of the picture on the stage.

import { putPicture } from "../../core/canvas.js";
import { h, setText } from "../../core/dom.js";
import { queryOf } from "../../core/query.js";
import { newestWins } from "../../core/schedule.js";
import { getJSON } from "../../core/server.js";
import { t } from "../../core/text.js";
import { isNumber } from "../../engine/latent_spec.js";
import { Vector } from "../../engine/vector.js";
import { fetchPixels } from "../../weights/pixels.js";
import { drawStrip, stripsOf } from "./strips.js";

const TO_MARK = 24;
const MARKS = [undefined, "more", "less"]; // what a click makes of a picture, in turn

export class Teaching {
  /**
   * hooks: {state(), about(), stamp(): of the weights in which pictures are marked, save({key, vector, regroups}),
   * unnamed(): the number of a direction without a name, restore(address): show another picture}.
   */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
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
    const { classes, studied } = this.hooks.about();
    const [first, every] = classes ? [this.hooks.state().spec.label, classes] : [0, 1];
    const pages = Math.floor(studied / every / TO_MARK);
    return Array.from({ length: TO_MARK }, (_, i) => first + every * (TO_MARK * (this.page % pages) + i));
  }

  async drawPictures() {
    const rows = this.shownRows();
    const { w } = this.hooks.state();
    const drawn = await fetchPixels("study", { w, rows: rows.join(","), stamp: this.hooks.stamp() }, "study");
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
    const { id, classes } = this.hooks.about();
    this.part("teach-dialog").close();
    this.hooks.restore({ w: id, seed: "0", c: classes ? String(this.last % classes) : "", from: `study:${this.last}` });
  }

  async askForDirection() {
    const [more, less] = [this.rowsOf("more"), this.rowsOf("less")];
    if (!more.length || !less.length) return;
    const { w } = this.hooks.state();
    const query = queryOf({ w, more: more.join(","), less: less.join(","), stamp: this.stamp });
    const { vector } = await getJSON(`teach?${query}`);
    this.vector = new Vector(vector);
    this.update();
    await this.drawStrip();
  }

  /** What the new direction does to the picture on the stage. */
  async drawStrip() {
    const { w, spec } = this.hooks.state();
    const push = { amount: 0, vector: this.vector, regroups: false };
    const alone = spec.with({ pushes: new Map([["new", push]]), locked: new Set() });
    drawStrip(this.part("teach-strip"), await stripsOf(w, alone, ["new"]), 0);
  }

  keep(event) {
    event.preventDefault();
    this.hooks.save({ key: this.name(), vector: this.vector, regroups: false });
    this.part("teach-dialog").close();
  }

  /** As it was typed, without what a link has its own use for; a number alone would be a principal direction. */
  name() {
    const typed = this.part("teach-name").value.replace(/[:,]/g, " ").trim();
    if (typed && !isNumber(typed)) return typed;
    return t("latent.teach_unnamed", { i: typed || this.hooks.unnamed() });
  }
}
