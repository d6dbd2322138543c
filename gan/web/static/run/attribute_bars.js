// What the generated pictures show, attribute by attribute, beside the real ones.

import { h, setText } from "../core/dom.js";
import { percentOf } from "../core/format.js";
import { t } from "../core/text.js";

const COMMON = 0.05; // of the real pictures
const HARDLY = 0.3; // times as often as in the real ones
const WIDEST = 0.6; // the share at which a bar ends; what is larger is cut off there

/** @typedef {{title: string, values: string[], shares: number[]}} Attribute in the words of the page, with real shares */

export class AttributeBars {
  /**
   * part: finds an element by name. datasets: what is known of each, as the server lists them.
   *
   * @param {(name: string) => HTMLElement} part
   * @param {{name: string, attributes: Attribute[]}[]} datasets
   */
  constructor(part, datasets) {
    this.part = part;
    this.known = new Map(datasets.map(({ name, attributes }) => [name, attributes]));
    this.dataset = "";
    /** @type {{row: HTMLElement, fill: HTMLElement, number: HTMLElement, full: string, real: number}[]} */
    this.rows = [];
  }

  /**
   * @param {string} dataset
   * @param {{attributes?: number[]} | null} measure
   */
  show(dataset, measure) {
    const attributes = this.known.get(dataset) ?? [];
    const counts = measure?.attributes ?? [];
    const fits = counts.length > 0 && counts.length === attributes.reduce((sum, { values }) => sum + values.length, 0);
    this.part("m-attributes").hidden = !fits;
    if (!fits) return;
    if (this.dataset !== dataset) this.make(dataset, attributes);
    const shares = sharesOf(counts, attributes);
    this.rows.forEach(({ row, fill, number, full: name, real }, i) => {
      const share = shares[i];
      fill.style.transform = `scaleX(${Math.min(1, share / WIDEST)})`;
      setText(number, percentOf(share));
      row.dataset.missing = String(isMissing(share, real));
      row.title = t("measures.attribute_label", { name, percent: Math.round(100 * share), real: Math.round(100 * real) });
    });
    const missing = this.rows.filter(({ real }, i) => isMissing(shares[i], real)).map(({ full }) => full);
    setText(
      this.part("m-missing"),
      t(missing.length ? "measures.missing" : "measures.nothing_missing", { values: missing.join(", ") }),
    );
  }

  /**
   * @param {string} dataset
   * @param {Attribute[]} attributes
   */
  make(dataset, attributes) {
    this.dataset = dataset;
    this.rows = [];
    const sections = attributes.map(({ title, values, shares }) => {
      const rows = values.map((name, i) => this.makeRow(title, name, shares[i]));
      return h("section", {}, h("h4", {}, title), ...rows);
    });
    this.part("m-attribute-list").replaceChildren(...sections);
  }

  /**
   * @param {string} attribute
   * @param {string} name
   * @param {number} real
   */
  makeRow(attribute, name, real) {
    const fill = h("i", {});
    const number = h("span", { class: "gf-num" });
    const mark = h("b", { style: { insetInlineStart: `${Math.min(100, (100 * real) / WIDEST)}%` } });
    const row = h("div", { class: "gf-attribute" }, h("span", {}, name), h("div", {}, fill, mark), number);
    this.rows.push({ row, fill, number, full: t("latent.attribute", { attribute, value: name }), real });
    return row;
  }
}

/**
 * The share of each value among the pictures.
 *
 * @param {number[]} counts
 * @param {Attribute[]} attributes
 */
export function sharesOf(counts, attributes) {
  let start = 0;
  return attributes.flatMap(({ values }) => {
    const own = counts.slice(start, start + values.length);
    start += values.length;
    const total = own.reduce((sum, count) => sum + count, 0);
    return own.map((count) => (total ? count / total : 0));
  });
}

/**
 * @param {number} share
 * @param {number} real
 */
export const isMissing = (share, real) => real >= COMMON && share < HARDLY * real;
