// Deleting own pictures on the server.

import { keptSets, namesOf } from "../core/own_sets.js";
import { getJSON } from "../core/server.js";
import { forgetToken, rememberToken } from "../core/tokens.js";

/** upload: the files that it was made from, which the server lets go too. Returns whether the server has it no longer. */
export async function deleteSet(name, upload = "") {
  const { removed } = await getJSON(`pictures/${name}?${new URLSearchParams({ upload })}`, { method: "DELETE" });
  forgetToken(name);
  return removed;
}

/** What was made of a set that has been replaced, unless a run learned from it or the server needs it just now. */
export async function deleteUnused({ found, edited }) {
  const kept = keptSets().flatMap(namesOf);
  const left = [found, edited].filter((made) => made?.token && !kept.includes(made.dataset));
  for (const { dataset, token } of left) rememberToken(dataset, token);
  try {
    const { runs } = await getJSON("runs");
    const unused = left.filter(({ dataset }) => !runs.some((run) => run.dataset === dataset));
    for (const { dataset } of unused) await deleteSet(dataset);
  } catch {
    // it stays
  }
}
