// The strings of the interface: the server sends them once (boot).

/** @type {Record<string, Record<string, string>>} */
let words = {};

/**
 * From now on t() speaks these: {section: {key: string}}.
 *
 * @param {Record<string, Record<string, string>>} table
 */
export function useText(table) {
  words = table;
}

/**
 * The interface string "section.key"; {name} in it is replaced by values.name.
 *
 * @param {string} key
 * @param {Record<string, any>} [values]
 * @param {string} [fallback]
 * @returns {string}
 */
export function t(key, values = {}, fallback = key) {
  const found = key.split(".").reduce((table, part) => table?.[part], /** @type {any} */ (words));
  const text = typeof found === "string" ? found : fallback;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}
