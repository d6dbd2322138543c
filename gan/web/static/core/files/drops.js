// Files dropped on the page. Wherever one is dropped, it never takes the place of the page: a tab takes it, or a sentence says
// where files belong.

import { visibleTab } from "../gradio_shell.js";
import { notify } from "../notice.js";
import { t } from "../text.js";

/** @typedef {{take: (files: File[]) => void, mark: HTMLElement}} Taker */

/** @type {Map<string, Taker>} */
const takers = new Map(); // by tab

/**
 * From now on a tab takes files; their names hold the folders they came in. mark: shown while they are over the page.
 *
 * @param {string} tab
 * @param {Taker["take"]} take
 * @param {HTMLElement} mark
 */
export function takeDrops(tab, take, mark) {
  takers.set(tab, { take, mark });
}

/** @param {DragEvent} event */
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

/**
 * A button for files takes what is dropped on it by itself, except folders.
 *
 * @param {Event} event
 * @returns {HTMLInputElement | null | undefined}
 */
const chooserAt = ({ target }) =>
  target instanceof Element ? target.closest(".gf-file")?.querySelector('input[type="file"]') : null;

/** @param {boolean} on */
function mark(on) {
  for (const [tab, taker] of takers) taker.mark.hidden = !(on && tab === visibleTab());
}

/** From now on no file that is dropped takes the place of the page. */
export function listenForDrops() {
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  document.addEventListener("drop", dropped);
}

/** @param {DragEvent} event */
function over(event) {
  if (!hasFiles(event)) return;
  event.preventDefault();
  mark(!chooserAt(event));
}

/** @param {DragEvent} event */
async function dropped(event) {
  if (!event.dataTransfer || !hasFiles(event)) return;
  event.preventDefault();
  mark(false);
  const chooser = chooserAt(event);
  const taker = takers.get(visibleTab());
  if (!chooser && !taker) notify(t(`common.drop_${visibleTab()}`), "error");
  else give(await filesOf(event.dataTransfer), chooser, taker);
}

/**
 * @param {File[] | null} files null where the browser could not read them
 * @param {HTMLInputElement | null | undefined} chooser
 * @param {Taker | undefined} taker
 */
function give(files, chooser, taker) {
  if (!files) notify(t("common.drop_unreadable"), "error");
  else if (!files.length) notify(t("common.drop_nothing"), "error");
  else if (chooser) giveTo(chooser, files);
  else taker?.take(files);
}

/**
 * As if they had been chosen in its dialog.
 *
 * @param {HTMLInputElement} chooser
 * @param {File[]} files
 */
function giveTo(chooser, files) {
  const given = new DataTransfer();
  for (const file of chooser.multiple ? files : files.slice(0, 1)) given.items.add(file);
  chooser.files = given.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
}

/**
 * All files of a drop, those of a folder named with the folders they lie in; null when one cannot be read.
 *
 * @param {DataTransfer} given
 * @returns {Promise<File[] | null>}
 */
async function filesOf({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter((entry) => !!entry); // only now: later they are gone
  if (!entries.some((entry) => entry.isDirectory)) return [...files];
  return Promise.all(entries.map(filesIn)).then(
    (found) => found.flat(),
    () => null,
  );
}

/**
 * @param {FileSystemEntry} entry
 * @returns {Promise<File[]>}
 */
async function filesIn(entry) {
  if (!entry.isDirectory) return [await fileOf(/** @type {FileSystemFileEntry} */ (entry))];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) break;
    entries.push(...some);
  }
  return (await Promise.all(entries.map(filesIn))).flat();
}

/** @param {FileSystemFileEntry} entry */
async function fileOf(entry) {
  /** @type {File} */
  const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return new File([file], entry.fullPath.replace(/^\//, ""), { type: file.type });
}
