// Menus that open over the page: <details class="gf-menu"> with a list in it.

const MARGIN = 8; // CSS pixels to the edge of the window

/**
 * It opens where it can be seen, and closes after a choice, by Escape, or by a click beside it.
 *
 * @param {HTMLDetailsElement} details
 */
export function menu(details) {
  const close = () => (details.open = false);
  document.addEventListener("click", ({ target }) => details.contains(/** @type {Node} */ (target)) || close());
  details.addEventListener("click", ({ target }) => /** @type {Element} */ (target).closest("a") && close());
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    details.querySelector("summary")?.focus();
  });
  details.addEventListener("toggle", () => {
    /** @type {HTMLElement | null} */
    const list = details.querySelector(".gf-menu-list");
    if (details.open && list) intoSight(list);
  });
}

/**
 * Move a list sideways into the window, and the page up or down to it.
 *
 * @param {HTMLElement} list
 */
function intoSight(list) {
  list.style.translate = "";
  const { left, right } = list.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const sideways = Math.max(MARGIN - left, 0) + Math.min(width - MARGIN - right, 0);
  list.style.translate = `${sideways}px 0`;
  list.scrollIntoView({ block: "nearest" });
}
