// The text of pushes in an address: directions that are vectors, with their amounts.

/** @typedef {{amount: number, vector: string, regroups: boolean}} Push */

/**
 * NAME:AMOUNT:VECTOR,... as a Map from name to {amount, vector, regroups}; what cannot be read is left out.
 *
 * @param {string | undefined} text
 * @returns {Map<string, Push>}
 */
export function readPushes(text) {
  const parts = (text ?? "").split(",").map((part) => part.split(":"));
  const good = parts.filter(([key, amount, vector]) => key && vector && Number.isFinite(Number(amount)) && !isNumber(key));
  return new Map(good.map(([key, amount, vector, flag]) => [key, { amount: Number(amount), vector, regroups: flag === "g" }]));
}

/**
 * @param {Map<string, Push>} u
 * @param {(key: string) => boolean} keep keeps also those of nothing
 */
export function writePushes(u, keep) {
  const kept = [...u].filter(([key, { amount }]) => amount !== 0 || keep(key));
  return kept.map(([key, { amount, vector, regroups }]) => `${key}:${tidy(amount)}:${vector}${regroups ? ":g" : ""}`).join(",");
}

/**
 * How many numbers a vector in base64 holds.
 *
 * @param {string} vector
 */
export const lengthOf = (vector) => Math.floor((vector.length * 3) / 4 / 2);

/** @param {string} key */
export const isNumber = (key) => /^\d+$/.test(key);
/** @param {number} value */
const tidy = (value) => Number(value.toFixed(6));
