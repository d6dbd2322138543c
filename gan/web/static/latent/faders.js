// Every number of the latent as an upright slider of its own, in a fold.

import { h, setText } from "../core/dom.js";
import { signed } from "../core/format.js";
import { newestWins } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { numbersHere } from "../engine/draw_here.js";
import { pictureText } from "./state.js";

const LIMIT = 4;

export class Faders {
  /** hooks: {state(), about(), move(change): change parts of the spec}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.all = [];
    this.read = newestWins(() => this.show());
    part("raw").addEventListener("toggle", () => this.build());
    part("release").addEventListener("click", () => hooks.move({ fixed: new Map() }));
  }

  get fixed() {
    return this.hooks.state().spec.fixed;
  }

  /** For these weights; only while the fold is open. */
  build() {
    const count = this.hooks.about()?.z_dim ?? 0;
    setText(this.part("raw-title"), t("latent.raw_count", { count }));
    this.all = this.part("raw").open ? Array.from({ length: count }, (_, i) => this.fader(i)) : [];
    this.part("faders").replaceChildren(...this.all);
    this.read();
  }

  /** The numbers of the latent as it is now. */
  async show() {
    this.part("release").disabled = !this.fixed.size;
    if (!this.all.length) return;
    const state = this.hooks.state();
    const { z } = numbersHere(state.w, state.spec) ?? (await getJSON(`latent?${pictureText(state)}`));
    z.forEach((value, i) => this.paint(i, this.fixed.get(i) ?? value, this.fixed.has(i)));
    if (this.shown !== undefined) this.readout(this.shown);
  }

  fader(i) {
    return h("input", {
      type: "range",
      class: "gf-fader",
      min: -LIMIT,
      max: LIMIT,
      step: 0.05,
      tabIndex: i ? -1 : 0,
      "aria-label": t("latent.dimension", { i }),
      "aria-orientation": "vertical",
      oninput: (event) => this.pin(i, Number(event.target.value)),
      onfocus: () => this.readout(i),
      onpointerenter: () => this.readout(i),
      ondblclick: () => this.unpin(i),
      onkeydown: (event) => this.key(event, i),
    });
  }

  pin(i, value) {
    this.paint(i, value, true);
    this.hooks.move({ fixed: new Map(this.fixed).set(i, value) });
    this.readout(i);
  }

  unpin(i) {
    const fixed = new Map(this.fixed);
    if (fixed.delete(i)) this.hooks.move({ fixed });
  }

  /** Left and right go to the next number, up and down (the browser's own) change it, Delete gives it back. */
  key(event, i) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      this.focus((i + step + this.all.length) % this.all.length);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.unpin(i);
    }
  }

  focus(i) {
    for (const fader of this.all) fader.tabIndex = -1;
    this.all[i].tabIndex = 0;
    this.all[i].focus();
  }

  paint(i, value, set) {
    const fader = this.all[i];
    if (!fader) return;
    fader.value = value;
    fader.dataset.value = value;
    fader.classList.toggle("gf-is-set", set);
    fader.setAttribute("aria-valuetext", signed(value));
  }

  readout(i) {
    this.shown = i;
    const value = Number(this.all[i]?.dataset.value ?? 0);
    const key = this.fixed.has(i) ? "latent.readout_set" : "latent.readout";
    setText(this.part("raw-readout"), t(key, { i, value: signed(value) }));
  }
}
