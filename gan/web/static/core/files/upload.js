// Sending something large: how much of it has gone, a way to stop it, and one sentence when it does not arrive.

import { notify } from "../notice.js";
import { fromJSON, refused, unreachable, url } from "../server.js";
import { t } from "../text.js";
import { ownerHeaders } from "../tokens.js";

/** @typedef {{share: number, bytes: number}} Gone how much of a body, in per cent and in bytes */
/**
 * @typedef {object} Sending
 * @property {Promise<any>} answer the answer's JSON; rejects with one sentence, also when it was cancelled (`cancelled` is set
 *   then) and when the connection broke (`offline` is set)
 * @property {boolean} sent has all of it gone
 * @property {() => void} cancel
 */

/**
 * POST a body. say(words) is told "Sending… 34 %" and, when all of it has gone, `waiting`; arrived() is called at that moment.
 *
 * @param {string} path
 * @param {FormData | Blob} body
 * @param {{say: (words: string) => void, waiting: string, arrived?: () => void}} hooks
 * @returns {Sending}
 */
export function send(path, body, { say, waiting, arrived = () => {} }) {
  const request = new XMLHttpRequest();
  const said = { share: 0, bytes: body instanceof Blob ? body.size : 0 };
  const sending = { answer: answerOf(request, said), sent: false, cancel: () => request.abort() };
  request.upload.addEventListener("progress", ({ loaded, total }) => {
    Object.assign(said, { share: Math.floor((100 * loaded) / Math.max(1, total)), bytes: total });
    if (!sending.sent) say(t("common.sending", { percent: said.share }));
  });
  request.upload.addEventListener("load", () => {
    sending.sent = true;
    say(waiting);
    arrived();
  });
  request.open("POST", url(path));
  for (const [name, value] of Object.entries(ownerHeaders())) request.setRequestHeader(name, value);
  if (body instanceof Blob) request.setRequestHeader("Content-Type", body.type || "application/octet-stream");
  say(t("common.sending", { percent: 0 }));
  request.send(body);
  return sending;
}

/**
 * The same for a file that has no place of its own on the page: progress and Cancel are in the line at its foot.
 *
 * @param {string} path
 * @param {File} file
 * @param {string} waiting
 */
export function sendWithNotice(path, file, waiting) {
  const stop = { text: t("common.cancel"), press: () => sending.cancel() };
  const sending = send(path, file, { say: (words) => notify(words, "wait", stop), waiting });
  return sending.answer;
}

/**
 * @param {XMLHttpRequest} request
 * @param {Gone} said
 */
function answerOf(request, said) {
  return new Promise((resolve, reject) => {
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(fromJSON(request.responseText));
      else reject(refused(request.status, request.responseText, said.bytes));
    });
    request.addEventListener("error", () => reject(said.share ? broken(said) : unreachable()));
    request.addEventListener("abort", () => reject(Object.assign(new Error(t("common.cancelled")), { cancelled: true })));
  });
}

/** @param {Gone} gone */
const broken = ({ share }) => Object.assign(new Error(t("common.broken", { percent: share })), { offline: true });
