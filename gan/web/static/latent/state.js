// What the Latent sliders tab shows: the weights, the spec, and where its neighbours are looked for. The address says all of it.

import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { t } from "../core/text.js";
import { MAX_RINGS } from "../engine/constants.js";
import { LatentSpec } from "../engine/latent_spec.js";

/**
 * @typedef {object} State
 * @property {string | undefined} w id of the weights
 * @property {LatentSpec} spec
 * @property {number} spread how far the neighbours are, 0.05 to 1
 * @property {number} ring on which circle they are, from 0
 */

const SPREAD = 0.7;

/**
 * A state from the address; whatever cannot be read there is left out.
 *
 * @param {Record<string, string>} address
 * @returns {State}
 */
export function readAddress(address) {
  const { w, spread, ring } = address;
  return {
    w,
    spec: LatentSpec.parse(address).readable(),
    spread: Math.min(Math.max(Number(spread ?? SPREAD) || SPREAD, 0.05), 1),
    ring: /^\d+$/.test(ring ?? "") ? Number(ring) % MAX_RINGS : 0,
  };
}

/**
 * The inverse, of what is not as usual.
 *
 * @param {State} state
 */
export const addressOf = ({ w, spec, spread, ring }) => ({
  w,
  ...spec.toQuery(),
  spread: spread === SPREAD ? "" : spread,
  ring: ring || "",
});

/**
 * The spec as these weights know it. Whether something that was set had to be left out is said.
 *
 * @param {LatentSpec} spec
 * @param {import("../engine/latent_spec.js").Weights} about
 */
export function fitted(spec, about) {
  const found = spec.fitTo(about);
  const lost =
    ["principal", "fixed", "pushes"].some((part) => found[part].size < spec[part].size) || (spec.base && !found.base);
  if (lost) notify(t("latent.left_out"), "info");
  return found;
}

/**
 * What the server is asked for the picture with.
 *
 * @param {Pick<State, "w" | "spec">} state
 */
export const pictureQuery = ({ w, spec }) => ({ w, ...spec.toQuery() });

/**
 * The same as text: which picture it is.
 *
 * @param {Pick<State, "w" | "spec">} state
 */
export const pictureText = (state) => queryOf(pictureQuery(state));
