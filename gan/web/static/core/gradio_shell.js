// The one file that knows what Gradio makes of the page: its tabs, and the element that everything of ours lies in.

/** @param {string} name what the head of the page says of this */
const meta = (name) => /** @type {HTMLMetaElement} */ (document.querySelector(`meta[name="gf-${name}"]`)).content;

/** The ids of all tabs, as the page has them (TABS in gan/web/page.py). */
export const tabs = () => meta("tabs").split(" ");

/** The code of the language that the page is in. */
export const language = () => meta("language");

/** Gradio says of the whole page that it is in a language of Gradio's own choice: that is taken back whenever it does. */
export function keepLanguage() {
  const { documentElement: page } = document;
  const keep = () => page.lang !== language() && page.setAttribute("lang", language());
  new MutationObserver(keep).observe(page, { attributeFilter: ["lang"] });
  keep();
}

/** @type {Record<string, number>} */
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
/** @type {Record<string, number>} */
const ENDS = { Home: 0, End: -1 };
const WAIT_MS = 50;

/** Where things of ours are put that belong to no tab; the style sheets' colours hold here. */
export const shell = () => /** @type {HTMLElement} */ (document.querySelector(".gradio-container") ?? document.body);

/** What the whole page is shown as (?view=...). */
export const view = () => new URLSearchParams(location.search).get("view");

/**
 * Whether this parameter of the address is the whole page's: Gradio's own (?__theme=dark, ?view=...), its language, and what is
 * left out.
 *
 * @param {string} key
 */
export const isShells = (key) => key.startsWith("__") || ["view", "lang", "hide"].includes(key);

/** @param {string} selector @returns {HTMLElement | null} */
const element = (selector) => document.querySelector(selector);

/**
 * The element that holds a tab's content.
 *
 * @param {string} tab
 */
export const tabPanel = (tab) => element(`#gf-tab-${tab}`);

/** @param {string} tab */
const tabButton = (tab) => element(`[role="tab"][data-tab-id="${tab}"]`);

/** The id of the tab that is open, one of tabs(). */
export function visibleTab() {
  return element('[role="tab"][aria-selected="true"]')?.dataset.tabId ?? "train";
}

/** @param {string} tab */
export const showTab = (tab) => tabButton(tab)?.click();

/**
 * The tab button that an event happened on, if it was one.
 *
 * @param {Event} event
 * @returns {HTMLElement | null}
 */
const buttonAt = ({ target }) => (target instanceof Element ? target.closest('[role="tab"]') : null);

/**
 * The id of the tab whose button an event happened on, if it was one.
 *
 * @param {Event} event
 */
export const tabAt = (event) => buttonAt(event)?.dataset.tabId;

/**
 * Call fn once Gradio has made its tabs.
 *
 * @param {() => void} fn
 */
export function whenTabsAreThere(fn) {
  const waiting = setInterval(() => {
    if (!tabButton("train")) return;
    clearInterval(waiting);
    fn();
  }, WAIT_MS);
}

/** The tabs as a keyboard expects them: one stop, and the arrow keys go from tab to tab. (Gradio makes every tab a stop.) */
export function listenForTabKeys() {
  document.addEventListener("keydown", pressed);
  const changes = { subtree: true, childList: true, attributeFilter: ["aria-selected"] };
  new MutationObserver(oneStop).observe(document.body, changes);
  oneStop();
}

/** @param {HTMLElement} tab */
function tabsBeside(tab) {
  /** @type {NodeListOf<HTMLElement> | undefined} */
  const found = tab.closest('[role="tablist"]')?.querySelectorAll('[role="tab"]');
  return [...(found ?? [])].filter((each) => each.offsetParent); // some may be left out of the page
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const tab = buttonAt(event);
  if (!tab || !(event.key in STEPS || event.key in ENDS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const all = tabsBeside(tab);
  const next = all.at(event.key in ENDS ? ENDS[event.key] : (all.indexOf(tab) + STEPS[event.key]) % all.length);
  next?.click();
  next?.focus();
}

/** Only the tab that is open is a stop; done again whenever another one is opened. */
function oneStop() {
  for (const tab of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[role="tab"]'))) {
    const wanted = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
    if (tab.tabIndex !== wanted) tab.tabIndex = wanted;
  }
}
