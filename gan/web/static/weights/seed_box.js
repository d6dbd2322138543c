// A box for a seed.

import { t } from "../core/text.js";
import { MAX_SEED } from "../engine/constants.js";
import { readSeed } from "../engine/seed.js";

/** A seed box that says what is wrong with what was typed and calls onSeed(number) only when it is right. */
export function bindSeed(input, onSeed) {
  input.addEventListener("input", () => {
    const seed = readSeed(input.value);
    input.setAttribute("aria-invalid", seed === null ? "true" : "false");
    input.title = seed === null ? t("latent.seed_wrong", { max: MAX_SEED }) : "";
    if (seed !== null) onSeed(seed);
  });
}
