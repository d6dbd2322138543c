// The same noise in early states of the run, and one of them large.

import { putPicture } from "../../core/canvas.js";
import { h, setText } from "../../core/dom.js";
import { whole } from "../../core/format.js";
import { newestWins } from "../../core/schedule.js";
import { t } from "../../core/text.js";
import { drawnOf, picture } from "./pictures.js";

export class Snapshots {
  /** card: {ask, layout} of the card. */
  constructor(card, box) {
    this.card = card;
    this.words = h("p", { class: "gf-made-says" });
    this.large = picture(t("made_of.snapshots"));
    this.strip = h("div", { class: "gf-made-strip", role: "group" });
    this.strip.setAttribute("aria-label", t("made_of.snapshots"));
    this.body = h("div", { class: "gf-made-snapshots", hidden: true }, this.large.element, this.strip);
    box.append(this.words, this.body);
    this.show = newestWins(() => this.read());
  }

  async read() {
    const found = await this.card.ask("snapshots", {}, this.show);
    this.words.hidden = Boolean(found.steps);
    this.body.hidden = !found.steps;
    if (!found.steps) return setText(this.words, found.why);
    this.drawn = drawnOf(found);
    this.steps = found.steps;
    const at = this.steps.indexOf(this.chosen);
    this.build();
    this.choose(at < 0 ? this.steps.length - 1 : at, at >= 0);
  }

  /** A button for each step; those that are there keep the focus. */
  build() {
    while (this.strip.children.length > this.steps.length) this.strip.lastChild.remove();
    while (this.strip.children.length < this.steps.length) this.strip.append(this.button(this.strip.children.length));
    this.steps.forEach((step, i) => {
      const [canvas, label] = this.strip.children[i].children;
      putPicture(canvas, this.drawn, i);
      setText(label, whole(step));
      this.strip.children[i].setAttribute("aria-label", t("made_of.snapshot", { step: whole(step) }));
    });
  }

  button(i) {
    const canvas = h("canvas", { class: "gf-canvas", "aria-hidden": "true" });
    const label = h("span", { class: "gf-hint gf-num" });
    return h("button", { type: "button", class: "gf-made-step", onclick: () => this.choose(i, true) }, canvas, label);
  }

  /** Show one large; one that a person chose stays chosen when the picture changes, else the newest is shown. */
  choose(i, byHand) {
    this.chosen = byHand ? this.steps[i] : undefined;
    [...this.strip.children].forEach((button, k) => button.setAttribute("aria-pressed", String(k === i)));
    putPicture(this.large.canvas, this.drawn, i);
    const step = whole(this.steps[i]);
    setText(this.large.caption, t("made_of.snapshot", { step }));
    this.large.canvas.setAttribute("aria-label", t("made_of.snapshot_large", { step }));
    this.card.layout();
  }
}
