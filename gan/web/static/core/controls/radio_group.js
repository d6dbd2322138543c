// A row of buttons of which one is chosen, as in a radio group: a click, or the arrow keys.

/** Buttons in `box` stand for what their data-KEY says. `chosen()` says which is, `onChoose(value)` is told of another. */
export function chooser(box, key, chosen, onChoose) {
  const buttons = [...box.children];
  for (const button of buttons) button.addEventListener("click", () => onChoose(button.dataset[key]));
  box.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const at = buttons.findIndex((button) => button.dataset[key] === chosen());
    const next = buttons[(at + step + buttons.length) % buttons.length];
    onChoose(next.dataset[key]);
    next.focus();
  });
}

/** Show which is chosen; only that one is reached with the Tab key. */
export function markChosen(box, key, value) {
  for (const button of box.children) {
    const chosen = button.dataset[key] === value;
    button.setAttribute("aria-checked", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }
}
