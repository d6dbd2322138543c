// What of the files that somebody chose or dropped is sent, and what is only named to the server, so that it can say what
// became of them all.

const RUBBISH = /(^|\/)(\.[^/]*|__MACOSX|thumbs\.db|desktop\.ini|icon\r)(\/|$)/i; // what systems leave in folders
const LABELS = "dataset.json"; // of all .json files the only one that says something of a set
const natural = new Intl.Collator("en", { numeric: true }); // 2 before 10

/** Where a file lies in the folder that was chosen or dropped, else its name. */
export const pathOf = (file) => file.webkitRelativePath || file.name;

/** suffixes, sidecars: what the server reads, as ".png". Returns {sent: [File], others: [path]}, both in natural order. */
export function sortOut(files, { suffixes, sidecars }) {
  const readable = new Set([...suffixes, ...sidecars, ".zip"]);
  const isSent = (file) => {
    const name = pathOf(file).split("/").at(-1).toLowerCase();
    const suffix = /\.[^.]*$/.exec(name)?.[0];
    return readable.has(suffix) && (suffix !== ".json" || name === LABELS);
  };
  const given = files.filter((file) => !RUBBISH.test(pathOf(file)));
  given.sort((a, b) => natural.compare(pathOf(a), pathOf(b)));
  return { sent: given.filter(isSent), others: given.filter((file) => !isSent(file)).map(pathOf) };
}
