// Another language for the page: it is loaded again, as it stands, in that one.

import { stateURL } from "./address.js";
import { visibleTab } from "./gradio_shell.js";

/** Whoever chooses one in the header goes there; the address says it from then on. */
export function listenForLanguage() {
  document.addEventListener("change", ({ target }) => {
    if (target instanceof HTMLSelectElement && target.dataset.gf === "language") go(target.value);
  });
}

/** @param {string} code */
function go(code) {
  const link = new URL(stateURL(visibleTab()));
  link.searchParams.set("lang", code);
  location.assign(link);
}
