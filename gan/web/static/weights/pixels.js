// Raw pixels that the server draws.

import { queryOf } from "../core/query.js";
import { api } from "../core/server.js";

const PAGE = Math.random().toString(36).slice(2, 10);

/** This page's name for requests of which only the newest counts. */
export const slotOf = (name) => `${PAGE}-${name}`;

/** Raw pixels of a route: {pixels: Uint8Array, count, channels, size, stamp, step}. */
export async function fetchPixels(route, values, slot) {
  const response = await api(`${route}?${queryOf({ ...values, slot: slot && slotOf(slot) })}`);
  const [count, channels, size] = response.headers.get("X-Shape").split(",").map(Number);
  const pixels = new Uint8Array(await response.arrayBuffer());
  const [stamp, step] = ["X-Stamp", "X-Step"].map((name) => response.headers.get(name));
  return { pixels, count, channels, size, stamp, step: Number(step) };
}
