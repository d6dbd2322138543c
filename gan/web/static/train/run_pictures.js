// The pictures of the live view: real ones, and what the generator makes of the run's latents, now or at a moment of the past.

import { columnsIn, evenColumns, tileLayout } from "../core/canvas.js";
import { setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { url } from "../core/server.js";
import { t } from "../core/text.js";
import { REAL_COLUMNS } from "../run/history.js";
import { openable, openTile, TileButton } from "../run/tile_button.js";
import { drawGrid } from "../run/verdict_grid.js";

const ROW_SPACE = 26; // between two rows of the grid, in CSS pixels
const AROUND_GRID = 370; // what else of the view should be on the screen with it
const REAL_ABOVE = 80; // the real pictures, where they do not lie beside it
const GAP = 4; // at least, between two pictures
const LEAST = 0.9; // of their size: real pictures may be so much smaller, to lie in one row
const TILES_AT_FIRST = { count: 40, columns: 8, size: 28, channels: 1 };

export class RunPictures {
  /** live: the view (train/live.js). */
  constructor(live) {
    this.live = live;
    this.part = live.part;
    this.realSheet = null;
    this.tile = new TileButton(this.part("fake"), (i) => this.openTile(i));
  }

  /** Another run is on the screen. */
  reset() {
    this.realSheet = null;
    this.realOf = null;
  }

  /** Once there is data. */
  async loadReal() {
    const { runId } = this.live;
    if (this.realOf === runId) return;
    this.realOf = runId;
    const image = new Image();
    image.src = url(`runs/${runId}/real.png`);
    await image.decode().catch(() => {});
    if (runId !== this.live.runId || !image.naturalWidth) return;
    this.realSheet = image;
    this.drawReal();
  }

  draw() {
    this.drawReal();
    this.drawFake();
  }

  drawReal() {
    const { meta } = this.live;
    const count = meta?.real_count ?? 16;
    const { size } = meta?.tiles ?? TILES_AT_FIRST;
    const wide = this.widthOf("real") >= Math.max(500, LEAST * count * size);
    this.part("real").setAttribute("aria-label", t("train.real_label", { count }));
    this.grid("real", {
      sheet: this.realSheet,
      tiles: { count, columns: REAL_COLUMNS, size },
      columns: wide ? count : 8,
      verdicts: this.verdicts("real"),
      color: "--gf-ink2",
      classNames: [],
    });
  }

  drawFake() {
    const { meta, step, history, sheet: newest } = this.live;
    const tiles = meta?.tiles ?? TILES_AT_FIRST;
    const sheet = step === null ? newest : history.frame(step);
    if (step !== null && !sheet) return;
    const layout = this.grid("fake", {
      sheet,
      tiles,
      columns: this.fakeColumns(tiles),
      verdicts: this.verdicts("fake"),
      color: "--gf-accent",
      classNames: meta?.conditional ? meta.class_names.slice(0, tiles.columns) : [],
    });
    this.tile.place(layout, sheet ? openable(meta) : 0);
    this.showMoment(tiles.count);
  }

  openTile(i) {
    const { meta, step, snapshot } = this.live;
    openTile(meta, i, step ?? snapshot.step, snapshot.step);
  }

  /** D's verdicts at the moment that is shown. kind: "fake" or "real". */
  verdicts(kind) {
    const { step, snapshot, history } = this.live;
    const values = step === null ? snapshot?.[`verdict_${kind}`] : history.verdicts.get(step)?.[kind];
    return values?.length ? values : null;
  }

  /**
   * Without classes the pictures may lie in any columns: in those in which they are largest and all are seen at once; in fewer where
   * more would be smaller than they have pixels.
   */
  fakeColumns({ count, columns, size }) {
    if (this.live.meta?.conditional) return columns;
    if (this.stageWidth < columns * (size + GAP)) return columnsIn(this.stageWidth, size + GAP, count, columns - 1);
    if (this.stageWidth < Math.max(640, 10 * (size + GAP))) return columns;
    const tileIn = (columns) => tileLayout(this.part("fake"), { size, columns, count, width: this.stageWidth }).tile;
    const others = AROUND_GRID + (this.widthOf("real") < this.stageWidth ? 0 : REAL_ABOVE);
    const fits = (columns) => Math.ceil(count / columns) * (tileIn(columns) + ROW_SPACE) < window.innerHeight - others;
    const [most, ...fewer] = evenColumns(count);
    return fewer.reduce((best, each) => (fits(each) && tileIn(each) > tileIn(best) ? each : best), most ?? columns);
  }

  grid(name, what) {
    const probability = this.live.meta?.verdict_is_probability ?? true;
    return drawGrid(this.part(name), { ...what, probability, width: this.widthOf(name) });
  }

  get stageWidth() {
    return this.widthOf("fake");
  }

  widthOf(canvas) {
    return this.part("view").clientWidth && this.part(canvas).parentElement.clientWidth;
  }

  /** Which moment the grid shows, in words. */
  showMoment(count) {
    const { step, snapshot, meta } = this.live;
    const caption = meta?.verdict_is_probability === false ? "train.score_caption" : "train.verdict_caption";
    setText(this.part("fake-caption"), step === null ? t(caption) : t("train.at_step", { step: whole(step) }));
    this.part("fake").setAttribute("aria-label", t("train.tiles_label", { count, step: whole(step ?? snapshot?.step ?? 0) }));
  }
}
