// Small drawings on buttons.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An icon of these shapes, {tag: attributes}, in a square of 16.
 *
 * @param {Record<string, Record<string, string>>} shapes
 */
export function icon(shapes) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of Object.entries(shapes)) {
    const shape = svg.appendChild(document.createElementNS(SVG, tag));
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
  }
  return svg;
}

export const lockIcon = () =>
  icon({ rect: { x: "3", y: "7", width: "10", height: "7", rx: "1.5" }, path: { d: "M5.5 7V5a2.5 2.5 0 0 1 5 0v2" } });
