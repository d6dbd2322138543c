// A lesson as this page hears of it: what the class sees, whether everybody may train, and what is left out of the page.

import { showTab, visibleTab } from "./gradio_shell.js";

/**
 * @typedef {{run: string | null, step: number | null, picture: string | null, game: boolean, name: string}} Screen what the class sees
 * @typedef {{on: boolean, train: boolean, names: boolean, hidden: string[], screen: Screen,
 *   here: {number: number, tab: string, state: Record<string, string>} | null,
 *   raised: {id: string, picture: string, name: string}[] | null}} Lesson
 */

/** @type {Lesson | null} */
let told = null;
/** @type {Set<(lesson: Lesson) => void>} */
const listeners = new Set();

/**
 * Call fn with what is known, and whenever it changes. Where there is no lesson it is never called.
 *
 * @param {(lesson: Lesson) => void} fn
 */
export function onLesson(fn) {
  listeners.add(fn);
  if (told) fn(told);
}

/** @param {Lesson} lesson as the server tells of it */
export function takeLesson(lesson) {
  if (JSON.stringify(lesson) === JSON.stringify(told)) return;
  told = lesson;
  for (const fn of listeners) fn(lesson);
}

/** What a link leaves out of the page: ?hide=compare,setup */
export const addressHides = () => (new URLSearchParams(location.search).get("hide") ?? "").split(",").filter(Boolean);

/**
 * Leave out tabs and parts of the page; the style sheets know them by their names.
 *
 * @param {string[]} parts
 */
export function hide(parts) {
  document.body.dataset.hides = parts.join(" ");
  if (parts.includes(visibleTab())) showTab("train");
}
