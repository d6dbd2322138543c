// One polite line at the foot of the page.

import { h, setText } from "./dom.js";
import { shell } from "./gradio_shell.js";
import { t } from "./text.js";

/** @typedef {{text: string, press: () => void}} Action */

/** @type {ReturnType<typeof makeStatusLine> | null} */
let statusLine = null;

/**
 * One polite line at the foot of the page. kind "info" leaves by itself, "error" and "wait" stay until closed.
 * action: a button in it, {text, press()}.
 *
 * @param {string} message
 * @param {string} [kind]
 * @param {Action | null} [action]
 */
export function notify(message, kind = "info", action = null) {
  statusLine ??= makeStatusLine();
  statusLine.show(String(message), kind, action);
}

/**
 * Take back a notice of this kind only: another one may have come since.
 *
 * @param {string} kind
 */
export const clearNotice = (kind) => statusLine?.hideKind(kind);

function makeStatusLine() {
  const text = h("span", { class: "gf-toast-text" });
  const close = h("button", { type: "button", class: "gf-toast-close", "aria-label": t("common.close", {}, "Close") }, "×");
  const act = h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick: () => press?.() });
  const box = h("div", { class: "gf-toast", role: "status", "aria-live": "polite", hidden: true }, text, act, close);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {(() => void) | undefined} */
  let press;
  const hide = () => (box.hidden = true);
  close.addEventListener("click", hide);
  shell().append(box);
  return {
    hide,
    /** @param {string} kind */
    hideKind: (kind) => box.dataset.kind === kind && hide(),
    /** @param {string} message @param {string} kind @param {Action | null} action */
    show(message, kind, action) {
      clearTimeout(timer);
      box.dataset.kind = kind;
      text.textContent = message;
      act.hidden = !action;
      setText(act, action?.text ?? "");
      press = action?.press;
      box.hidden = false;
      if (kind === "info") timer = setTimeout(hide, 5000);
    },
  };
}
