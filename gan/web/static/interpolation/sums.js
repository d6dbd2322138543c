// Weighted sums of the first pictures of the row: drawn here or by the server, opened in Latent sliders, added to the path.

import { openTab } from "../core/address.js";
import { notify } from "../core/notice.js";
import { queryOf as textOf } from "../core/query.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { drawSumHere, drawSumsHere } from "../engine/draw_here.js";
import { keyframesQuery } from "../engine/keyframes.js";
import { fetchPixels } from "../weights/pixels.js";

const digits = (value) => Number(value.toFixed(4));
const texts = (rows) => rows.map((shares) => shares.map(digits).join(":")).join(",");

/** What asks for sums of the first `count` pictures. `host` is the tab. */
const queryOf = ({ state }, count) => ({ w: state.w, ...keyframesQuery(state.keyframes.slice(0, count)) });

/** One sum at once, or null where only the server can draw it. */
export const drawSum = (host, shares) => drawSumHere(queryOf(host, shares.length), shares.map(digits));

/** The same as an address for the server's routes. */
export const sumsQuery = (host, rows, labels = []) => ({
  ...queryOf(host, rows[0].length),
  shares: texts(rows),
  as: labels.join(","),
});

/** Many sums: {film, by} with the pictures and who drew them, "page" or "server". */
export async function drawSums(host, rows, slot, labels = []) {
  const query = queryOf(host, rows[0].length);
  const here = await drawSumsHere(
    query,
    rows.map((shares) => shares.map(digits)),
    labels,
  );
  if (here) return { film: here, by: "page" };
  return { film: await fetchPixels("sums", sumsQuery(host, rows, labels), slot), by: "server" };
}

/** The address of exactly this picture in Latent sliders; says so where the sliders cannot have all of it. */
async function placeOf(host, shares) {
  const { left_out: rest, ...place } = await getJSON(`sum?${textOf(sumsQuery(host, [shares]))}`);
  if (rest) notify(t("interpolation.left_out", { share: Math.round(100 * rest) }));
  return { seed: host.state.keyframes[0].seed, ...place };
}

/** Open the sum in Latent sliders; what fails is told. */
export async function openSum(host, shares) {
  try {
    openTab("latent", { w: host.state.w, ...(await placeOf(host, shares)) });
  } catch (error) {
    notify(error.message, "error");
  }
}

/** Make the sum one more picture of the path; what fails is told. */
export async function keepSum(host, shares) {
  try {
    host.keyframes.add(await placeOf(host, shares));
  } catch (error) {
    notify(error.message, "error");
  }
}
