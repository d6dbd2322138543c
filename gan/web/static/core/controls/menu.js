// Menus that open over the page: <details class="gf-menu"> with a list in it.

const MARGIN = 8; // CSS pixels to the edge of the window

/** It opens where it can be seen, and closes after a choice, by Escape, or by a click beside it. */
export function menu(details) {
  const close = () => (details.open = false);
  document.addEventListener("click", (event) => details.contains(event.target) || close());
  details.addEventListener("click", (event) => event.target.closest("a") && close());
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    close();
    details.querySelector("summary").focus();
  });
  details.addEventListener("toggle", () => details.open && intoSight(details.querySelector(".gf-menu-list")));
}

/** Move a list sideways into the window, and the page up or down to it. */
function intoSight(list) {
  list.style.translate = "";
  const { left, right } = list.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const sideways = Math.max(MARGIN - left, 0) + Math.min(width - MARGIN - right, 0);
  list.style.translate = `${sideways}px 0`;
  list.scrollIntoView({ block: "nearest" });
}
