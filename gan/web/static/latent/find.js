// Finding a picture: drawn with a pen, from a file, or one of the data set's test pictures. The server tells the best so far,
// line by line; the last becomes the picture on the stage.

import { limits } from "../core/boot.js";
import { putPicture } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { takeChosen } from "../core/files/chosen.js";
import { percentOf } from "../core/format.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { afterPause, newestWins } from "../core/schedule.js";
import { api, fromJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { bytesOf, Vector } from "../engine/vector.js";
import { fetchPixels, slotOf } from "../weights/pixels.js";

const SIDE = 280; // pixels of the drawing
const PEN = 24;
const LIFTED_MS = 500; // the pen rests: the drawing is done, or will be drawn on

/** The fold of the tab. */
export class Find {
  /**
   * hooks: {state(), about(), found(vector, label): show it on the stage, bringBack(file): true when the file says by itself
   * how it was made, and is shown}.
   */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.tests = newestWins(() => this.drawTests());
    this.lifted = afterPause(LIFTED_MS, () => this.drawn && this.sendDrawing());
    this.bindPen();
    part("pen-clear").addEventListener("click", () => this.clear());
    part("find").addEventListener("toggle", () => this.build());
    takeChosen(part("find-file"), ([file]) => this.open(file));
    this.clear();
  }

  /** For these weights: their test pictures. */
  build() {
    const about = this.hooks.about();
    if (!this.part("find").open || !about || this.weights === about.id) return;
    this.weights = about.id;
    this.tests();
  }

  async drawTests() {
    const drawn = await fetchPixels("find/tests", { w: this.weights });
    const buttons = Array.from({ length: drawn.count }, (_, i) => {
      const canvas = h("canvas", { class: "gf-canvas", "aria-hidden": "true" });
      putPicture(canvas, drawn, i);
      const label = t("latent.find_test", { i: i + 1 });
      const props = { type: "button", class: "gf-mark", "aria-label": label, dataset: { mark: "" } };
      return h("button", { ...props, onclick: () => this.search({ kind: "test", i }) }, canvas);
    });
    this.part("find-tests-box").hidden = !buttons.length;
    this.part("find-tests").replaceChildren(...buttons);
  }

  // ---- the pen ----

  bindPen() {
    const pen = this.part("pen");
    [pen.width, pen.height] = [SIDE, SIDE];
    const at = (event) => {
      const { left, top, width } = pen.getBoundingClientRect();
      return [((event.clientX - left) * SIDE) / width, ((event.clientY - top) * SIDE) / width];
    };
    let last = null;
    pen.addEventListener("pointerdown", (event) => {
      pen.setPointerCapture(event.pointerId);
      last = at(event);
      this.line(last, last);
    });
    pen.addEventListener("pointermove", (event) => {
      if (!last) return;
      const next = at(event);
      this.line(last, next);
      last = next;
    });
    const lift = () => {
      if (last) this.lifted(); // a hand that rests in mid-stroke has drawn half a picture, or nothing that can be seen
      last = null;
    };
    for (const end of ["pointerup", "pointercancel"]) pen.addEventListener(end, lift);
    this.penIsDown = () => last !== null;
  }

  /**
   * @param {number[]} from
   * @param {number[]} to
   */
  line([x, y], [toX, toY]) {
    const ctx = this.part("pen").getContext("2d");
    Object.assign(ctx, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(toX, toY);
    ctx.stroke();
    this.drawn = true;
    this.part("pen-hint").hidden = true;
  }

  clear() {
    const ctx = this.part("pen").getContext("2d");
    ctx.fillStyle = "#000";
    ctx.fillRect(0, 0, SIDE, SIDE);
    this.drawn = false;
    this.part("pen-hint").hidden = false;
  }

  sendDrawing() {
    if (this.penIsDown()) return; // another stroke has begun
    this.part("pen").toBlob((blob) => this.search({ kind: "drawn" }, blob), "image/png");
  }

  /** A picture that says how it was made needs no search. */
  async open(file) {
    if (await this.hooks.bringBack(file)) return;
    const most = limits().picture_mb;
    if (file.size > most * 2 ** 20) notify(t("latent.find_too_large", { most }), "error");
    else this.search({ kind: "picture" }, file);
  }

  // ---- searching ----

  /** A newer search ends the one before. */
  async search(question, body) {
    this.running?.abort();
    const running = new AbortController();
    this.running = running;
    const { w } = this.hooks.state();
    this.show(0);
    setText(this.part("find-words"), t("latent.find_looking"));
    this.part("find-result").hidden = false;
    try {
      const query = queryOf({ w, ...question, slot: slotOf("page") });
      const options = { method: "POST", body, signal: running.signal, headers: { "Content-Type": "application/octet-stream" } };
      await this.read(await api(`find?${query}`, options), w);
    } catch (error) {
      if (error.name === "AbortError") return;
      setText(this.part("find-words"), error.message);
    }
    if (this.running === running) this.part("find-progress").hidden = true;
  }

  async read(response, weights) {
    const { channels, size } = this.hooks.about();
    let found = null;
    for await (const line of linesOf(response.body)) {
      if (line.problem) throw new Error(line.problem);
      const pixels = bytesOf(line.target ?? line.image);
      putPicture(this.part(line.target ? "find-target" : "find-best"), { pixels, channels, size });
      if (line.target) continue;
      found = line;
      this.show(found.share);
      setText(this.part("find-words"), t("latent.find_error", { error: percentOf(found.error, 1) }));
    }
    if (found && this.hooks.state().w === weights) this.finish(found);
  }

  show(share) {
    const bar = this.part("find-progress");
    bar.hidden = false;
    bar.value = share;
  }

  /** As what it was found, where there are classes, and whether that is what it looks like. */
  words({ label, looks, far, error }) {
    const { class_names: names } = this.hooks.about();
    const said = { error: percentOf(error, 1), name: names[label], looks: names[looks] };
    if (far) return t("latent.find_far", said);
    if (label === null) return t("latent.find_done", said);
    return t(looks === null || looks === label ? "latent.find_done_as" : "latent.find_unlike", said);
  }

  finish(found) {
    setText(this.part("find-words"), this.words(found));
    this.hooks.found(new Vector(found.latent), found.label);
  }
}

/** Lines of JSON, as they come. */
async function* linesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield fromJSON(line);
  }
}
