// What the page asks the server for once: the strings, the tables of the form, and who this is.

import { language } from "./gradio_shell.js";
import { notify } from "./notice.js";
import { api } from "./server.js";
import { localised, useText } from "./text.js";
import { setOwner } from "./tokens.js";

const AGAIN_MS = 2000;

/** @type {Promise<any> | null} */
let asked = null; // the promise of the answer
/** @type {any} */
let answer = null;

/** Everything the page needs to know once; asked for one time. */
export function boot() {
  asked ??= api(`boot?lang=${language()}`)
    .then((response) => response.json())
    .then(take)
    .catch((error) => {
      asked = null; // so that the next caller tries again
      throw error;
    });
  return asked;
}

/** @param {any} data */
function take(data) {
  useText(data.words, data.language);
  answer = localised(data);
  setOwner(data.owner);
  return answer;
}

/** Ask again: the server may have been started anew, and know other tokens than before. */
export function bootAgain() {
  asked = null;
  boot().catch(() => {});
}

/**
 * Where others in the network find this page, the likeliest first; none before the server has answered.
 *
 * @returns {string[]}
 */
export const addresses = () => answer?.addresses ?? [];

/**
 * How much the server takes of what a person opens or writes; {} before it has answered.
 *
 * @returns {{weights_mb: number, picture_mb: number, name_letters: number}}
 */
export const limits = () => answer?.limits ?? {};

/**
 * boot, so that the strings are there, then fn with its answer; what fails is told, and tried again.
 *
 * @param {(answer: any) => void | Promise<void>} fn
 */
export async function start(fn) {
  try {
    await fn(await boot());
  } catch (error) {
    notify(error.message, "error");
    setTimeout(() => start(fn), AGAIN_MS);
  }
}
