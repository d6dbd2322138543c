// The one file that knows what Gradio makes of the page: its tabs, and the element that everything of ours lies in.

/** The ids of all tabs, as the page has them (TABS in gan/web/page.py). */
export const tabs = () => document.querySelector('meta[name="gf-tabs"]').content.split(" ");

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const ENDS = { Home: 0, End: -1 };
const WAIT_MS = 50;

/** Where things of ours are put that belong to no tab; the style sheets' colours hold here. */
export const shell = () => document.querySelector(".gradio-container") ?? document.body;

/** The element that holds a tab's content. */
export const tabPanel = (tab) => document.querySelector(`#gf-tab-${tab}`);

const tabButton = (tab) => document.querySelector(`[role="tab"][data-tab-id="${tab}"]`);

/** The id of the tab that is open, one of tabs(). */
export function visibleTab() {
  return document.querySelector('[role="tab"][aria-selected="true"]')?.dataset.tabId ?? "train";
}

export const showTab = (tab) => tabButton(tab)?.click();

/** The id of the tab whose button an event happened on, if it was one. */
export const tabAt = ({ target }) => target.closest?.('[role="tab"]')?.dataset.tabId;

/** Call fn once Gradio has made its tabs. */
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

const tabsBeside = (tab) => [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];

function pressed(event) {
  const tab = event.target.closest?.('[role="tab"]');
  if (!tab || !(event.key in STEPS || event.key in ENDS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const tabs = tabsBeside(tab);
  const next = event.key in ENDS ? ENDS[event.key] : (tabs.indexOf(tab) + STEPS[event.key]) % tabs.length;
  tabs.at(next).click();
  tabs.at(next).focus();
}

/** Only the tab that is open is a stop; done again whenever another one is opened. */
function oneStop() {
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    const wanted = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
    if (tab.tabIndex !== wanted) tab.tabIndex = wanted;
  }
}
