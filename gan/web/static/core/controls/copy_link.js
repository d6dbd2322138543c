// Links for other people: copied, or shown for copying by hand.

import { stateURL } from "../address.js";
import { addresses } from "../boot.js";
import { h } from "../dom.js";
import { shell, visibleTab } from "../gradio_shell.js";
import { t } from "../text.js";

/**
 * Copy the address of the visible tab.
 *
 * @param {HTMLElement} button
 */
export const copyLink = (button) => offerLink(button, forOthers(stateURL(visibleTab())));

/**
 * Copy a link; where the clipboard is closed, show it selected for copying by hand.
 *
 * @param {HTMLElement} button
 * @param {string} link
 */
export async function offerLink(button, link) {
  try {
    await navigator.clipboard.writeText(link);
    flash(button, t("common.copied"));
  } catch {
    showLink(button, link);
  }
}

/**
 * A link that works on other devices, if this page is open by a name that only this machine knows.
 *
 * @param {string} link
 */
export function forOthers(link) {
  const [address] = addresses();
  const { search } = new URL(link);
  const shared = search.replace(/([?&])lang=[^&]*&?/, "$1"); // whoever opens it has a language of their own
  return address && isHere() ? new URL(shared, address).href : link.replace(search, shared);
}

/** Where others join: the likeliest address of the page. */
export const joinAddress = () => addresses()[0] ?? new URL(".", document.baseURI).href;

/** Open by a name that every machine has for itself. */
const isHere = () => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);

/** Only this machine reaches the server, as far as this page can see. */
export const onlyHere = () => isHere() && !addresses().length;

/**
 * @param {HTMLElement} button
 * @param {string} text
 */
function flash(button, text) {
  if (button.dataset.flash) return;
  const before = button.textContent;
  button.dataset.flash = "1";
  button.textContent = text;
  setTimeout(() => {
    button.textContent = before;
    delete button.dataset.flash;
  }, 1600);
}

/**
 * Over the page, so that nothing moves when it comes and goes: the next click meets what it was meant for.
 *
 * @param {HTMLElement} button
 * @param {string} link
 */
function showLink(button, link) {
  document.querySelector(".gf-link-box")?.remove();
  const field = h("input", {
    class: "gf-input gf-link-field",
    readOnly: true,
    value: link,
    "aria-label": t("common.copy_link"),
  });
  const box = h("label", { class: "gf-link-box" }, h("span", { class: "gf-hint" }, t("common.copy_by_hand")), field);
  field.addEventListener("blur", () => box.remove());
  const page = shell();
  page.append(box);
  const [at, origin] = [button.getBoundingClientRect(), page.getBoundingClientRect()];
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8));
  Object.assign(box.style, { left: `${left - origin.left}px`, top: `${at.bottom - origin.top + 4}px` });
  box.scrollIntoView({ block: "nearest" });
  field.focus({ preventScroll: true });
  field.select();
}
