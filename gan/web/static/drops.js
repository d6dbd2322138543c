// Files dropped on the page. Wherever one is dropped, it never takes the place of the page: a tab takes it, or a sentence says
// where files belong.

import { notify, t, visibleTab } from "./common.js";

const takers = new Map(); // tab -> {take(files), mark}
const PICTURE = /^image\//;

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

document.addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  mark(!chooserAt(event));
});

document.addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));

document.addEventListener("drop", async (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  mark(false);
  const chooser = chooserAt(event);
  const taker = takers.get(visibleTab());
  const files = await filesOf(event.dataTransfer);
  if (!files.length) notify(t("common.drop_nothing"), "error");
  else if (chooser) giveTo(chooser, files);
  else if (taker) taker.take(files);
  else notify(t("common.drop_elsewhere"), "info");
});

/** As if they had been chosen in its dialog. */
function giveTo(chooser, files) {
  const given = new DataTransfer();
  for (const file of chooser.multiple ? files : files.slice(0, 1)) given.items.add(file);
  chooser.files = given.files;
  chooser.dispatchEvent(new Event("change", { bubbles: true }));
}

/** All files of a drop; of a folder its pictures, named with the folders they lie in. */
async function filesOf({ items, files }) {
  const entries = [...items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean); // only now: later they are gone
  if (!entries.some((entry) => entry.isDirectory)) return [...files];
  const found = await Promise.all(entries.map((entry) => (entry.isDirectory ? picturesIn(entry) : fileOf(entry))));
  return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1)); // folders come in any order; the same pictures are one data set
}

async function picturesIn(folder) {
  const reader = folder.createReader();
  const entries = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // a hundred at a time
    if (!some.length) break;
    entries.push(...some);
  }
  const inside = await Promise.all(entries.map((entry) => (entry.isDirectory ? picturesIn(entry) : fileOf(entry))));
  return inside.flat().filter(({ type }) => PICTURE.test(type));
}

async function fileOf(entry) {
  const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
  return new File([file], entry.fullPath.replace(/^\//, ""), { type: file.type });
}
