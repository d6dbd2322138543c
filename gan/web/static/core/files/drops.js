// Files dropped on the page. Wherever one is dropped, it never takes the place of the page: a tab takes it, or a sentence says
// where files belong.

import { visibleTab } from "../gradio_shell.js";
import { notify } from "../notice.js";
import { t } from "../text.js";

const takers = new Map(); // tab -> {take(files), mark}

/** From now on a tab takes files: take([File]); their names hold the folders they came in. mark: shown while they are over the page. */
export function takeDrops(tab, take, mark) {
  takers.set(tab, { take, mark });
}

const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

/** A button for files takes what is dropped on it by itself, except folders. */
const chooserAt = ({ target }) => target.closest?.(".gf-file")?.querySelector('input[type="file"]');

function mark(on) {
  for (const [tab, taker] of takers) taker.mark.hidden = !(on && tab === visibleTab());
}

/** From now on no file that is dropped takes the place of the page. */
export function listenForDrops() {
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  document.addEventListener("drop", dropped);
}

function over(event) {
  if (!hasFiles(event)) return;
  event.preventDefault();
  mark(!chooserAt(event));
}

async function dropped(event) {
  if (!hasFiles(event)) return;
  event.preventDefault();
  mark(false);
  const chooser = chooserAt(event);
  const taker = takers.get(visibleTab());
  if (!chooser && !taker) notify(t(`common.drop_${visibleTab()}`), "error");
  else give(await filesOf(event.dataTransfer), chooser, taker);
}

/** files: null where the browser could not read them. */
function give(files, chooser, taker) {
  if (!files) notify(t("common.drop_unreadable"), "error");
  else if (!files.length) notify(t("common.drop_nothing"), "error");
  else if (chooser) giveTo(chooser, files);
  else taker.take(files);
}

/** As if they had been chosen in its dialog. */
function giveTo(chooser, files) {
  const given = new DataTransfer();
  for (const file of chooser.multiple ? files : files.slice(0, 1)) given.items.add(file);
  chooser.files = given.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
}

/** All files of a drop, those of a folder named with the folders they lie in; null when one cannot be read. */
async function filesOf({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // only now: later they are gone
  if (!entries.some((entry) => entry.isDirectory)) return [...files];
  return Promise.all(entries.map(filesIn)).then(
    (found) => found.flat(),
    () => null,
  );
}

async function filesIn(entry) {
  if (!entry.isDirectory) return fileOf(entry);
  const reader = entry.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) break;
    entries.push(...some);
  }
  return (await Promise.all(entries.map(filesIn))).flat();
}

async function fileOf(entry) {
  const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return new File([file], entry.fullPath.replace(/^\//, ""), { type: file.type });
}
