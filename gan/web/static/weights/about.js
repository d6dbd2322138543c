// Which weights there are, and what is known of them.

import { getJSON, postJSON } from "../core/server.js";

export const aboutWeights = (id) => getJSON(`weights/${encodeURIComponent(id)}`);

/** What is known of weights by now; once their run is gone it is `gone`, learns no more, and need not be asked for again. */
export async function newestAbout(about) {
  try {
    return await aboutWeights(about.id);
  } catch (error) {
    if (!error.details?.gone) throw error;
    return { ...about, live: false, gone: true };
  }
}

/** Say that this page follows the run that these weights learn in, so that it keeps the newest at hand. */
export async function keepFresh({ id, live }) {
  if (!live) return;
  try {
    await postJSON(`runs/${id.slice("run-".length)}/watch`);
  } catch (error) {
    if (!error.details?.gone) throw error; // newestAbout finds out that it is
  }
}

/** Which weights to begin with: the ones that can be asked for a class first, because they explain themselves. */
export function firstChoice(weights) {
  const shipped = weights.filter((entry) => entry.group === "shipped");
  return (shipped.find((entry) => entry.id.startsWith("mnist-conditional")) ?? shipped[0] ?? weights[0])?.id;
}
