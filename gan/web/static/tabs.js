// The tabs as a keyboard expects them: one stop, and the arrow keys go from tab to tab. (Gradio makes every tab a stop.)

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const ENDS = { Home: 0, End: -1 };

const tabsBeside = (tab) => [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.('[role="tab"]');
  if (!tab || !(event.key in STEPS || event.key in ENDS) || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const tabs = tabsBeside(tab);
  const next = event.key in ENDS ? ENDS[event.key] : (tabs.indexOf(tab) + STEPS[event.key]) % tabs.length;
  tabs.at(next).click();
  tabs.at(next).focus();
});

/** Only the tab that is open is a stop; done again whenever another one is opened. */
function oneStop() {
  for (const tab of document.querySelectorAll('[role="tab"]')) {
    const wanted = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
    if (tab.tabIndex !== wanted) tab.tabIndex = wanted;
  }
}

new MutationObserver(oneStop).observe(document.body, { subtree: true, childList: true, attributeFilter: ["aria-selected"] });
oneStop();
