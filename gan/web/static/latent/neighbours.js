// The neighbours around the picture: small pictures of where a step would lead, and how far and on which circle they are.

import { fitPicture, putPicture } from "../core/canvas.js";
import { newestWins } from "../core/schedule.js";
import { t } from "../core/text.js";
import { MAX_RINGS, RING } from "../engine/constants.js";
import { drawNeighboursHere } from "../engine/draw_here.js";
import { fetchPixels } from "../weights/pixels.js";
import { pictureQuery } from "./state.js";

export class Neighbours {
  /**
   * buttons: one for each. hooks: {state(), about(), turn(ring): look on another circle, spread(spread): look farther or nearer,
   * walk(i, pictures): go to neighbour i, which is picture i + 1 of `pictures`, or null before they are drawn}.
   */
  constructor(part, buttons, hooks) {
    this.part = part;
    this.buttons = buttons;
    this.hooks = hooks;
    this.pictures = null;
    this.show = newestWins(() => this.draw());
    this.bind();
  }

  build() {
    this.part("spread").value = this.hooks.state().spread;
  }

  async draw() {
    const { w, spec, spread, ring } = this.hooks.state();
    const around = { near: RING, spread, ring };
    const asked = { ...pictureQuery({ w, spec }), ...around };
    this.pictures = (await drawNeighboursHere(w, spec, around)) ?? (await fetchPixels("pixels", asked, "near"));
    this.buttons.forEach((button, i) => {
      putPicture(button.firstElementChild, this.pictures, i + 1);
      button.disabled = false;
    });
  }

  layout() {
    const { size } = this.hooks.about();
    for (const button of this.buttons) fitPicture(button.firstElementChild, size, button.clientWidth);
  }

  bind() {
    this.part("others").addEventListener("click", () => this.hooks.turn((this.hooks.state().ring + 1) % MAX_RINGS));
    this.part("spread").addEventListener("input", ({ target }) => this.hooks.spread(Number(target.value)));
    this.buttons.forEach((button, i) => {
      button.setAttribute("aria-label", t("latent.neighbour", { i: i + 1 }, `neighbour ${i + 1}`));
      button.addEventListener("click", () => this.hooks.walk(i, this.pictures));
    });
  }
}
