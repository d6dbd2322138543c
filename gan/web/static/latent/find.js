// Finding a picture: drawn with a pen, from a file, or one of the data set's test pictures. The server tells the best so far,
// line by line; the last becomes the picture on the stage.

import { limits } from "../core/boot.js";
import { encoded, putPicture } from "../core/canvas.js";
import { Pen } from "../core/controls/pen.js";
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
    const lifted = afterPause(LIFTED_MS, () => this.pen.isEmpty || this.sendDrawing());
    this.pen = new Pen(part("pen"), part("pen-hint"), { lifted });
    part("pen-clear").addEventListener("click", () => this.pen.clear());
    part("find").addEventListener("toggle", () => this.build());
    takeChosen(part("find-file"), ([file]) => this.open(file));
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

  async sendDrawing() {
    if (this.pen.isDown) return; // another stroke has begun
    this.search({ kind: "drawn" }, await encoded(this.part("pen")));
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
