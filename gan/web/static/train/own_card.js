// The card of a prepared set: its pictures as the networks see them, its classes, and Delete.

import { drawTiles, tileLayout, whenLookChanges } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { shownOf } from "../core/own_sets.js";
import { api } from "../core/server.js";
import { t } from "../core/text.js";

const COLUMNS = [8, 4, 2, 1]; // the first in which pictures come out large enough is taken
const [GAP, SMALLEST] = [2, 34]; // CSS pixels

export class OwnCard {
  /** offered: boot's `pictures`. hooks: {edit(changes), remove()}. */
  constructor(part, offered, hooks) {
    this.part = part;
    this.offered = offered;
    this.set = null;
    this.sheet = null;
    this.rows = [];
    this.isBusy = false;
    part("own-delete").addEventListener("click", () => this.sure(true));
    part("own-keep").addEventListener("click", () => this.sure(false));
    part("own-delete-now").addEventListener("click", () => hooks.remove());
    part("own-classes-form").addEventListener("submit", (event) => {
      event.preventDefault();
      hooks.edit(this.changes());
    });
    part("own-classes-form").addEventListener("input", () => this.showApply());
    part("own-classes-back").addEventListener("click", () => hooks.edit({}));
    new ResizeObserver(() => this.draw()).observe(part("own"));
    whenLookChanges(() => this.draw());
  }

  /** other: it is not the set that was shown before. */
  show(set, other) {
    this.set = set;
    for (const name of ["own-preview-box", "own-foot"]) this.part(name).hidden = !set;
    this.part("own-classes").hidden = !set?.found.classes.length;
    if (other) this.part("own-classes").open = false;
    if (!set) return;
    this.sure(false);
    this.showClasses();
    this.preview();
  }

  busy(on) {
    this.isBusy = on;
    this.fade();
    this.part("own-delete").disabled = on;
    for (const name of ["own-classes-apply", "own-classes-back"]) this.part(name).disabled = on;
    if (!on) this.showApply();
  }

  // ---- pictures ----

  async preview() {
    const { dataset, count, size } = shownOf(this.set);
    const image = this.sheet?.dataset === dataset ? this.sheet.image : await fetchPreview(dataset);
    if (!this.set || shownOf(this.set).dataset !== dataset) return;
    this.sheet = { dataset, image, size, count: Math.min(this.offered.preview.most, count) };
    this.part("own-preview-box").hidden = !image;
    this.draw();
  }

  get isDrawn() {
    return Boolean(this.set && this.sheet?.image && this.sheet.dataset === shownOf(this.set).dataset);
  }

  /** What is on the canvas stays, paler, until there is something newer. */
  fade() {
    this.part("own-preview").toggleAttribute("data-old", this.isBusy || !this.isDrawn);
  }

  /** Whole screen pixels for each of theirs; the place is as high as for the largest pictures, so that nothing moves. */
  draw() {
    if (!this.isDrawn) return;
    const { dataset, image, size, count } = this.sheet;
    const canvas = this.part("own-preview");
    const options = { count, gap: GAP, width: this.part("own").clientWidth, sourceColumns: this.offered.preview.columns };
    const large = { ...options, size: Math.max(size, ...this.offered.sizes) };
    const layouts = COLUMNS.map((columns) => tileLayout(canvas, { ...large, columns }));
    const { columns, height } = layouts.find(fits);
    drawTiles(canvas, image, { ...options, size, columns });
    canvas.parentElement.style.minHeight = `${height}px`;
    canvas.setAttribute("aria-label", t("train.own_preview", { count }));
    canvas.dataset.shows = dataset;
    this.fade();
  }

  // ---- classes ----

  showClasses() {
    const { found, changes } = this.set;
    setText(this.part("own-classes-title"), t("train.own_classes", { count: shownOf(this.set).classes.length }));
    const now = (name) => (Object.hasOwn(changes, name) ? changes[name] : name);
    this.rows = found.classes.map(([name, count]) => classRow(name, count, now(name), this.offered.letters));
    this.part("own-classes-list").replaceChildren(...this.rows.map(({ row }) => row));
    this.part("own-classes-back").hidden = !Object.keys(changes).length;
    this.showApply();
  }

  /** Old class -> new one, of those that are to change. */
  changes() {
    return Object.fromEntries(this.rows.map(({ name, get }) => [name, get()]).filter(([name, now]) => name !== now));
  }

  showApply() {
    if (!this.set) return;
    for (const { row, used } of this.rows) row.toggleAttribute("data-out", !used());
    this.part("own-classes-apply").disabled = JSON.stringify(this.changes()) === JSON.stringify(this.set.changes);
  }

  // ---- deleting ----

  sure(asked) {
    this.part("own-delete").hidden = asked;
    this.part("own-sure").hidden = !asked;
    if (!asked) return;
    this.part("own-sure").scrollIntoView({ block: "nearest" });
    this.part("own-keep").focus({ preventScroll: true });
  }
}

/** A class as it was found: what it is to be called, in at most so many letters, and whether its pictures are used. */
function classRow(name, count, now, letters) {
  const tick = h("input", { type: "checkbox", checked: now !== "", "aria-label": t("train.own_class_use", { name }) });
  const label = t("train.own_class_name", { name });
  const field = h("input", { class: "gf-input", value: now || name, maxLength: letters, "aria-label": label });
  const many = h("span", { class: "gf-hint gf-num" }, whole(count));
  const row = h("li", { class: "gf-row" }, h("span", { class: "gf-check" }, tick), field, many);
  const used = () => tick.checked && field.value.trim() !== "";
  return { row, name, used, get: () => (used() ? field.value.trim() : "") };
}

const fits = ({ tile, columns, shrunk }) => columns === 1 || (tile >= SMALLEST && !shrunk);

/** The server's sheet; null where it has none: why is said where the set is asked for. */
async function fetchPreview(dataset) {
  try {
    return await createImageBitmap(await (await api(`pictures/${dataset}/preview`)).blob());
  } catch {
    return null;
  }
}
