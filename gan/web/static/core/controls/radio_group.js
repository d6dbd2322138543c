// A row of buttons (role="radio") of which one is chosen: by a click, or by the arrow keys.

/** @type {Record<string, number>} */
const MOVES = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** @typedef {(value: string) => void} Choose */

/** @type {WeakMap<HTMLElement, {key: string, onChoose: Choose}>} */
const groups = new WeakMap();

/** @param {HTMLElement} box */
const buttonsOf = (box) => /** @type {HTMLElement[]} */ ([...box.querySelectorAll('[role="radio"]')]);

/**
 * From now on the buttons in `box`, also those that come later, stand for what their data-KEY says, and onChoose(value) is told
 * which one a person chose. It marks the button (markChosen), at once or with whatever else follows.
 *
 * @param {HTMLElement} box
 * @param {string} key
 * @param {Choose} onChoose
 */
export function radioGroup(box, key, onChoose) {
  const isNew = !groups.has(box);
  groups.set(box, { key, onChoose });
  if (!isNew) return;
  box.addEventListener("click", (event) => choose(box, radioAt(event)));
  box.addEventListener("keydown", (event) => moved(box, event));
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

/** @param {Event} event @returns {HTMLElement | null} */
const radioAt = ({ target }) => (target instanceof Element ? target.closest('[role="radio"]') : null);

/** @param {HTMLElement} box @param {HTMLElement | null} button */
function choose(box, button) {
  const group = groups.get(box);
  if (group && button) group.onChoose(button.dataset[group.key] ?? "");
}

/** @param {HTMLElement} box @param {KeyboardEvent} event */
function moved(box, event) {
  const button = radioAt(event);
  const move = MOVES[event.key];
  if (!move || !button) return;
  event.preventDefault();
  const buttons = buttonsOf(box);
  const next = (buttons.indexOf(button) + move + buttons.length) % buttons.length;
  choose(box, buttons[next]);
  buttonsOf(box)[next]?.focus(); // the choice may have made the buttons anew
}
