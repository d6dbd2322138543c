// Talking to the server.

import { t } from "./text.js";
import { ownerHeaders } from "./tokens.js";

/** URL of one of our routes, for <img>, links and downloads. */
export const url = (path) => new URL(path, new URL("gradio_api/gan/", document.baseURI)).href;

/** fetch with the owner's tokens; throws an Error whose message is one sentence for the person. */
export async function api(path, options = {}) {
  return request(path, { ...options, headers: { ...ownerHeaders(), ...options.headers } });
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(url(path), { cache: "no-cache", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!response.ok) throw refused(response.status, await response.text().catch(() => ""), options.body?.size);
  return response;
}

export const unreachable = () =>
  Object.assign(new Error(t("common.offline", {}, "The server cannot be reached. Trying again.")), { offline: true });

/**
 * The error of an answer that is no success; `details` is all that our server said, {} where it was none of ours.
 * `bytes`: how much was sent with the question, as far as it is known.
 */
export function refused(status, body, bytes = 0) {
  const details = ourWords(body);
  const words = [details.error, details.detail].find((text) => typeof text === "string" && text);
  return Object.assign(new Error(words ?? foreignSentence(status, bytes)), { status, details });
}

/** What our server says is a JSON object. */
function ourWords(body) {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}

/** Anything else comes from a server in between. */
function foreignSentence(status, bytes) {
  if (status === 413) return t("common.too_much", { size: size(bytes) });
  return t("common.http_error", { status }, `The server answered with an error (${status}).`);
}

const size = (bytes) => (bytes ? `${(bytes / 2 ** 20).toFixed(1)} MB` : t("common.so_much"));

export async function getJSON(path, options) {
  const response = await api(path, options);
  return response.status === 204 ? null : response.json();
}

export async function postJSON(path, body) {
  const response = await api(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  return response.status === 204 ? null : response.json();
}
