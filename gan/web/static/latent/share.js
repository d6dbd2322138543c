// Handing a picture on and getting it back: the PNG that says how it was made, such a file dropped on the tab or chosen, and
// the picture as lines of Python.

import { boot } from "../core/boot.js";
import { encoded, putPicture } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { takeChosen } from "../core/files/chosen.js";
import { saveBlob, saveFrom } from "../core/files/downloads.js";
import { takeDrops } from "../core/files/drops.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { getJSON, url } from "../core/server.js";
import { t } from "../core/text.js";
import { PROVENANCE } from "../engine/constants.js";
import { digestHere, drawHere } from "../engine/draw_here.js";
import { OriginError, originOf, withOrigin } from "../engine/provenance.js";
import { nameOfFile, openWeightsFile } from "../weights/files.js";
import { pictureQuery } from "./state.js";

export class Share {
  /** hooks: {state(), choose(id): draw with other weights, restore(address): show another picture}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    part("png").addEventListener("click", () => this.download());
    part("python").addEventListener("click", () => this.showPython());
    part("python-close").addEventListener("click", () => part("python-dialog").close());
    part("python-copy").addEventListener("click", () => this.copyPython());
    takeChosen(part("file"), ([file]) => this.open(file));
    takeDrops("latent", (files) => this.drop(files), part("drop"));
  }

  // ---- out ----

  /** The server's file; while the connection is lost, one that is made here from what the page draws itself. */
  async download() {
    const state = this.hooks.state();
    try {
      await saveFrom(url(`picture.png?${queryOf({ ...pictureQuery(state), scale: PROVENANCE.scale })}`));
    } catch (error) {
      const drawn = error.offline && drawHere(state.w, state.spec);
      if (!drawn) return notify(error.message, "error");
      saveBlob(await pngOf(drawn, state), `gan-forge-${state.spec.seed}.png`);
      notify(t("share.made_here"), "info");
    }
    return undefined;
  }

  async showPython() {
    const state = this.hooks.state();
    try {
      const { python } = await getJSON(`origin?${queryOf({ ...pictureQuery(state), file: nameOfFile(state.w) })}`);
      this.part("python-code").value = python;
    } catch (error) {
      return notify(error.message, "error");
    }
    setText(this.part("python-about"), t("share.python_about"));
    this.part("python-dialog").showModal();
    return this.copyPython();
  }

  /** The lines are selected in any case, for browsers that keep the clipboard closed. */
  async copyPython() {
    const code = this.part("python-code");
    code.focus();
    code.select();
    code.scrollTop = 0;
    try {
      await navigator.clipboard.writeText(code.value);
      setText(this.part("python-about"), t("share.python_copied"));
    } catch {
      setText(this.part("python-about"), t("share.python_by_hand"));
    }
  }

  // ---- back ----

  drop(files) {
    const [file, ...more] = files;
    if (more.length) notify(t("share.one_file"), "error");
    else this.open(file);
  }

  /** A weights file, or a PNG that says how it was made. */
  open(file) {
    if (/\.safetensors$/i.test(file.name)) openWeightsFile(file, (id) => this.hooks.choose(id));
    else this.openPicture(file);
  }

  async openPicture(file) {
    try {
      await this.restore(await originOf(file), file.name);
    } catch (error) {
      notify(error instanceof OriginError ? t(error.key, error.values) : error.message, "error");
    }
  }

  /** The server says first whether these weights are here and the query is right for them: else nothing changes. */
  async restore({ weights, digest, query }, name) {
    const me = Symbol("the file that was brought last");
    this.newest = me;
    const now = await this.ask({ w: weights, ...query });
    if (me !== this.newest) return;
    await this.hooks.restore({ w: weights, ...query });
    const same = now.digest === digest;
    notify(t(same ? "share.restored" : "share.changed", { name: name.slice(0, 60) }), same ? "info" : "error");
  }

  async ask(query) {
    try {
      return await getJSON(`origin?${queryOf(query)}`);
    } catch (error) {
      if (error.status === 404) throw new OriginError("no_weights", { id: query.w, reason: error.message });
      throw error;
    }
  }

  /** Show a picture that was drawn with the weights that are chosen, and says so; false for any other file. */
  async bringBack(file) {
    const origin = await originOf(file).catch(() => null); // null: it is a picture like any other
    if (origin?.weights !== this.hooks.state().w) return false;
    this.openPicture(file);
    return true;
  }
}

/** What this page has drawn as a PNG that says how it was made. */
async function pngOf(drawn, { w, spec }) {
  const [small, large] = [h("canvas"), h("canvas")];
  putPicture(small, drawn);
  large.width = large.height = drawn.size * PROVENANCE.scale;
  const ctx = large.getContext("2d");
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(small, 0, 0, large.width, large.height);
  const plain = await encoded(large);
  const origin = { weights: w, digest: digestHere(w), query: queryOf(spec.toQuery()), madeWith: (await boot()).version };
  return new Blob([withOrigin(new Uint8Array(await plain.arrayBuffer()), origin)], { type: "image/png" });
}
