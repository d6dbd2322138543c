// A − B + C with the first three pictures of the row.

import { fitPicture, putPicture, whenLookChanges } from "../core/canvas.js";
import { h, setText } from "../core/dom.js";
import { t } from "../core/text.js";
import { nameOf } from "../engine/keyframes.js";
import { whatIs } from "./keyframe_row.js";
import { drawSums, eachAlone, openSum, sumsQuery, takeSum } from "./sums.js";

const SUM = [1, -1, 1];
const [TERM, RESULT] = [168, 280]; // CSS pixels at most

export class Arithmetic {
  /** hooks: {state(), about(), choose(i): choose picture i of the row, keep(spec): one more picture of the path}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.needs = SUM.length;
    this.single = true; // what is exported is one picture
    this.terms = SUM.map((_, i) => this.term(i));
    const signs = ["−", "+", "="].map((sign) => h("span", { class: "gf-sum-sign", "aria-hidden": "true" }, sign));
    part("sum-terms").prepend(...this.terms.flatMap((term, i) => [term, signs[i]]));
    part("sum-open").addEventListener("click", () => openSum(hooks.state(), SUM));
    part("sum-keep").addEventListener("click", () => takeSum(hooks.state(), SUM, hooks.keep));
    new ResizeObserver(() => this.layout()).observe(part("sum-terms"));
    whenLookChanges(() => this.layout());
  }

  /** A picture that becomes the chosen one of the row when it is clicked. */
  term(i) {
    const canvas = h("canvas", { class: "gf-canvas", "aria-hidden": "true" });
    const words = h("span", { class: "gf-hint gf-num" });
    return h("button", { type: "button", class: "gf-sum-term", onclick: () => this.hooks.choose(i) }, canvas, words);
  }

  /** The pictures that are summed. */
  get keyframes() {
    return this.hooks.state().keyframes.slice(0, SUM.length);
  }

  build() {
    this.keyframes.forEach((keyframe, i) => {
      const what = whatIs(keyframe, this.hooks.about());
      setText(this.terms[i].lastElementChild, t("interpolation.sum_term", { name: nameOf(i), what }));
    });
  }

  exported() {
    return sumsQuery(this.hooks.state(), [SUM]);
  }

  async draw() {
    const rows = [...eachAlone(SUM.length), SUM];
    const { film, by } = await drawSums(this.hooks.state(), rows, "sum");
    this.size = film.size;
    [...this.terms.map((term) => term.firstElementChild), this.part("sum")].forEach((canvas, i) => putPicture(canvas, film, i));
    this.part("sum").dataset.shows = this.keyframes.map(({ seed }) => seed).join(",");
    this.layout();
    return by;
  }

  layout() {
    const room = this.part("sum-terms").clientWidth;
    if (!this.size || !room) return;
    const term = Math.min(TERM, (room - 96) / 3);
    for (const { firstElementChild } of this.terms) fitPicture(firstElementChild, this.size, term);
    fitPicture(this.part("sum"), this.size, Math.min(RESULT, room));
  }
}
