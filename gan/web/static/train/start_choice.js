// What a new run begins with: noise, weights that are shipped, or those of a run.

import { h } from "../core/dom.js";
import { t } from "../core/text.js";

const NOISE = "";

/** @typedef {{name: string, title: string}} Offer */
/** @typedef {Offer & {size: number, channels: number}} Shipped size, channels: of its pictures */

export class StartChoice {
  /**
   * @param {(name: string) => any} part
   * @param {Shipped[]} shipped
   * @param {() => void} changed a person has chosen
   */
  constructor(part, shipped, changed) {
    this.part = part;
    this.shipped = shipped;
    /** @type {Offer[]} */
    this.runs = [];
    this.drawn = "";
    this.select = part("start-from");
    this.select.addEventListener("change", () => {
      this.show();
      changed();
    });
    this.draw();
  }

  /** The name of what is chosen; "": noise. @returns {string} */
  get name() {
    return this.select.value;
  }

  /** The form of the pictures that what is chosen draws, where it is known. */
  get form() {
    return this.shipped.find(({ name }) => name === this.name);
  }

  /**
   * What a link names. A run that is not offered may be there all the same.
   *
   * @param {string} name
   */
  choose(name) {
    if (name && ![...this.shipped, ...this.runs].some((offer) => offer.name === name)) this.runs.push({ name, title: name });
    this.draw(name);
  }

  /**
   * My runs, as the server lists them.
   *
   * @param {{id: string, title: string, step: number}[]} runs
   */
  offer(runs) {
    const known = runs.filter(({ step }) => step > 0).map(({ id, title }) => ({ name: id, title }));
    const linked = this.runs.filter(({ name }) => name === this.name && !known.some((offer) => offer.name === name));
    this.runs = [...known, ...linked];
    if (document.activeElement !== this.select) this.draw(); // a menu that is open stays as it is
  }

  draw(chosen = this.name) {
    const offers = [{ name: NOISE, title: t("train.from_noise") }, ...this.shipped, ...this.runs];
    const fingerprint = JSON.stringify(offers);
    if (fingerprint !== this.drawn) {
      this.drawn = fingerprint;
      this.select.replaceChildren(...offers.map(({ name, title }) => h("option", { value: name }, title)));
    }
    this.select.value = chosen;
    this.show();
  }

  show() {
    this.part("start-about").hidden = this.name === NOISE;
  }
}
