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
const SIZE = 28; // pixels of what discriminators of digits see

export class Drawing {
  constructor(part) {
    this.part = part;
    this.judge = null;
    this.best = 0; // of this sheet
    this.look = oncePerFrame(() => this.show());
    this.choose = newestWins(() => this.load());
    this.pen = new Pen(part("draw-pen"), part("draw-hint"), { drawn: () => this.look(), lifted: () => this.tell() });
    part("draw-clear").addEventListener("click", () => this.clear());
    part("draw-judge").addEventListener("change", () => this.choose());
  }

  /** The way to play was chosen: which discriminators there are may have changed. */
  open() {
    const { run } = shownMoment();
    const chosen = this.part("draw-judge").value || SHIPPED;
    const offers = [[SHIPPED, t("game.draw_shipped")], ...(run ? [[run, t("game.draw_mine")]] : [])];
    this.part("draw-judge").replaceChildren(...offers.map(([value, title]) => h("option", { value }, title)));
    this.part("draw-judge").value = offers.some(([value]) => value === chosen) ? chosen : SHIPPED;
    this.choose();
  }

  /** Of a run that learns it is the one of its last saved state, so each new sheet asks for it anew. */
  async load() {
    const chosen = this.part("draw-judge").value;
    try {
      const answer = await api(`discriminators/${encodeURIComponent(chosen)}`);
      this.judge = readDiscriminator(await answer.arrayBuffer());
    } catch (error) {
      notify(error.message, "error");
      if (chosen !== SHIPPED) {
        this.part("draw-judge").value = SHIPPED;
        this.choose();
      }
      return;
    }
    this.best = 0;
    this.show();
    this.tell();
  }

  clear() {
    this.pen.clear();
    this.best = 0;
    this.show();
    this.tell();
    this.part("draw-pen").focus({ preventScroll: true });
    if (this.part("draw-judge").value !== SHIPPED) this.choose();
  }

  /** What D sees of the sheet, and its verdict. */
  show() {
    const { grey, side } = this.pen.pixels();
    const seen = centred(grey, side, SIZE);
    putPicture(this.part("draw-seen"), { pixels: seen ?? new Uint8ClampedArray(SIZE * SIZE), channels: 1, size: SIZE });
    const logit = seen && this.judge ? this.judge.logit(seen) : null;
    this.shown = logit === null ? null : this.judge.about.probability ? 1 / (1 + Math.exp(-logit)) : logit;
    const isShare = this.judge?.about.probability;
    setText(this.part("draw-share"), this.shown === null ? "–" : isShare ? percentOf(this.shown) : this.shown.toFixed(2));
    const share = this.shown === null ? 0 : isShare ? this.shown : Number(this.shown > 0);
    const meter = this.part("draw-meter");
    meter.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    meter.firstElementChild.style.transform = `scaleX(${share})`;
    meter.dataset.real = String(share >= 0.5);
    this.best = Math.max(this.best, share);
  }

  /** In words, once the pen rests: nobody reads a sentence that changes with every stroke. */
  tell() {
    const [share, about] = [this.shown, this.judge?.about];
    if (!about) return;
    const middle = about.probability ? 0.5 : 0;
    const said = share === null ? "game.draw_nothing" : share >= middle ? "game.draw_real" : "game.draw_not_real";
    setText(this.part("draw-words"), t(said));
    const best = about.probability && this.best ? t("game.draw_best", { best: percentOf(this.best) }) : "";
    const whose = about.step === null ? "" : t("game.draw_step", { step: whole(about.step) });
    setText(this.part("draw-best"), [t("game.draw_seen"), best, whose].filter(Boolean).join(" "));
  }
}
