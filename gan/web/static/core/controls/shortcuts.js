// Keyboard shortcuts: each presses a button that is on the page anyway; "?" lists them. Nothing is pressed while somebody
// types, and nothing with Ctrl, Alt or the command key held (undo and redo with Ctrl are latent.js's own).

import { boot } from "../boot.js";
import { h } from "../dom.js";
import { shell, tabPanel, visibleTab } from "../gradio_shell.js";
import { isActive } from "../run_status.js";
import { t } from "../text.js";

/**
 * @typedef {object} Shortcut
 * @property {string[]} keys as `nameOf` writes them
 * @property {string} says what it does: the end of the name of a string
 * @property {string[]} [shown] keys as the list shows them, from the first to the last
 * @property {string[]} [also] other keys that do the same, which are heard elsewhere
 * @property {string[]} [press] the first of these parts of the tab that can be pressed, is
 * @property {(key: string) => void} [run] what is done instead
 * @property {() => boolean} [when] whether it presses anything now
 */

/** @type {Shortcut[]} */
const EVERYWHERE = [
  { keys: ["?"], says: "help", run: () => openList() },
  { keys: ["c"], says: "copy", press: ["copy-link"] },
  { keys: ["ArrowLeft", "ArrowRight"], says: "arrows" },
];
const DIGITS = Array.from({ length: 10 }, (_, digit) => String(digit));
/** @type {Record<string, Shortcut[]>} */
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
/** @type {Record<string, string>} */
const CAPS = { ArrowLeft: "←", ArrowRight: "→" };
const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";
const ACTIVATED_BY_SPACE = "button, a, summary, [role=radio]"; // there the browser's own meaning counts

/**
 * A key as it is written here: "r", "Shift+Z", "Space", "?".
 *
 * @param {KeyboardEvent} event
 */
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

/** @param {KeyboardEvent} event */
function pressed(event) {
  const target = event.target instanceof Element ? event.target : null;
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target?.closest(TYPING) || document.querySelector("dialog[open]")) return;
  if (event.key === " " && target?.closest(ACTIVATED_BY_SPACE)) return;
  const name = nameOf(event);
  const found = [...(IN_TABS[visibleTab()] ?? []), ...EVERYWHERE].find(({ keys }) => keys.includes(name));
  const button = (found?.when?.() ?? true) ? found?.press?.map(partOf).find(canBePressed) : null;
  if (!found?.run && !button) return; // Space scrolls where it presses nothing
  event.preventDefault();
  if (found?.run) found.run(name);
  else button?.click();
}

/** Space never starts a training, nor one anew that has ended. */
const isUnderWay = () => isActive(partOf("status")?.dataset.kind);

/** @param {string} name @returns {HTMLButtonElement | null} */
const partOf = (name) => tabPanel(visibleTab())?.querySelector(`[data-gf="${name}"]`) ?? null;

/** @param {HTMLButtonElement | null | undefined} button */
const canBePressed = (button) => Boolean(button && !button.disabled && button.offsetParent !== null);

/** @param {number} digit */
function pressClass(digit) {
  /** @type {NodeListOf<HTMLButtonElement> | undefined} */
  const buttons = partOf("classes")?.querySelectorAll('[role="radio"]');
  const button = buttons?.[digit];
  if (canBePressed(button)) button?.click();
}

// ---- the list ----

async function openList() {
  const about = await boot(); // with the words
  document.querySelector(".gf-shortcuts")?.parentElement?.remove();
  const list = dialog(about);
  shell().append(list);
  /** @type {HTMLDialogElement} */
  const box = list.firstElementChild;
  box.addEventListener("close", () => list.remove());
  box.addEventListener("click", (event) => event.target === box && box.close()); // beside it
  box.showModal();
}

/** @param {{version: string}} about */
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

/**
 * @param {string} title
 * @param {Shortcut[]} entries
 */
function group(title, entries) {
  return h("section", {}, h("h4", { class: "gf-hint" }, title), h("dl", {}, entries.map(row)));
}

/** @param {Shortcut} shortcut */
function row({ keys, shown, also = [], says }) {
  const others = also.map((key) => [` ${t("shortcuts.or")} `, cap(key)]);
  return [h("dt", {}, joined(shown ?? keys, shown ? " – " : " "), others), h("dd", {}, t(`shortcuts.${says}`))];
}

/** @param {string} key */
const cap = (key) => h("kbd", {}, key.split("+").map(printed).join("+"));

/** @param {string} key what is printed on it where the page's language is spoken */
const printed = (key) => (key.length === 1 ? key.toUpperCase() : t(`shortcuts.key_${key.toLowerCase()}`, {}, CAPS[key] ?? key));

/**
 * @param {string[]} keys
 * @param {string} between
 */
const joined = (keys, between) => keys.flatMap((key, i) => (i ? [between, cap(key)] : [cap(key)]));
