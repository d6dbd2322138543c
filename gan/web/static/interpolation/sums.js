// Weighted sums of the first pictures of the row: drawn here or by the server, opened in Latent sliders, added to the path.

import { openTab } from "../core/address.js";
import { rounded } from "../core/format.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { drawSumHere, drawSumsHere } from "../engine/draw_here.js";
import { keyframesQuery } from "../engine/keyframes.js";
import { LatentSpec } from "../engine/latent_spec.js";
import { fetchPixels } from "../weights/pixels.js";

const digits = (value) => rounded(value, 4);
const texts = (rows) => rows.map((shares) => shares.map(digits).join(":")).join(",");

/** The pictures that are summed. */
const termsOf = ({ keyframes }, shares) => keyframes.slice(0, shares.length);

/** One sum of the state's first pictures at once, or null where only the server can draw it. */
export const drawSum = (state, shares) => drawSumHere(state.w, termsOf(state, shares), shares.map(digits));

/** The same as an address for the server's routes. */
export const sumsQuery = (state, rows, labels = []) => ({
  w: state.w,
  ...keyframesQuery(termsOf(state, rows[0])),
  shares: texts(rows),
  as: labels.join(","),
});

/** Many sums: {film, by} with the pictures and who drew them, "page" or "server". */
export async function drawSums(state, rows, slot, labels = []) {
  const sums = rows.map((shares) => shares.map(digits));
  const here = await drawSumsHere(state.w, termsOf(state, rows[0]), sums, labels);
  if (here) return { film: here, by: "page" };
  return { film: await fetchPixels("sums", sumsQuery(state, rows, labels), slot), by: "server" };
}

/** The spec of exactly this picture; says so where the sliders cannot have all of it. */
async function specOf(state, shares) {
  const { left_out: rest, ...query } = await getJSON(`sum?${queryOf(sumsQuery(state, [shares]))}`);
  if (rest) notify(t("interpolation.left_out", { share: Math.round(100 * rest) }));
  return LatentSpec.parse({ seed: state.keyframes[0].seed, ...query });
}

/** Give the sum's spec to take(spec); what fails is told. */
export async function takeSum(state, shares, take) {
  try {
    take(await specOf(state, shares));
  } catch (error) {
    notify(error.message, "error");
  }
}

/** Open the sum in Latent sliders. */
export const openSum = (state, shares) =>
  takeSum(state, shares, (spec) => openTab("latent", { w: state.w, ...spec.toQuery() }));

/** A row of shares for each of `count` pictures, alone. */
export const eachAlone = (count) =>
  Array.from({ length: count }, (_, i) => Array.from({ length: count }, (_, k) => Number(i === k)));
