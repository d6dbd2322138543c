// Talking to the server.

import { megabytes } from "./format.js";
import { localised, t } from "./text.js";
import { ownerHeaders } from "./tokens.js";

/**
 * An error whose message is one sentence for the person. details: all that our server said; offline: it was not reached.
 *
 * @typedef {Error & {status?: number, details?: any, offline?: boolean, cancelled?: boolean}} Refusal
 */

/**
 * URL of one of our routes, for <img>, links and downloads.
 *
 * @param {string} path
 */
export const url = (path) => new URL(path, new URL("gradio_api/gan/", document.baseURI)).href;

/**
 * fetch with the owner's tokens; throws an Error whose message is one sentence for the person.
 *
 * @param {string} path
 * @param {RequestInit} [options]
 */
export async function api(path, options = {}) {
  return request(path, { ...options, headers: { ...ownerHeaders(), ...options.headers } });
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function request(path, options) {
  let response;
  try {
    response = await fetch(url(path), { cache: "no-cache", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!response.ok)
    throw refused(response.status, await response.text().catch(() => ""), /** @type {any} */ (options.body)?.size);
  return response;
}

/** @returns {Refusal} */
export const unreachable = () =>
  Object.assign(new Error(t("common.offline", {}, "The server cannot be reached. Trying again.")), { offline: true });

/**
 * The error of an answer that is no success; `details` is all that our server said, {} where it was none of ours.
 * `bytes`: how much was sent with the question, as far as it is known.
 *
 * @param {number} status
 * @param {string} body
 * @param {number} [bytes]
 * @returns {Refusal}
 */
export function refused(status, body, bytes = 0) {
  const details = ourWords(body);
  const words = [details.error, details.detail].find((text) => typeof text === "string" && text);
  return Object.assign(new Error(words ?? foreignSentence(status, bytes)), { status, details });
}

/**
 * What our server says is a JSON object.
 *
 * @param {string} body
 */
function ourWords(body) {
  try {
    return Object(fromJSON(body));
  } catch {
    return {};
  }
}

/**
 * Anything else comes from a server in between.
 *
 * @param {number} status
 * @param {number} bytes
 */
function foreignSentence(status, bytes) {
  if (status === 413) return t("common.too_much", { size: size(bytes) });
  return t("common.http_error", { status }, `The server answered with an error (${status}).`);
}

/** @param {number} bytes */
const size = (bytes) => (bytes ? `${megabytes(bytes)} MB` : t("common.so_much"));

/**
 * What the server says, in the language of the page.
 *
 * @param {string} text
 */
export const fromJSON = (text) => localised(JSON.parse(text));

/**
 * The same of an answer; null where there is nothing (204).
 *
 * @param {Response} response
 */
export const jsonOf = async (response) => (response.status === 204 ? null : localised(await response.json()));

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>} null where there is nothing (204)
 */
export async function getJSON(path, options) {
  return jsonOf(await api(path, options));
}

/**
 * @param {string} path
 * @param {any} [body]
 * @returns {Promise<any>} null where there is nothing (204)
 */
export async function postJSON(path, body) {
  const response = await api(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  return jsonOf(response);
}
