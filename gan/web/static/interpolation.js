// The Interpolation tab: two ends, the pictures between them as a filmstrip, and a player that walks to and fro.

import {
  copyLink, cssColor, drawTiles, everyVisible, notify, onState, openTab, readState, saveFile, setText, t, tileLayout, url, visibleTab,
  writeState,
} from "./common.js";
import { behind, bring, drawPathHere, holds } from "./in_page.js";
import {
  aboutWeights, afterPause, bindSeed, classChooser, fetchPixels, firstChoice, fitPicture, newestWins, playIcon, putPicture,
  queryOf, randomSeed, readSeed, showWhoDraws, start, weightsSelect,
} from "./pixels.js";

const ENDS = ["a", "b"];
const EDITS = ["m", "d", "z", "u", "lock", "psi", "mix", "from"];
const MOST_FRAMES = 240;
const FILM_SIDE = { "path.gif": 280, "path.mp4": 448 }; // pixels, about
const PLAYER = 448; // CSS pixels at most
const END = 252;
const QUIET_MS = 150;

export function mount(root) {
  const tab = new InterpolationTab(root);
  start(() => tab.begin());
}

class InterpolationTab {
  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.ends = Object.fromEntries(ENDS.map((end) => [end, endParts(root.querySelector(`[data-end="${end}"]`))]));
    this.film = null;
    this.position = 0;
    this.playing = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.forward = true;
    this.ticks = 0;
    this.redraw = newestWins(() => this.drawPath());
    this.settle = afterPause(QUIET_MS, () => writeState("interpolation", addressOf(this.state)));
    this.select = weightsSelect(this.part("weights"), (id) => this.choose(id));
    this.icon = playIcon(this.part("play"));
    this.bind();
  }

  async begin() {
    onState("interpolation", (state) => this.open(state));
    await this.open(readState("interpolation"));
    everyVisible(1000, () => this.tick());
    requestAnimationFrame((now) => this.animate(now));
  }

  // ---- which weights ----

  async open(address) {
    this.state = readPath(address);
    const weights = await this.select.refresh(address.w);
    const first = firstChoice(weights);
    const id = address.w ?? first;
    this.part("view").hidden = !id;
    this.part("empty").hidden = Boolean(id);
    if (id && !(await this.choose(id)) && first && first !== id) await this.choose(first);
  }

  /** Draw with these weights from now on; false, and a sentence, when they cannot be had. */
  async choose(id) {
    try {
      this.about = await aboutWeights(id);
    } catch (error) {
      notify(error.message, "error");
      return false;
    }
    this.state = fitted({ ...this.state, w: id }, this.about);
    await this.select.refresh(id, this.about.title);
    this.part("weights").disabled = false;
    this.build();
    this.part("view").removeAttribute("aria-busy");
    await this.redraw();
    this.settle();
    this.bring();
    return true;
  }

  /** The weights come to the page while the server draws; from then on the page draws by itself. */
  async bring() {
    if (await bring(this.about)) await this.redraw();
  }

  build() {
    for (const end of ENDS) this.buildEnd(end);
    const { mode, frames, fps, boomerang } = this.state;
    this.showMode(mode);
    this.part("frames").value = frames;
    this.part("fps").value = fps;
    this.part("boomerang").checked = boomerang;
    this.showPlaying();
  }

  buildEnd(end) {
    const parts = this.ends[end];
    const place = this.state[end];
    parts.seed.value = place.seed;
    parts.seed.setAttribute("aria-invalid", "false");
    parts.edited.hidden = !EDITS.some((edit) => place[edit]);
    classChooser(parts.classes, this.about, place.c, (c) => this.moveEnd(end, { c }), true);
  }

  async tick() {
    if (visibleTab() !== "interpolation") return;
    this.ticks += 1;
    if (!this.about) return this.ticks % 3 ? undefined : this.open(readState("interpolation"));
    if (this.ticks % 5 === 0) await this.select.refresh(this.state.w, this.about.title);
    if (this.ticks % 5 === 0 && !holds(this.state.w)) this.bring(); // they were lost on their way
    if (!(this.about.live || behind(this.about)) || this.ticks % 2) return;
    const { stamp } = this.about;
    this.about = await aboutWeights(this.state.w);
    if (holds(this.about.id)) await this.bring();
    else if (this.about.stamp !== stamp) await this.redraw();
  }

  // ---- changing the path ----

  move(change) {
    Object.assign(this.state, change);
    this.redraw();
    this.settle();
  }

  /** A new seed leaves the edits behind: they belonged to the old picture. */
  moveEnd(end, change) {
    const place = { ...this.state[end], ...change };
    if ("seed" in change) EDITS.forEach((edit) => delete place[edit]);
    this.state[end] = place;
    this.ends[end].edited.hidden = !EDITS.some((edit) => place[edit]);
    this.move({});
  }

  surprise(end) {
    const seed = randomSeed();
    this.ends[end].seed.value = seed;
    this.ends[end].seed.setAttribute("aria-invalid", "false");
    this.moveEnd(end, { seed });
  }

  swap() {
    const { a, b } = this.state;
    Object.assign(this.state, { a: b, b: a });
    ENDS.forEach((end) => this.buildEnd(end));
    this.move({});
  }

  // ---- pictures ----

  async drawPath() {
    const query = pathQuery(this.state);
    const here = await drawPathHere(query);
    this.film = here ?? (await fetchPixels("path", query, ""));
    showWhoDraws(this.part("drawn"), here ? "page" : "server", this.about);
    const { count } = this.film;
    const slider = this.part("position");
    slider.max = count - 1;
    this.position = Math.min(this.position, count - 1);
    putPicture(this.ends.a.picture, this.film, 0);
    putPicture(this.ends.b.picture, this.film, count - 1);
    setText(this.part("frames-value"), String(count));
    this.root.firstElementChild.dataset.shows = queryOf(query);
    this.layout();
  }

  layout() {
    if (!this.film) return;
    const { size } = this.film;
    fitInCard(this.part("stage"), size, PLAYER);
    for (const end of ENDS) fitInCard(this.ends[end].picture, size, END);
    this.drawStrip();
    this.showFrame();
  }

  drawStrip() {
    const { pixels, channels, count, size } = this.film;
    const box = this.part("strip-box");
    const scale = count <= 16 ? 3 : count <= 60 ? 2 : 1.5;
    const columns = Math.min(count, Math.max(1, Math.floor((box.clientWidth + 4) / (scale * size + 4))));
    const options = { size, columns, count, width: box.clientWidth, gap: 4, maxScale: count <= 16 ? 4 : scale };
    this.strip = { options, layout: tileLayout(this.part("strip"), options), source: { pixels, channels, count } };
    this.paintStrip();
  }

  paintStrip() {
    const { options, source } = this.strip;
    const { ctx, x, y, tile } = drawTiles(this.part("strip"), source, options);
    ctx.strokeStyle = cssColor("--gf-accent");
    ctx.lineWidth = 3;
    ctx.strokeRect(x(this.position) + 1.5, y(this.position) + 1.5, tile - 3, tile - 3);
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
    if (!this.playing || !this.film || visibleTab() !== "interpolation") return;
    if (now - (this.shownAt ?? 0) < 1000 / this.state.fps - 4) return;
    this.shownAt = now;
    this.advance();
    this.showFrame();
  }

  /** The next frame: there and back, or from the beginning again. */
  advance() {
    const last = this.film.count - 1;
    if (!this.state.boomerang) this.forward = true;
    if (this.position >= last) this.forward = !this.state.boomerang;
    if (this.position <= 0) this.forward = true;
    this.position += this.forward ? 1 : -1;
    if (this.position > last) this.position = 0;
  }

  play(playing) {
    this.playing = playing;
    this.showPlaying();
  }

  showPlaying() {
    const button = this.part("play");
    const name = t(this.playing ? "interpolation.pause" : "interpolation.play");
    button.dataset.playing = String(this.playing);
    this.icon(this.playing);
    button.title = name;
    button.setAttribute("aria-label", name);
  }

  seek(position) {
    this.play(false);
    this.position = position;
    if (this.film) this.showFrame();
  }

  /** A click on the strip goes to the frame under it. */
  seekStrip(event) {
    const { layout, options } = this.strip;
    const step = layout.tile + options.gap;
    const column = Math.floor(event.offsetX / step);
    const row = Math.floor(event.offsetY / step);
    const i = row * options.columns + column;
    if (column < options.columns && i < this.film.count) this.seek(i);
  }

  showMode(mode) {
    for (const button of this.part("modes").children) {
      const chosen = button.dataset.mode === mode;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  chooseMode(mode) {
    this.showMode(mode);
    this.move({ mode });
  }

  // ---- wiring ----

  bind() {
    const on = (name, event, fn) => this.part(name).addEventListener(event, fn);
    for (const end of ENDS) this.bindEnd(end);
    for (const button of this.part("modes").children) {
      button.addEventListener("click", () => this.chooseMode(button.dataset.mode));
    }
    on("modes", "keydown", (event) => this.modeKey(event));
    on("frames", "input", (event) => this.move({ frames: Number(event.target.value) }));
    on("fps", "change", (event) => this.setPlayer({ fps: Number(event.target.value) }));
    on("boomerang", "change", (event) => this.setPlayer({ boomerang: event.target.checked }));
    on("play", "click", () => this.play(!this.playing));
    on("position", "input", (event) => this.seek(Number(event.target.value)));
    on("strip", "click", (event) => this.seekStrip(event));
    on("swap", "click", () => this.swap());
    on("copy-link", "click", (event) => this.copy(event.currentTarget));
    on("gif", "click", (event) => this.download(event, "path.gif"));
    on("mp4", "click", (event) => this.download(event, "path.mp4"));
    on("go-train", "click", () => openTab("train"));
    new ResizeObserver(() => this.layout()).observe(this.part("strip-box"));
  }

  bindEnd(end) {
    const parts = this.ends[end];
    bindSeed(parts.seed, (seed) => this.moveEnd(end, { seed }));
    parts.surprise.addEventListener("click", () => this.surprise(end));
    parts.open.addEventListener("click", () => openTab("latent", { w: this.state.w, ...this.state[end] }));
    parts.clear.addEventListener("click", () => this.moveEnd(end, { seed: this.state[end].seed }));
  }

  setPlayer(change) {
    Object.assign(this.state, change);
    this.settle();
  }

  modeKey(event) {
    if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    this.chooseMode(this.state.mode === "slerp" ? "lerp" : "slerp");
    this.part("modes").querySelector('[aria-checked="true"]').focus();
  }

  copy(button) {
    writeState("interpolation", addressOf(this.state));
    copyLink(button);
  }

  download(event, route) {
    const scale = Math.max(1, Math.min(16, Math.round(FILM_SIDE[route] / this.about.size)));
    const { fps, boomerang } = this.state;
    event.currentTarget.href = url(`${route}?${queryOf({ ...pathQuery(this.state), scale, fps, boomerang: boomerang ? 1 : 0 })}`);
    saveFile(event);
  }
}

const fitInCard = (canvas, size, most) => fitPicture(canvas, size, Math.min(innerWidthOf(canvas.parentElement), most));

function innerWidthOf(card) {
  const { paddingLeft, paddingRight } = getComputedStyle(card);
  return card.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
}

function endParts(section) {
  const names = ["picture", "seed", "surprise", "open", "classes", "edited", "clear"];
  return Object.fromEntries(names.map((name) => [name, section.querySelector(`[data-gf="${name}"]`)]));
}

// ---- the state and its text ----

function readPath(address) {
  const frames = Number(address.frames);
  return {
    w: address.w,
    a: readEnd(address, "a", 3),
    b: readEnd(address, "b", 8),
    mode: address.mode === "lerp" ? "lerp" : "slerp",
    frames: Number.isInteger(frames) ? Math.min(Math.max(frames, 2), MOST_FRAMES) : 24,
    fps: [5, 10, 20, 30].includes(Number(address.fps)) ? Number(address.fps) : 20,
    boomerang: address.boomerang !== "0",
  };
}

/** An end is SEED or SEED:CLASS, and what the sliders changed about it. */
function readEnd(address, end, seed) {
  const [text, label] = (address[end] ?? "").split(":");
  const place = { seed: readSeed(text) ?? seed, c: /^\d+$/.test(label ?? "") ? Number(label) : undefined };
  for (const edit of EDITS) if (address[end + edit]) place[edit] = address[end + edit];
  return place;
}

/** The same path for these weights: classes only where there are any, at first two different ones. */
function fitted(state, { classes }) {
  const label = (c, first) => (classes ? Math.min(c ?? first, classes - 1) : undefined);
  return { ...state, a: { ...state.a, c: label(state.a.c, 3) }, b: { ...state.b, c: label(state.b.c, 8) } };
}

const endText = ({ seed, c }) => (c === undefined ? String(seed) : `${seed}:${c}`);

function pathQuery({ w, a, b, mode, frames }) {
  const edits = ENDS.flatMap((end) => EDITS.map((edit) => [end + edit, { a, b }[end][edit]]));
  return { w, a: endText(a), b: endText(b), ...Object.fromEntries(edits), mode, frames };
}

const addressOf = (state) => ({
  ...pathQuery(state),
  fps: state.fps === 20 ? "" : state.fps,
  boomerang: state.boomerang ? "" : "0",
});
