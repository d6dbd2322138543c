// Fool it: a visitor draws, and a discriminator says with every stroke how far it takes the drawing for real. All of it in the page.

import { putPicture } from "../core/canvas.js";
import { Pen } from "../core/controls/pen.js";
import { h, setText } from "../core/dom.js";
import { percentOf, whole } from "../core/format.js";
import { notify } from "../core/notice.js";
import { newestWins, oncePerFrame } from "../core/schedule.js";
import { api } from "../core/server.js";
import { t } from "../core/text.js";
import { readDiscriminator } from "../engine/discriminator.js";
import { centred } from "../engine/ink.js";
import { shownMoment } from "../run/shown_run.js";

const SHIPPED = "mnist";

export class Drawing {
  /** isOwn(run): whether it has a discriminator, as no recording has. */
  constructor(part, isOwn) {
    this.part = part;
    this.isOwn = isOwn;
    this.discriminator = null;
    this.best = 0; // of this sheet
    this.look = oncePerFrame(() => this.show());
    this.choose = newestWins(() => this.load());
    this.pen = new Pen(part("draw-pen"), part("draw-hint"), { drawn: () => this.look(), lifted: () => this.rest() });
    part("draw-clear").addEventListener("click", () => this.clear());
    part("draw-discriminator").addEventListener("change", () => this.choose());
  }

  /** The way to play was chosen: which discriminators there are may have changed. */
  open() {
    const { run } = shownMoment();
    const chosen = this.part("draw-discriminator").value || SHIPPED;
    const offers = [[SHIPPED, t("game.draw_shipped")], ...(run && this.isOwn(run) ? [[run, t("game.draw_mine")]] : [])];
    this.part("draw-discriminator").replaceChildren(...offers.map(([value, title]) => h("option", { value }, title)));
    this.part("draw-discriminator").value = offers.some(([value]) => value === chosen) ? chosen : SHIPPED;
    this.choose();
  }

  /** Of a run that learns it is the one of its last saved state, so each new sheet asks for it anew. */
  async load() {
    const chosen = this.part("draw-discriminator").value;
    try {
      const answer = await api(`discriminators/${encodeURIComponent(chosen)}`);
      this.discriminator = readDiscriminator(await answer.arrayBuffer());
    } catch (error) {
      notify(error.message, "error");
      if (chosen !== SHIPPED) {
        this.part("draw-discriminator").value = SHIPPED;
        this.choose();
      }
      return;
    }
    this.best = 0;
    this.rest();
  }

  clear() {
    this.pen.clear();
    this.best = 0;
    this.rest();
    this.part("draw-pen").focus({ preventScroll: true });
    if (this.part("draw-discriminator").value !== SHIPPED) this.choose();
  }

  /** What D sees of the sheet, and its verdict. */
  show() {
    if (!this.discriminator) return;
    const { about, logit } = this.discriminator;
    const { size, probability, boundary } = about;
    const { grey, side } = this.pen.pixels();
    const seen = centred(grey, side, size);
    putPicture(this.part("draw-seen"), { pixels: seen ?? new Uint8ClampedArray(size * size), channels: 1, size });
    this.logit = seen && logit(seen);
    const share = this.logit === null ? 0 : probability ? 1 / (1 + Math.exp(-this.logit)) : Number(this.logit > boundary);
    setText(this.part("draw-share"), this.logit === null ? "–" : probability ? percentOf(share) : this.logit.toFixed(2));
    const meter = this.part("draw-meter");
    meter.hidden = !probability;
    meter.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    meter.firstElementChild.style.transform = `scaleX(${share})`;
    meter.dataset.real = String(share >= 0.5);
    this.best = Math.max(this.best, share);
  }

  /** What was drawn last may not have been judged yet. */
  rest() {
    this.show();
    this.tell();
  }

  /** In words, once the pen rests: nobody reads a sentence that changes with every stroke. */
  tell() {
    const about = this.discriminator?.about;
    if (!about) return;
    setText(this.part("draw-words"), t(`game.${this.verdict(about)}`));
    const best = about.probability && this.best ? t("game.draw_best", { best: percentOf(this.best) }) : "";
    const whose = about.step === null ? "" : t("game.draw_step", { step: whole(about.step) });
    setText(this.part("draw-best"), [t("game.draw_seen"), best, whose].filter(Boolean).join(" "));
  }

  verdict({ boundary }) {
    if (this.logit === null) return "draw_nothing";
    if (boundary === null) return "draw_no_scale";
    return this.logit > boundary ? "draw_real" : "draw_not_real";
  }
}
