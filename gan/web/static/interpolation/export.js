// The export menu: what is shown as a film, a sheet, single pictures or numbers, at the size that was chosen.

import { menu } from "../core/controls/menu.js";
import { h, setText } from "../core/dom.js";
import { saveFile } from "../core/files/downloads.js";
import { queryOf } from "../core/query.js";
import { url } from "../core/server.js";
import { t } from "../core/text.js";
import { pathQuery } from "./state.js";

const SCALES = [1, 2, 4, 6, 8, 10, 12, 16];
const USUAL_SIDE = 280; // pixels, about
const MOST_SIDE = 1024;

export class Export {
  /** hooks: {state(), about(), view(): what is shown, note(change): change the state and draw nothing}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.links = [...part("export").querySelectorAll("[data-file]")];
    for (const link of this.links) link.addEventListener("click", (event) => this.save(event));
    part("scale").addEventListener("change", (event) => this.resize(Number(event.target.value)));
    menu(part("export"));
  }

  /** For these weights: the sizes, and whether there are classes to take along. */
  build() {
    const { size } = this.hooks.about();
    const sides = SCALES.filter((scale) => scale * size <= MOST_SIDE);
    const words = (scale) => t("interpolation.export_size", { side: scale * size });
    this.part("scale").replaceChildren(...sides.map((scale) => h("option", { value: scale }, words(scale))));
    this.part("scale").value = this.scale();
    this.show();
  }

  /** The files there are of what is shown. */
  show() {
    const { classes, votes } = this.hooks.about();
    const still = Boolean(this.hooks.view().exported); // a sum without classes says its group itself
    const conditioned = still ? classes : classes || votes;
    for (const link of this.links) {
      const { file, part } = link.dataset;
      if (file === "png")
        setText(link, t(this.hooks.view().single ? "interpolation.export_png_one" : "interpolation.export_png"));
      const missing = file === "zip" ? this.hooks.view().single : still && !["png", "npy"].includes(file);
      link.hidden = Boolean(missing) || (part === "c" && !conditioned);
    }
  }

  usual() {
    const wanted = USUAL_SIDE / this.hooks.about().size;
    return SCALES.reduce((best, scale) => (Math.abs(scale - wanted) < Math.abs(best - wanted) ? scale : best));
  }

  scale() {
    const { scale } = this.hooks.state();
    return SCALES.includes(scale) && scale * this.hooks.about().size <= MOST_SIDE ? scale : this.usual();
  }

  resize(scale) {
    this.hooks.note({ scale: scale === this.usual() ? undefined : scale });
  }

  save(event) {
    const { file, part } = event.currentTarget.dataset;
    const [view, state] = [this.hooks.view(), this.hooks.state()];
    const { fps, boomerang, loop } = state;
    const how = { scale: this.scale(), fps, boomerang: boomerang && !loop ? 1 : 0 };
    const [route, query] = view.exported ? ["sums", view.exported()] : ["path", pathQuery(state)];
    event.currentTarget.href = url(`${route}.${file}?${queryOf({ ...query, ...(part ? { part } : how) })}`);
    saveFile(event);
    this.part("export").firstElementChild.focus();
  }
}
