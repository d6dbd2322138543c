// The tick "Smooth pixels": whether pictures are enlarged smoothly, in every tab; remembered by this browser.

import { isSmooth, setSmooth, whenLookChanges } from "../canvas.js";
import { read, write } from "../storage.js";

const KEPT = "pixels";

/** As it was chosen last. */
export const keepSmoothness = () => setSmooth(Boolean(read(KEPT).smooth));

/** @param {HTMLInputElement} box */
export function smoothChoice(box) {
  const show = () => (box.checked = isSmooth());
  box.addEventListener("change", () => {
    write(KEPT, { smooth: box.checked });
    setSmooth(box.checked);
  });
  whenLookChanges(show);
  show();
}
