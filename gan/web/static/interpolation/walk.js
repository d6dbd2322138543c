// The walk along a path: a player, and every picture of the path as a filmstrip.

import {
  cssColor,
  drawTiles,
  fitPicture,
  putPicture,
  rawSheet,
  scaleLike,
  tileLayout,
  whenLookChanges,
} from "../core/canvas.js";
import { playButton } from "../core/controls/play_button.js";
import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { setText } from "../core/dom.js";
import { visibleTab } from "../core/gradio_shell.js";
import { queryOf } from "../core/query.js";
import { t } from "../core/text.js";
import { drawPathHere } from "../engine/draw_here.js";
import { fetchPixels } from "../weights/pixels.js";
import { mostFrames, pathQuery } from "./state.js";

const [STAGE, AROUND_STAGE] = [224, 400]; // CSS pixels: the picture at least, and the rest of the screen
const GAP = 4;
const SLIDER_FRAMES = 120;

/** What the tab shows at first. */
export class Walk {
  /** root: says which path is drawn. hooks: {state(), move(change): change the state and draw}. */
  constructor(part, root, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.root = root;
    this.film = null;
    this.position = 0;
    this.playing = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.forward = true;
    this.showPlay = playButton(part("play"), (playing) => t(`interpolation.${playing ? "pause" : "play"}`));
    this.bind();
    requestAnimationFrame((now) => this.animate(now));
  }

  build() {
    const { mode, frames, fps, boomerang, loop } = this.hooks.state();
    markChosen(this.part("modes"), "mode", mode);
    this.part("frames").max = Math.min(SLIDER_FRAMES, mostFrames(this.hooks.state()));
    this.part("frames").value = frames;
    setText(this.part("frames-value"), String(frames));
    this.part("fps").value = fps;
    this.part("after").value = loop ? "loop" : boomerang ? "back" : "again";
    this.showPlaying();
  }

  // ---- pictures ----

  /** Draw the path; says who did. */
  async draw() {
    const { w, keyframes, mode, frames, loop } = this.hooks.state();
    const query = pathQuery(this.hooks.state());
    const here = await drawPathHere(w, keyframes, { mode, frames, loop });
    this.film = here ?? (await fetchPixels("path", query, ""));
    this.frames = frames;
    const { count } = this.film;
    this.part("position").max = count - 1;
    this.position = Math.min(this.position, count - 1);
    setText(this.part("count"), t("interpolation.count", { count }));
    this.root.dataset.shows = queryOf(query);
    this.layout();
    return here ? "page" : "server";
  }

  layout() {
    if (!this.film || !this.part("strip-box").clientWidth) return;
    const card = this.part("stage").parentElement;
    const { paddingLeft, paddingRight } = getComputedStyle(card);
    const room = card.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
    fitPicture(this.part("stage"), this.film.size, Math.min(room, Math.max(STAGE, window.innerHeight - AROUND_STAGE)));
    this.layoutStrip();
    this.showFrame();
  }

  layoutStrip() {
    const { count, size } = this.film;
    const box = this.part("strip-box");
    const like = (scale) => scaleLike(scale, size);
    const scale = like(count <= 40 ? (box.clientWidth < 640 ? 2 : 3) : count <= 100 ? 1.5 : 1);
    const columns = Math.min(count, Math.max(1, Math.floor((box.clientWidth + GAP) / (scale * size + GAP))));
    const options = { size, columns, count, width: box.clientWidth, gap: GAP, maxScale: count <= 16 ? like(3) : scale };
    this.strip = { options, layout: tileLayout(this.part("strip"), options), sheet: rawSheet(this.film, size, columns) };
    this.part("strip").dataset.columns = columns;
  }

  /** Keyframes have a quiet frame, the picture on the stage has the accent. */
  paintStrip() {
    const { options, sheet } = this.strip;
    const { ctx, x, y, tile } = drawTiles(this.part("strip"), sheet, options);
    const frame = (i, colour, width) => {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.strokeRect(x(i) + width / 2, y(i) + width / 2, tile - width, tile - width);
    };
    for (let i = 0; i < options.count; i += this.frames - 1) frame(i, cssColor("--gf-on-stage-dim"), 2);
    frame(this.position, cssColor("--gf-accent"), 3);
  }

  showFrame() {
    putPicture(this.part("stage"), this.film, this.position);
    this.part("position").value = this.position;
    setText(this.part("position-value"), `${this.position + 1} / ${this.film.count}`);
    this.part("stage").dataset.frame = this.position;
    this.paintStrip();
  }

  // ---- the player ----

  animate(now) {
    requestAnimationFrame((next) => this.animate(next));
    if (!this.playing || !this.film || visibleTab() !== "interpolation" || this.hooks.state().show !== "walk") return;
    if (now - (this.shownAt ?? 0) < 1000 / this.hooks.state().fps - 4) return;
    this.shownAt = now;
    this.advance();
    this.showFrame();
  }

  /** The next frame: there and back, or from the beginning again, which a loop has led to. */
  advance() {
    const last = this.film.count - 1;
    const back = this.hooks.state().boomerang && !this.hooks.state().loop;
    if (!back || this.position <= 0) this.forward = true;
    else if (this.position >= last) this.forward = false;
    this.position += this.forward ? 1 : -1;
    if (this.position > last) this.position = 0;
  }

  play(playing) {
    this.playing = playing;
    this.showPlaying();
  }

  showPlaying() {
    this.showPlay(this.playing);
  }

  seek(position) {
    this.play(false);
    this.position = position;
    if (this.film) this.showFrame();
  }

  /** A click on the strip goes to the frame under it. */
  seekStrip(event) {
    if (!this.strip) return;
    const { layout, options } = this.strip;
    const step = layout.tile + options.gap;
    const column = Math.floor(event.offsetX / step);
    const row = Math.floor(event.offsetY / step);
    const i = row * options.columns + column;
    if (column < options.columns && i < this.film.count) this.seek(i);
  }

  // ---- wiring ----

  bind() {
    const on = (name, event, fn) => this.part(name).addEventListener(event, fn);
    radioGroup(this.part("modes"), "mode", (mode) => this.hooks.move({ mode }));
    on("frames", "input", (event) => this.hooks.move({ frames: Number(event.target.value) }));
    on("fps", "change", (event) => this.hooks.move({ fps: Number(event.target.value) }));
    on("after", "change", ({ target: { value } }) => this.hooks.move({ loop: value === "loop", boomerang: value !== "again" }));
    on("play", "click", () => this.play(!this.playing));
    on("position", "input", (event) => this.seek(Number(event.target.value)));
    on("strip", "click", (event) => this.seekStrip(event));
    new ResizeObserver(() => this.layout()).observe(this.part("strip-box"));
    window.addEventListener("resize", () => this.layout());
    whenLookChanges(() => this.layout());
  }
}
