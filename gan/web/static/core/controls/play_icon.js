// The icon of a play button.

/**
 * The icon of a play button; call it with true while playing.
 *
 * @param {Element} button
 * @returns {(playing: boolean) => void}
 */
export function playIcon(button) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = button.appendChild(document.createElementNS(ns, "svg"));
  const path = svg.appendChild(document.createElementNS(ns, "path"));
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  return (playing) => path.setAttribute("d", playing ? "M3 2h4v12H3zM9 2h4v12H9z" : "M3 1.5v13l11-6.5z");
}
