// Keyboard shortcuts: each presses a button that is on the page anyway; "?" lists them. Nothing is pressed while somebody
// types, and nothing with Ctrl, Alt or the command key held (undo and redo with Ctrl are latent.js's own).

import { boot } from "../boot.js";
import { h } from "../dom.js";
import { shell, tabPanel, visibleTab } from "../gradio_shell.js";
import { t } from "../text.js";

// keys: as `nameOf` writes them. press: the first of these parts of the tab that can be pressed.
const EVERYWHERE = [
  { keys: ["?"], says: "help", run: () => openList() },
  { keys: ["c"], says: "copy", press: ["copy-link"] },
  { keys: ["ArrowLeft", "ArrowRight"], says: "arrows" },
];
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));
const IN_TABS = {
  train: [{ keys: ["Space"], says: "train", press: ["pause"], when: () => isUnderWay() }],
  latent: [
    { keys: ["r"], says: "surprise", press: ["surprise"] },
    { keys: DIGITS, shown: ["0", "9"], says: "class", run: (digit) => pressClass(Number(digit)) },
    { keys: ["z"], also: ["Ctrl+Z"], says: "undo", press: ["undo"] },
    { keys: ["Shift+Z"], also: ["Ctrl+Y"], says: "redo", press: ["redo"] },
  ],
  interpolation: [{ keys: ["Space"], says: "play", press: ["play"] }],
};
const CAPS = { ArrowLeft: "←", ArrowRight: "→" };
const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";
const ACTIVATED_BY_SPACE = "button, a, summary, [role=radio]"; // there the browser's own meaning counts

/** A key as it is written here: "r", "Shift+Z", "Space", "?". */
function nameOf({ key, shiftKey }) {
  if (key === " ") return "Space";
  if (!/^[a-z]$/i.test(key)) return key;
  return shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
}

/** From now on keys press buttons, and the button of the header lists them. */
export function listenForShortcuts() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", ({ target }) => {
    if (target instanceof Element && target.closest('[data-gf="shortcuts"]')) openList();
  });
}

function pressed(event) {
  const { target } = event;
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
  if (event.key === " " && target.closest?.(ACTIVATED_BY_SPACE)) return;
  const name = nameOf(event);
  const found = [...(IN_TABS[visibleTab()] ?? []), ...EVERYWHERE].find(({ keys }) => keys.includes(name));
  const button = (found?.when?.() ?? true) ? found?.press?.map(partOf).find(canBePressed) : null;
  if (!found?.run && !button) return; // Space scrolls where it presses nothing
  event.preventDefault();
  if (found.run) found.run(name);
  else button.click();
}

/** Space never starts a training, nor one anew that has ended. */
const isUnderWay = () => ["running", "paused"].includes(partOf("status").dataset.kind);

/** @param {string} name @returns {HTMLButtonElement | null} */
const partOf = (name) => tabPanel(visibleTab())?.querySelector(`[data-gf="${name}"]`) ?? null;

const canBePressed = (button) => button && !button.disabled && button.offsetParent !== null;

function pressClass(digit) {
  /** @type {NodeListOf<HTMLButtonElement> | undefined} */
  const buttons = partOf("classes")?.querySelectorAll('[role="radio"]');
  const button = buttons?.[digit];
  if (canBePressed(button)) button.click();
}

// ---- the list ----

let list = null;

async function openList() {
  const about = await boot(); // with the words
  list?.remove();
  list = dialog(about);
  shell().append(list);
  const box = list.firstElementChild;
  box.addEventListener("close", () => list.remove());
  box.addEventListener("click", (event) => event.target === box && box.close()); // beside it
  box.showModal();
}

function dialog({ version }) {
  const close = h("button", { type: "button", class: "gf-btn gf-btn-quiet gf-small gf-push" }, t("common.close"));
  close.addEventListener("click", () => close.closest("dialog").close());
  const title = t("shortcuts.title");
  const head = h("div", { class: "gf-row" }, h("h3", { class: "gf-section-title" }, title), close);
  const groups = Object.entries(IN_TABS).map(([tab, entries]) => group(t(`common.tab_${tab}`), entries));
  const made = h("p", { class: "gf-hint" }, t("shortcuts.version", { version }));
  const content = h("div", { class: "gf-stack" }, head, group(t("shortcuts.everywhere"), EVERYWHERE), groups, made);
  return h("div", { class: "gf" }, h("dialog", { class: "gf-dialog gf-shortcuts", "aria-label": title }, content));
}

function group(title, entries) {
  const rows = entries.map(({ keys, shown = keys, also = [], says }) => [
    h(
      "dt",
      {},
      joined(shown, shown === keys ? " " : " – "),
      also.map((key) => [` ${t("shortcuts.or")} `, cap(key)]),
    ),
    h("dd", {}, t(`shortcuts.${says}`)),
  ]);
  return h("section", {}, h("h4", { class: "gf-hint" }, title), h("dl", {}, rows));
}

const cap = (key) => h("kbd", {}, key.length === 1 ? key.toUpperCase() : (CAPS[key] ?? key));

const joined = (keys, between) => keys.flatMap((key, i) => (i ? [between, cap(key)] : [cap(key)]));
