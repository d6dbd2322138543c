// Directions that are fitted to the picture on the stage: the server looks for what moves just this one.

import { queryOf } from "../../core/query.js";
import { getJSON } from "../../core/server.js";
import { slotOf } from "../../weights/pixels.js";
import { pictureQuery, pictureText } from "../state.js";
import { withVector } from "./catalog.js";

/**
 * Which picture a fit belongs to, as text: the one before any push that keeps its group.
 *
 * @param {import("../state.js").State} state
 */
export function pictureBefore({ w, spec }) {
  const regrouping = new Map([...spec.pushes].filter(([, { regroups }]) => regroups));
  return pictureText({ w, spec: spec.with({ pushes: regrouping }) });
}

/** Fetch what is fitted to the picture of a state; null where it is here already, or the server is not reached. */
export async function fetchFitted(catalog, state) {
  const at = pictureBefore(state);
  if (catalog.fittedTo === at) return null;
  const query = queryOf({ ...pictureQuery(state), stamp: catalog.stamp, slot: slotOf("steered") });
  const { directions } = await getJSON(`steered?${query}`).catch((error) => {
    if (error.offline) return {}; // the page goes on with the directions that it has
    throw error;
  });
  if (!directions) return null;
  return { at, directions: directions.map(withVector).filter(({ key }) => catalog.isFitted(key)) };
}

/**
 * The pushes of a spec with what was fitted to the picture `at`: it replaces what was fitted to another, if that is free.
 *
 * @param {import("../../engine/latent_spec.js").LatentSpec} spec
 * @param {{at: string, directions: {key: string, vector: any}[]}} fitted
 */
export function refitted({ pushes, locked }, { at, directions }) {
  const next = new Map(pushes);
  for (const { key, vector } of directions) {
    const pushed = pushes.get(key);
    if (pushed && pushed.at !== at && !locked.has(key)) next.set(key, { ...pushed, vector, at });
  }
  return next;
}

/**
 * The pushes of a spec that say which picture they belong to; null where all do. What a link holds belongs to its picture.
 *
 * @param {import("../state.js").State} state
 */
export function placed(state) {
  const { pushes } = state.spec;
  if ([...pushes.values()].every(({ at }) => at !== undefined)) return null;
  const here = pictureBefore(state);
  return new Map([...pushes].map(([key, push]) => [key, { at: here, ...push }]));
}
