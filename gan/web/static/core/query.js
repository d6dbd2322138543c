// How a query string is written.

// Commas and colons are legal in a query string; leaving them readable keeps links short.
export const encoded = (value) => encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":");

/** Query string of an object; empty values are left out. */
export function queryOf(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encoded(value)}`)
    .join("&");
}
