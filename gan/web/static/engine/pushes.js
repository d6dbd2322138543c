// The text of pushes in an address: directions that are vectors, with their amounts.

/** NAME:AMOUNT:VECTOR,... as a Map from name to {amount, vector, regroups}; what cannot be read is left out. */
export function readPushes(text) {
  const parts = (text ?? "").split(",").map((part) => part.split(":"));
  const good = parts.filter(([key, amount, vector]) => key && vector && Number.isFinite(Number(amount)) && !isNumber(key));
  return new Map(good.map(([key, amount, vector, flag]) => [key, { amount: Number(amount), vector, regroups: flag === "g" }]));
}

export function writePushes(u, keep) {
  const kept = [...u].filter(([key, { amount }]) => amount !== 0 || keep(key));
  return kept.map(([key, { amount, vector, regroups }]) => `${key}:${tidy(amount)}:${vector}${regroups ? ":g" : ""}`).join(",");
}

/** How many numbers a vector in base64 holds. */
export const lengthOf = (vector) => Math.floor((vector.length * 3) / 4 / 2);

export const isNumber = (key) => /^\d+$/.test(key);
const tidy = (value) => Number(value.toFixed(6));
