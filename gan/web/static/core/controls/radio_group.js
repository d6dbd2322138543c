// A row of buttons of which one is chosen, as in a radio group: a click, or the arrow keys.

/** @type {Record<string, number>} */
const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** @param {HTMLElement} box */
const buttonsOf = (box) => /** @type {HTMLElement[]} */ ([...box.children]);

/**
 * Buttons in `box` stand for what their data-KEY says. `chosen()` says which is, `onChoose(value)` is told of another.
 *
 * @param {HTMLElement} box
 * @param {string} key
 * @param {() => string} chosen
 * @param {(value: string) => void} onChoose
 */
export function chooser(box, key, chosen, onChoose) {
  const buttons = buttonsOf(box);
  const choose = (/** @type {HTMLElement} */ button) => onChoose(button.dataset[key] ?? "");
  for (const button of buttons) button.addEventListener("click", () => choose(button));
  box.addEventListener("keydown", (event) => {
    const step = MOVES[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.findIndex((button) => button.dataset[key] === chosen());
    const next = buttons[(at + step + buttons.length) % buttons.length];
    choose(next);
    next.focus();
  });
}

/**
 * Show which is chosen; only that one is reached with the Tab key.
 *
 * @param {HTMLElement} box
 * @param {string} key
 * @param {string} value
 */
export function markChosen(box, key, value) {
  for (const button of buttonsOf(box)) {
    const chosen = button.dataset[key] === value;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
}
