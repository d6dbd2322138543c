// Files for the person: fetched first, so that a refusal is a sentence on the page.

import { h } from "../dom.js";
import { clearNotice, notify } from "../notice.js";
import { api } from "../server.js";
import { t } from "../text.js";

/**
 * Listener for a link to a file: it is fetched first, so that a refusal is a sentence on the page and not a failed
 * download, and long work (a film) says that it is under way.
 *
 * @param {Event & {currentTarget: any}} event
 */
export async function saveFile(event) {
  event.preventDefault();
  try {
    await saveFrom(event.currentTarget.href);
  } catch (error) {
    notify(error.message, "error");
  }
}

/** @param {string} href */
export async function saveFrom(href) {
  notify(t("common.saving"), "wait");
  const response = await api(href);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  saveBlob(await response.blob(), name ?? "");
  clearNotice("wait");
}

/**
 * Hand a file to the person.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function saveBlob(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
