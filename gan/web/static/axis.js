// The x axis that all charts and scrubbers share: steps, pictures seen, or seconds; and the small control that picks one.

import { duration, h, t, whole } from "./common.js";

export const AXES = ["step", "images", "seconds"]; // columns of the rows

const UNITS = [[7200, 3600, "h"], [180, 60, "min"], [0, 1, "s"]]; // from so many seconds on: seconds in a unit, its name

/** The unit in which an axis that ends at `last` is marked: {size, mark(value) -> text}. */
export function unitOf(axis, last) {
  if (axis !== "seconds") return { size: 1, mark: shortCount };
  const [, size, name] = UNITS.find(([from]) => last >= from);
  return { size, mark: (value) => `${Number((value / size).toFixed(1))} ${name}` };
}

const shortCount = (value) => {
  if (value >= 1e6) return `${Number((value / 1e6).toFixed(2))}M`;
  return value >= 10000 && value % 1000 === 0 ? `${value / 1000}k` : whole(value);
};

/** A place on an axis in words: "Step 512". */
export function placeName(axis, value) {
  if (axis === "seconds") return value < 10 ? `${value.toFixed(1)} s` : duration(value);
  return `${t(`curves.at_${axis}`)} ${whole(value)}`;
}

/** y at x on the line through the points (xs[i], ys[i]) and the origin; xs ascending. Beyond its ends: the end. */
export function between(xs, ys, x) {
  let high = xs.length;
  for (let low = 0; low < high; ) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  if (high === xs.length) return ys.at(-1) ?? 0;
  const [x0, y0] = high > 0 ? [xs[high - 1], ys[high - 1]] : [0, 0];
  const span = xs[high] - x0;
  return span > 0 ? y0 + ((ys[high] - y0) * (x - x0)) / span : ys[high];
}

/** Fill an element with one small button for each axis; choose(axis) is called, and returned is show(axis). */
export function axisControl(element, choose) {
  element.classList.add("gf-segments");
  element.setAttribute("role", "radiogroup");
  element.setAttribute("aria-label", t("curves.axis"));
  const buttons = AXES.map((axis) =>
    h("button", { type: "button", role: "radio", class: "gf-segment", dataset: { axis }, onclick: () => choose(axis) }, t(`curves.axis_${axis}`)),
  );
  element.replaceChildren(...buttons);
  element.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!move) return;
    event.preventDefault();
    const next = buttons[(buttons.indexOf(document.activeElement) + move + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
  return (axis) => {
    for (const button of buttons) {
      button.setAttribute("aria-checked", String(button.dataset.axis === axis));
      button.tabIndex = button.dataset.axis === axis ? 0 : -1;
    }
  };
}
