// The address: the visible tab's state is in the query string.

import { isShells, showTab, tabAt, tabs, visibleTab, whenTabsAreThere } from "./gradio_shell.js";
import { encoded } from "./query.js";

/** @typedef {Record<string, string>} State */

/** @type {Map<string, State>} */
const states = new Map();
/** @type {Map<string, (state: State) => void>} */
const listeners = new Map();

/** @returns {State} */
function addressParams() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

function addressTab() {
  const { tab } = addressParams();
  return tabs().includes(tab) ? tab : "train";
}

/**
 * The tab's state: what was last written, else what the address says when it speaks of this tab, else {}.
 *
 * @param {string} tab
 * @returns {State}
 */
export function readState(tab) {
  if (states.has(tab)) return { ...states.get(tab) };
  return addressTab() === tab ? addressState() : {};
}

/** @returns {State} */
function addressState() {
  const { tab: _, ...state } = addressParams();
  return Object.fromEntries(Object.entries(state).filter(([key]) => !isShells(key)));
}

/**
 * @param {string} tab
 * @param {Record<string, any>} state
 */
export function writeState(tab, state) {
  const clean = Object.entries(state).filter(([, value]) => value !== null && value !== undefined && value !== "");
  states.set(tab, Object.fromEntries(clean.map(([key, value]) => [key, String(value)])));
  if (addressTab() === tab) showAddress(tab);
}

/** The history remembers the states of all tabs, so that they are there after a reload. */
const remembered = () => ({ ...history.state, tabs: Object.fromEntries(states) });

/** @param {string} tab */
const showAddress = (tab) => history.replaceState(remembered(), "", stateURL(tab));

/**
 * The address that shows this tab as it is now; what the shell reads there stays where it is.
 *
 * @param {string} tab
 */
export function stateURL(tab) {
  const link = new URL(document.baseURI);
  const kept = Object.entries(addressParams()).filter(([key]) => isShells(key));
  const state = Object.entries(readState(tab));
  const pairs = [...kept, ["tab", tab], ...state];
  link.hash = "";
  link.search = pairs.map(([key, value]) => `${key}=${encoded(value)}`).join("&");
  return link.href;
}

/**
 * Call fn(state) when someone opens this tab with a new state (openTab, back button).
 *
 * @param {string} tab
 * @param {(state: State) => void} fn
 */
export function onState(tab, fn) {
  listeners.set(tab, fn);
}

/**
 * Switch to a tab; with a state, the tab shows it.
 *
 * @param {string} tab
 * @param {Record<string, any>} [state]
 */
export function openTab(tab, state) {
  if (state) writeState(tab, state);
  showTab(tab);
  showAddress(tab);
  if (state) listeners.get(tab)?.(readState(tab));
}

/** Once: take what the address says, open its tab as soon as there are tabs, and keep the address in step with them. */
export function followAddress() {
  recall();
  whenTabsAreThere(followTabs);
}

function followTabs() {
  const wanted = addressTab();
  if (wanted !== visibleTab()) showTab(wanted);
  document.addEventListener("click", leaveTab, true); // before anything of the new tab writes its state
  window.addEventListener("popstate", goThere);
}

/**
 * Another tab is another place in the browser's history: Back leads to the one before.
 *
 * @param {Event} event
 */
function leaveTab(event) {
  const tab = tabAt(event);
  if (!tab || !tabs().includes(tab) || tab === addressTab()) return;
  showAddress(addressTab()); // as it is left
  history.pushState(remembered(), "", stateURL(tab));
}

/** Back and Forward: the tab that the address names, as it was there. */
function goThere() {
  const tab = addressTab();
  const state = addressState();
  const same = JSON.stringify(state) === JSON.stringify(states.get(tab) ?? {});
  states.set(tab, state);
  if (tab !== visibleTab()) showTab(tab);
  if (!same) listeners.get(tab)?.(state);
}

/** What a page that was loaded again had in its tabs; of the tab in the address, the address tells. */
function recall() {
  for (const [tab, state] of Object.entries(history.state?.tabs ?? {})) states.set(tab, state);
  states.set(addressTab(), addressState());
}
