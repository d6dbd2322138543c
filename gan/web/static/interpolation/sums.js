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

/** The pictures that are summed. `host` is the tab. */
const termsOf = ({ state }, shares) => state.keyframes.slice(0, shares.length);

/** One sum at once, or null where only the server can draw it. */
export const drawSum = (host, shares) => drawSumHere(host.state.w, termsOf(host, shares), shares.map(digits));

/** The same as an address for the server's routes. */
export const sumsQuery = (host, rows, labels = []) => ({
  w: host.state.w,
  ...keyframesQuery(termsOf(host, rows[0])),
  shares: texts(rows),
  as: labels.join(","),
});

/** Many sums: {film, by} with the pictures and who drew them, "page" or "server". */
export async function drawSums(host, rows, slot, labels = []) {
  const here = await drawSumsHere(
    host.state.w,
    termsOf(host, rows[0]),
    rows.map((shares) => shares.map(digits)),
    labels,
  );
  if (here) return { film: here, by: "page" };
  return { film: await fetchPixels("sums", sumsQuery(host, rows, labels), slot), by: "server" };
}

/** The spec of exactly this picture; says so where the sliders cannot have all of it. */
async function specOf(host, shares) {
  const { left_out: rest, ...query } = await getJSON(`sum?${queryOf(sumsQuery(host, [shares]))}`);
  if (rest) notify(t("interpolation.left_out", { share: Math.round(100 * rest) }));
  return LatentSpec.parse({ seed: host.state.keyframes[0].seed, ...query });
}

/** Open the sum in Latent sliders; what fails is told. */
export async function openSum(host, shares) {
  try {
    openTab("latent", { w: host.state.w, ...(await specOf(host, shares)).toQuery() });
  } catch (error) {
    notify(error.message, "error");
  }
}

/** Make the sum one more picture of the path; what fails is told. */
export async function keepSum(host, shares) {
  try {
    host.keyframes.add(await specOf(host, shares));
  } catch (error) {
    notify(error.message, "error");
  }
}
