// One polite line at the foot of the page.

import { h, setText } from "./dom.js";
import { shell } from "./gradio_shell.js";
import { t } from "./text.js";

let statusLine = null;

/**
 * One polite line at the foot of the page. kind "info" leaves by itself, "error" and "wait" stay until closed.
 * action: a button in it, {text, press()}.
 */
export function notify(message, kind = "info", action = null) {
  statusLine ??= makeStatusLine();
  statusLine.show(String(message), kind, action);
}

/** Take back a notice of this kind only: another one may have come since. */
export const clearNotice = (kind) => statusLine?.hideKind(kind);

function makeStatusLine() {
  const text = h("span", { class: "gf-toast-text" });
  const close = h("button", { type: "button", class: "gf-toast-close", "aria-label": t("common.close", {}, "Close") }, "×");
  const act = h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick: () => press() });
  const box = h("div", { class: "gf-toast", role: "status", "aria-live": "polite", hidden: true }, text, act, close);
  let timer = 0;
  let press = null;
  const hide = () => (box.hidden = true);
  close.addEventListener("click", hide);
  shell().append(box);
  return {
    hide,
    hideKind: (kind) => box.dataset.kind === kind && hide(),
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
