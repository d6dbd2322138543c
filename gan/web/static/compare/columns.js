// The pictures of the compared runs, a column for each run, with what is to be said about it.

import { openTab } from "../core/address.js";
import { columnsIn, drawTiles } from "../core/canvas.js";
import { closeButton } from "../core/controls/close_button.js";
import { h, setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { t } from "../core/text.js";
import { firstLine, firstSentence } from "../run/diagnosis.js";
import { openable, openTile, TileButton } from "../run/tile_button.js";
import { colorOf, shortTitle } from "./names.js";

const GAP = 4; // CSS pixels between two pictures
const ROOM_FOR_TENS = 500; // pixels, in which ten in a row can be looked at

export class Columns {
  /** box: where they are put. hooks: {onRemove(track), onFork(run's id), onPicture(): one that was missing has come}. */
  constructor(box, hooks) {
    this.box = box;
    this.hooks = hooks;
    this.columns = new Map(); // track -> its elements
  }

  /** Other runs are shown than before. */
  build(tracks) {
    this.columns = new Map(tracks.map((track, i) => [track, this.column(track, i)]));
    this.box.style.setProperty("--gf-runs", tracks.length);
    this.box.replaceChildren(...[...this.columns.values()].map(({ box }) => box));
    this.showHeads();
  }

  column(track, i) {
    const canvas = h("canvas", { class: "gf-canvas", role: "img", "aria-label": track.meta.title });
    const sheet = h("div", { class: "gf-compare-sheet" }, canvas);
    const tile = new TileButton(canvas, (i) => openTile(track.meta, i, Number(canvas.dataset.step), track.step));
    const status = h("span", { class: "gf-tag" }, h("span", { class: "gf-dot", "aria-hidden": "true" }), h("span", {}));
    const title = h("h2", { class: "gf-compare-title" });
    const caption = h("span", { class: "gf-hint gf-num" });
    const line = h("span", { class: "gf-diagnosis-line" }, h("b", {}), h("span", { class: "gf-hint" }));
    const mark = h("span", { class: "gf-diagnosis-mark", "aria-hidden": "true" });
    const verdict = h("p", { class: "gf-compare-verdict" }, mark, line);
    const close = closeButton(t("compare.remove", { title: track.meta.title }), () => this.hooks.onRemove(track));
    const head = h("header", { class: "gf-row" }, swatch(i), title, close);
    const foot = h("div", { class: "gf-row" }, status, caption, this.buttons(track));
    const box = h("section", { class: "gf-compare-run", dataset: { run: track.id } }, head, foot, verdict, sheet);
    return { box, canvas, tile, status, title, caption, verdict };
  }

  buttons({ id }) {
    const button = (kind, words, onclick) => h("button", { type: "button", class: `gf-btn ${kind}gf-small`, onclick }, words);
    const open = button("gf-btn-quiet ", t("compare.open"), () => openTab("train", { run: id }));
    const fork = button("", t("compare.fork"), () => this.hooks.onFork(id));
    return h("span", { class: "gf-row gf-push" }, open, fork);
  }

  /** Titles, statuses and verdicts. */
  showHeads() {
    const tracks = [...this.columns.keys()];
    for (const [track, { status, title, verdict }] of this.columns) {
      setText(title, shortTitle(track, tracks));
      title.title = forkedFrom(track) ?? track.meta.title;
      status.dataset.kind = track.kind;
      setText(status.lastChild, t(`train.status_${track.kind}`));
      if (track.diagnosis) showVerdict(verdict, firstLine(track.diagnosis));
    }
  }

  /** Pictures of a place on an axis; null: the newest. */
  draw(place, axis) {
    for (const [track, column] of this.columns) this.drawColumn(track, column, place, axis);
  }

  drawColumn(track, { canvas, tile, caption }, place, axis) {
    const { step, sheet, ended } = track.at(place, axis, this.hooks.onPicture);
    const { count, columns, size } = track.meta.tiles;
    const width = canvas.parentElement.clientWidth;
    if (!width || !sheet) return; // what was shown stays until the picture is there
    const across = columnsIn(width, size + GAP, count, width < ROOM_FOR_TENS ? 8 : 10);
    const shown = { size, count, sourceColumns: columns, columns: across, width, gap: GAP, justify: true };
    tile.place(drawTiles(canvas, sheet, shown), openable(track.meta));
    setText(caption, t(ended ? "compare.ended" : "compare.step", { step: whole(step) }));
    canvas.dataset.step = step;
    canvas.setAttribute("aria-label", t("compare.tiles_label", { count, title: track.meta.title, step: whole(step) }));
  }
}

/** The sign of run number i. */
export const swatch = (i) => h("i", { class: "gf-swatch gf-run-swatch", style: { background: `var(${colorOf(i)})` } });

function showVerdict(box, { kind, severity, title, seen }) {
  const [name, hint] = box.lastChild.children;
  Object.assign(box.dataset, { kind, severity });
  box.title = seen;
  setText(name, title);
  setText(hint, firstSentence(seen));
}

/** The last fork that a run's history tells of, in words. */
const forkedFrom = ({ history }) => history.events.filter(({ kind }) => kind === "fork").at(-1)?.text;
