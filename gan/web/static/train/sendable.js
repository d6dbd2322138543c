// What of the files that somebody chose or dropped is sent, and what is only named to the server, so that it can say what
// became of them all.

const RUBBISH = /(^|\/)(\.[^/]*|__MACOSX|thumbs\.db|desktop\.ini|icon\r)(\/|$)/i; // what systems leave in folders
const LABELS = "dataset.json"; // of all .json files the only one that says something of a set

/** Where a file lies in the folder that was chosen or dropped, else its name. */
export const pathOf = (file) => file.webkitRelativePath || file.name;

const nameOf = (file) => pathOf(file).split("/").at(-1).toLowerCase();
const suffixOf = (file) => /\.[^.]*$/.exec(nameOf(file))?.[0];

/** suffixes, sidecars: what the server reads, as ".png". Returns {sent: [File], others: [path]}, both in the order in which
 * the server reads a zip or a folder: the same pictures are one set, however they come. */
export function sortOut(files, { suffixes, sidecars }) {
  const given = files.filter((file) => !RUBBISH.test(pathOf(file)));
  given.sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  const isPicture = (file) => suffixes.includes(suffixOf(file));
  const isTable = (file) => sidecars.includes(suffixOf(file)) && (suffixOf(file) !== ".json" || nameOf(file) === LABELS);
  const alone = !given.some(isPicture); // a .zip among pictures is left out
  const sent = new Set(given.filter((file) => isPicture(file) || isTable(file) || (alone && suffixOf(file) === ".zip")));
  return { sent: [...sent], others: given.filter((file) => !sent.has(file)).map(pathOf) };
}
