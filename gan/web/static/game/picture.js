// The pictures of a round: real ones from the sheet beside the run, generated ones from its kept frames.

import { drawTiles } from "../core/canvas.js";
import { url } from "../core/server.js";
import { REAL_COLUMNS } from "../run/history.js";

export class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    /** @type {Map<any, any>} */
    this.sheets = new Map(); // step, or "real" -> a sheet
  }

  /** Have everything that a round shows, so that no picture is waited for. */
  async prepare(follower, round) {
    const { history, runId, meta } = follower;
    this.tiles = meta.tiles;
    const real = new Image();
    real.src = url(`runs/${runId}/real.png`);
    await real.decode();
    const steps = [...new Set(round.filter(({ real: is }) => !is).map(({ step }) => step))];
    await Promise.all(steps.filter((step) => !history.frame(step)).map((step) => history.load(step)));
    this.sheets = new Map([["real", real]]);
    for (const step of steps) this.sheets.set(step, history.frame(step));
  }

  show(question) {
    this.draw(this.canvas, question, Math.min(320, this.canvas.parentElement.clientWidth));
  }

  /** One picture, as wide as there is room. */
  draw(canvas, { real, step, index }, width) {
    const { size, columns } = this.tiles;
    const across = real ? REAL_COLUMNS : columns;
    const [x, y] = [(index % across) * size, Math.floor(index / across) * size];
    const one = document.createElement("canvas");
    one.width = one.height = size;
    one.getContext("2d").drawImage(this.sheets.get(real ? "real" : step), -x, -y);
    drawTiles(canvas, one, { size, count: 1, columns: 1, width });
  }
}
