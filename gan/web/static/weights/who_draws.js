// The line that says whether the page or the server draws.

import { setText } from "../core/dom.js";
import { t } from "../core/text.js";
import { holds } from "../engine/draw_here.js";

/** The quiet line that says who draws, `by` "page" or "server", with the reason as its hint. */
export function showWhoDraws(line, by, about) {
  const reason = about.page_refusal || t(holds(about.id) ? "latent.beyond_page" : "latent.coming");
  line.hidden = false;
  line.dataset.by = by;
  setText(line, t(`latent.by_${by}`));
  line.title = t(`latent.by_${by}_hint`, { reason });
}
