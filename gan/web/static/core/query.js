// How a query string is written.

/**
 * A value of a query. Commas and colons are legal there; leaving them readable keeps links short.
 *
 * @param {any} value
 */
export const encoded = (value) => encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":");

/**
 * Query string of an object; empty values are left out.
 *
 * @param {Record<string, any>} values
 */
export function queryOf(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encoded(value)}`)
    .join("&");
}
