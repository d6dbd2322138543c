// The button that takes the picture along to the Interpolation tab.

import { openTab, readState } from "../core/address.js";
import { notify } from "../core/notice.js";
import { t } from "../core/text.js";
import { MOST_KEYFRAMES, withKeyframe } from "../engine/keyframes.js";

export class ToPath {
  /** @type {Record<string, string> | null} */
  #first = null; // a path begins with two pictures: the first of one that has no other yet

  /**
   * One more picture that the path there leads through.
   *
   * @param {import("./state.js").State} state
   */
  add({ w, spec }) {
    const there = readState("interpolation");
    const path = withKeyframe(there.a ? there : (this.#first ?? {}), w ?? "", spec);
    if (!path) return notify(t("interpolation.full", { most: MOST_KEYFRAMES }));
    this.#first = path.b ? null : path;
    if (path.b) openTab("interpolation", path);
    else notify(t("latent.sent_first"));
  }
}
