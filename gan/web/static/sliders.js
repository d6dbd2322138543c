// A finger on a slider. A browser moves a slider to the finger as soon as it touches, also when it is only there to scroll the
// page; so what a touch does to any slider of the page is held back until the finger has moved along it or has left it, and
// taken back when the touch becomes scrolling. (The style sheet leaves scrolling across a slider to the browser.)

const ALONG = 8; // CSS pixels

let touch = null; // {slider, before, x, y, held}: a finger that is on a slider

const isUpright = (slider) => slider.getAttribute("aria-orientation") === "vertical";

document.addEventListener("pointerdown", ({ target, pointerType, clientX: x, clientY: y }) => {
  const isSlider = pointerType === "touch" && target.matches?.('input[type="range"]');
  touch = isSlider ? { slider: target, before: target.value, x, y, held: true } : null;
}, true); // prettier-ignore

document.addEventListener("pointermove", ({ clientX, clientY }) => {
  if (!touch?.held) return;
  const moved = isUpright(touch.slider) ? clientY - touch.y : clientX - touch.x;
  if (Math.abs(moved) >= ALONG) release();
}, true); // prettier-ignore

document.addEventListener("pointerup", () => {
  if (touch?.held) release();
  touch = null;
}, true); // prettier-ignore

document.addEventListener("pointercancel", () => {
  if (!touch) return;
  const { slider, before, held } = touch;
  touch = null;
  if (slider.value === before) return;
  slider.value = before;
  if (!held) tell(slider);
}, true); // prettier-ignore

for (const kind of ["input", "change"])
  document.addEventListener(kind, (event) => touch?.held && event.target === touch.slider && event.stopImmediatePropagation(), true);

/** From here on the finger means the slider. */
function release() {
  touch.held = false;
  if (touch.slider.value !== touch.before) tell(touch.slider);
}

const tell = (slider) => slider.dispatchEvent(new Event("input", { bubbles: true }));
