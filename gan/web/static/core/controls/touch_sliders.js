// A finger on a slider. A browser moves a slider to the finger as soon as it touches, also when it is only there to scroll the
// page; so what a touch does to any slider of the page is held back until the finger has moved along it or has left it, and
// taken back when the touch becomes scrolling. (The style sheet leaves scrolling across a slider to the browser.)

const ALONG = 8; // CSS pixels

/** @typedef {{slider: HTMLInputElement, before: string, x: number, y: number, held: boolean}} Touch */

/** @type {Touch | null} */
let touch = null; // a finger that is on a slider

/** @param {Element} slider */
const isUpright = (slider) => slider.getAttribute("aria-orientation") === "vertical";

/** From now on a finger that scrolls the page moves no slider. */
export function guardSliders() {
  const first = (/** @type {string} */ kind, /** @type {(event: any) => void} */ fn) =>
    document.addEventListener(kind, fn, true); // before anything that a slider does
  first("pointerdown", touched);
  first("pointermove", moved);
  first("pointerup", lifted);
  first("pointercancel", scrolled);
  first("input", hold);
  first("change", hold);
}

/** @param {PointerEvent} event */
function touched({ target, pointerType, clientX: x, clientY: y }) {
  const isSlider = pointerType === "touch" && target instanceof HTMLInputElement && target.type === "range";
  touch = isSlider ? { slider: target, before: target.value, x, y, held: true } : null;
}

/** @param {PointerEvent} event */
function moved({ clientX, clientY }) {
  if (!touch?.held) return;
  const way = isUpright(touch.slider) ? clientY - touch.y : clientX - touch.x;
  if (Math.abs(way) >= ALONG) release(touch);
}

function lifted() {
  if (touch?.held) release(touch);
  touch = null;
}

function scrolled() {
  if (!touch) return;
  const { slider, before, held } = touch;
  touch = null;
  if (slider.value === before) return;
  slider.value = before;
  if (!held) tell(slider);
}

/** @param {Event} event */
const hold = (event) => touch?.held && event.target === touch.slider && event.stopImmediatePropagation();

/**
 * From here on the finger means the slider.
 *
 * @param {Touch} finger
 */
function release(finger) {
  finger.held = false;
  if (finger.slider.value !== finger.before) tell(finger.slider);
}

/** @param {Element} slider */
const tell = (slider) => slider.dispatchEvent(new Event("input", { bubbles: true }));
