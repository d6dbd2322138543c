// The picture on the stage: drawn in this page where it can be, else by the server. Only the newest answer is shown.

import { fitPicture, putPicture } from "../core/canvas.js";
import { PHONE } from "../core/dom.js";
import { afterPause, newestWins, oncePerFrame } from "../core/schedule.js";
import { canDraw, drawHere } from "../engine/draw_here.js";
import { fetchPixels } from "../weights/pixels.js";
import { QUIET_MS } from "../weights/weights_tab.js";
import { showWhoDraws } from "../weights/who_draws.js";
import { pictureQuery, pictureText } from "./state.js";

const DRAWN_BY = 16; // CSS pixels for the words under the picture
const BAND = 26; // CSS pixels above and below the picture that stays at the top of a phone

export class Stage {
  /** hooks: {state(): what is shown, about(): what is known of its weights}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.ask = newestWins(() => this.fetch());
    this.paint = oncePerFrame(() => this.draw());
    this.tell = afterPause(QUIET_MS, () => this.tellShown());
  }

  get drawsHere() {
    const { w, spec } = this.hooks.state();
    return canDraw(w, spec);
  }

  /** Draw the state, at once where the page can. */
  async show() {
    if (this.drawsHere) this.paint();
    else await this.ask();
  }

  draw() {
    const state = this.hooks.state();
    const drawn = drawHere(state.w, state.spec);
    if (drawn) this.put(drawn, state, "page");
  }

  async fetch() {
    const state = this.hooks.state();
    const drawn = await fetchPixels("pixels", pictureQuery(state), "main");
    if (this.drawsHere)
      this.paint(); // the weights came meanwhile, and may have drawn something newer
    else this.put(drawn, state, "server");
  }

  put(drawn, state, by) {
    const picture = this.part("picture");
    putPicture(picture, drawn);
    picture.dataset.step = drawn.step;
    showWhoDraws(this.part("drawn"), by, this.hooks.about());
    this.shown = state;
    this.tell();
  }

  /** What the picture that rests on the stage was asked for with; a moving one changes too often to write it down. */
  tellShown() {
    this.part("picture").dataset.shows = pictureText(this.shown);
  }

  /** Picture i of some that are here already, until the state's own is drawn. */
  lend(pictures, i) {
    putPicture(this.part("picture"), pictures, i);
  }

  describe(words) {
    this.part("picture").setAttribute("aria-label", words);
  }

  /** Whole device pixels for every pixel of a picture, whatever the width of the window. */
  layout() {
    const { clientWidth, clientHeight } = this.part("main");
    const room = window.matchMedia(PHONE).matches ? clientHeight - BAND : clientWidth - DRAWN_BY;
    fitPicture(this.part("picture"), this.hooks.about().size, room);
  }
}
