// What every tab shares: talking to the server, the address, pictures on a canvas, polling, small elements.

import { ownerHeaders, setOwner } from "./tokens.js";

export { forgetToken, owns, ownsAll, rememberToken } from "./tokens.js";

const API = new URL("gradio_api/gan/", document.baseURI);
const TABS = ["train", "compare", "latent", "interpolation", "how"];

// ---- server ----

let bootPromise = null;
let bootData = null;

/** URL of one of our routes, for <img>, links and downloads. */
export const url = (path) => new URL(path, API).href;

/** Everything the page needs to know once; asked for one time. */
export function boot() {
  bootPromise ??= api("boot")
    .then((response) => response.json())
    .then((data) => {
      bootData = data;
      setOwner(data.owner);
      return data;
    })
    .catch((error) => {
      bootPromise = null; // so that the next caller tries again
      throw error;
    });
  return bootPromise;
}

/** fetch with the owner's tokens; throws an Error whose message is one sentence for the person. */
export async function api(path, options = {}) {
  return request(path, { ...options, headers: { ...ownerHeaders(), ...options.headers } });
}

async function request(path, options) {
  let response;
  try {
    response = await fetch(url(path), { cache: "no-cache", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
  if (!response.ok) throw refused(response.status, await response.text().catch(() => ""), options.body?.size);
  return response;
}

export const unreachable = () =>
  Object.assign(new Error(t("common.offline", {}, "The server cannot be reached. Trying again.")), { offline: true });

/**
 * The error of an answer that is no success; `details` is all that our server said, {} where it was none of ours.
 * `bytes`: how much was sent with the question, as far as it is known.
 */
export function refused(status, body, bytes = 0) {
  const details = ourWords(body);
  const words = [details.error, details.detail].find((text) => typeof text === "string" && text);
  return Object.assign(new Error(words ?? foreignSentence(status, bytes)), { status, details });
}

/** What our server says is a JSON object. */
function ourWords(body) {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}

/** Anything else comes from a server in between. */
function foreignSentence(status, bytes) {
  if (status === 413) return t("common.too_much", { size: size(bytes) });
  return t("common.http_error", { status }, `The server answered with an error (${status}).`);
}

const size = (bytes) => (bytes ? `${(bytes / 2 ** 20).toFixed(1)} MB` : t("common.so_much"));

export async function getJSON(path, options) {
  const response = await api(path, options);
  return response.status === 204 ? null : response.json();
}

export async function postJSON(path, body) {
  const response = await api(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  return response.status === 204 ? null : response.json();
}

/**
 * Listener for a link to a file: it is fetched first, so that a refusal is a sentence on the page and not a failed
 * download, and long work (a film) says that it is under way.
 */
export async function saveFile(event) {
  event.preventDefault();
  try {
    await saveFrom(event.currentTarget.href);
  } catch (error) {
    notify(error.message, "error");
  }
}

export async function saveFrom(href) {
  notify(t("common.saving"), "wait");
  const response = await api(href);
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1];
  saveBlob(await response.blob(), name ?? "");
  clearNotice("wait");
}

/** Hand a file to the person. */
export function saveBlob(blob, name) {
  const href = URL.createObjectURL(blob);
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/** The interface string "section.key"; {name} in it is replaced by values.name. */
export function t(key, values = {}, fallback = key) {
  const found = key.split(".").reduce((table, part) => table?.[part], bootData?.text);
  const text = typeof found === "string" ? found : fallback;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

// ---- elements ----

/** What a translating browser must leave alone: drawings, code, and what scripts write anew; gan/web/tabs/island.py. */
const NOT_TRANSLATED = /^(canvas|output|textarea|kbd) | (gf-num|gf-class)\b/;

/** An element. Strings become text nodes, never markup. Keys starting with "on" are listeners. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  setProps(element, props);
  if (NOT_TRANSLATED.test(`${tag} ${props?.class}`)) element.translate = false;
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function setProps(element, props) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on") && typeof value === "function") element.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "class") element.className = value;
    else if (key === "style" && typeof value === "object") Object.assign(element.style, value);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else if (key === "text") element.textContent = value;
    else if (key in element && !key.includes("-") && key !== "list" && key !== "form") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  return element;
}

/** Set text only when it differs, so that nothing is laid out again for nothing. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

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
  (document.querySelector(".gradio-container") ?? document.body).append(box);
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

// ---- address: the visible tab's state is in the query string ----

const states = new Map();
const listeners = new Map();

const tabButton = (tab) => document.querySelector(`[role="tab"][data-tab-id="${tab}"]`);

/** The id of the tab that is open, one of TABS. */
export function visibleTab() {
  return document.querySelector('[role="tab"][aria-selected="true"]')?.dataset.tabId ?? "train";
}

function addressParams() {
  return Object.fromEntries(new URLSearchParams(location.search));
}

function addressTab() {
  const { tab } = addressParams();
  return TABS.includes(tab) ? tab : "train";
}

/** The tab's state: what was last written, else what the address says when it speaks of this tab, else {}. */
export function readState(tab) {
  if (states.has(tab)) return { ...states.get(tab) };
  return addressTab() === tab ? addressState() : {};
}

function addressState() {
  const { tab: _, ...state } = addressParams();
  return Object.fromEntries(Object.entries(state).filter(([key]) => !isGradios(key)));
}

export function writeState(tab, state) {
  const clean = Object.entries(state).filter(([, value]) => value !== null && value !== undefined && value !== "");
  states.set(tab, Object.fromEntries(clean.map(([key, value]) => [key, String(value)])));
  if (addressTab() === tab) showAddress(tab);
}

/** The history remembers the states of all tabs, so that they are there after a reload. */
const remembered = () => ({ ...history.state, tabs: Object.fromEntries(states) });

const showAddress = (tab) => history.replaceState(remembered(), "", stateURL(tab));

// Gradio's own parameters (?__theme=dark, ?view=...) stay where they are.
const isGradios = (key) => key.startsWith("__") || key === "view";

/** The address that shows this tab as it is now. */
export function stateURL(tab) {
  const link = new URL(document.baseURI);
  const kept = Object.entries(addressParams()).filter(([key]) => isGradios(key));
  const state = Object.entries(readState(tab));
  const pairs = [...kept, ["tab", tab], ...state];
  link.hash = "";
  link.search = pairs.map(([key, value]) => `${key}=${tidy(value)}`).join("&");
  return link.href;
}

// Commas and colons are legal in a query string; leaving them readable keeps links short.
const tidy = (value) => encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":");

/** Call fn(state) when someone opens this tab with a new state (openTab, back button). */
export function onState(tab, fn) {
  listeners.set(tab, fn);
}

/** Switch to a tab; with a state, the tab shows it. */
export function openTab(tab, state) {
  if (state) writeState(tab, state);
  tabButton(tab)?.click();
  showAddress(tab);
  if (state) listeners.get(tab)?.(readState(tab));
}

/** Once: open the tab the address names, and keep the address in step with the tabs. */
function followTabs() {
  const wanted = addressTab();
  if (wanted !== visibleTab()) tabButton(wanted)?.click();
  document.addEventListener("click", leaveTab, true); // before anything of the new tab writes its state
  window.addEventListener("popstate", goThere);
}

/** Another tab is another place in the browser's history: Back leads to the one before. */
function leaveTab(event) {
  const tab = event.target.closest?.('[role="tab"]')?.dataset.tabId;
  if (!TABS.includes(tab) || tab === addressTab()) return;
  showAddress(addressTab()); // as it is left
  history.pushState(remembered(), "", stateURL(tab));
}

/** Back and Forward: the tab that the address names, as it was there. */
function goThere() {
  const tab = addressTab();
  const state = addressState();
  const same = JSON.stringify(state) === JSON.stringify(states.get(tab) ?? {});
  states.set(tab, state);
  if (tab !== visibleTab()) tabButton(tab)?.click();
  if (!same) listeners.get(tab)?.(state);
}

/** What a page that was loaded again had in its tabs; of the tab in the address, the address tells. */
function recall() {
  for (const [tab, state] of Object.entries(history.state?.tabs ?? {})) states.set(tab, state);
  states.set(addressTab(), addressState());
}

recall();

const tabsShown = setInterval(() => {
  if (!tabButton("train")) return;
  clearInterval(tabsShown);
  followTabs();
}, 50);

/** Copy the address of the visible tab. */
export const copyLink = (button) => offerLink(button, forOthers(stateURL(visibleTab())));

/** Copy a link; where the clipboard is closed, show it selected for copying by hand. */
export async function offerLink(button, link) {
  try {
    await navigator.clipboard.writeText(link);
    flash(button, t("common.copied"));
  } catch {
    showLink(button, link);
  }
}

/** A link that works on other devices, if this page is open by a name that only this machine knows. */
export function forOthers(link) {
  const [address] = bootData?.addresses ?? [];
  return address && isHere() ? new URL(new URL(link).search, address).href : link;
}

/** Open by a name that every machine has for itself. */
const isHere = () => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);

/** Only this machine reaches the server, as far as this page can see. */
export const onlyHere = () => isHere() && !bootData?.addresses?.length;

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

/** Over the page, so that nothing moves when it comes and goes: the next click meets what it was meant for. */
function showLink(button, link) {
  document.querySelector(".gf-link-box")?.remove();
  const field = h("input", { class: "gf-input gf-link-field", readOnly: true, value: link, "aria-label": t("common.copy_link") });
  const box = h("label", { class: "gf-link-box" }, h("span", { class: "gf-hint" }, t("common.copy_by_hand")), field);
  field.addEventListener("blur", () => box.remove());
  const page = document.querySelector(".gradio-container");
  page.append(box);
  const [at, origin] = [button.getBoundingClientRect(), page.getBoundingClientRect()];
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - box.offsetWidth - 8));
  Object.assign(box.style, { left: `${left - origin.left}px`, top: `${at.bottom - origin.top + 4}px` });
  box.scrollIntoView({ block: "nearest" });
  field.focus({ preventScroll: true });
  field.select();
}

// ---- the run on the screen, for the tabs that show its numbers ----

let sharedRun = null;
const runListeners = new Set();

export function shareRun(runId) {
  sharedRun = runId;
  for (const listener of runListeners) listener(runId);
}

/** Call fn(run id or null) now and whenever another run is opened in the Train tab. */
export function onRun(fn) {
  runListeners.add(fn);
  fn(sharedRun);
}

// ---- pictures ----

/** Raw pixels [C, S, S] of one picture (uint8) as ImageData. */
export function pixelsToImageData(pixels, channels, size, offset = 0) {
  const image = new ImageData(size, size);
  const plane = size * size;
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[offset + (channels === 3 ? c * plane : 0) + i];
    image.data[4 * i + 3] = 255;
  }
  return image;
}

/**
 * Draw tiles sharply on a canvas: every source pixel becomes a square of whole device pixels.
 *
 * source: an image or bitmap of tiles without gaps (`sourceColumns` in a row), or {pixels, channels, count} raw [N, C, S, S].
 * options: size (source pixels a side), columns, count, sourceColumns, width (CSS pixels available), gap, below (CSS pixels
 * kept free under each tile), above (kept free over the first row), maxScale (CSS pixels for each source pixel), justify
 * (spread the columns over the whole width).
 * Returns the layout: {tile, x(i), y(i), width, height} in CSS pixels, and ctx scaled to CSS pixels.
 */
export function drawTiles(canvas, source, options) {
  const layout = tileLayout(canvas, options);
  const ctx = fitCanvas(canvas, layout.width, layout.height);
  ctx.imageSmoothingEnabled = false;
  const { size, count, sourceColumns = options.columns } = options;
  const picture = source.pixels ? rawSheet(source, size, sourceColumns) : source;
  for (let i = 0; i < count; i++) {
    const sx = (i % sourceColumns) * size;
    const sy = Math.floor(i / sourceColumns) * size;
    ctx.drawImage(picture, sx, sy, size, size, layout.x(i), layout.y(i), layout.tile, layout.tile);
  }
  return { ...layout, ctx };
}

/** Where tiles lie on a canvas: whole device pixels for each source pixel. */
export function tileLayout(canvas, options) {
  const { size, columns, count, width, gap = 6, below = 0, above = 0, maxScale = Infinity, justify = false } = options;
  const ratio = window.devicePixelRatio || 1;
  const room = width ?? canvas.parentElement.clientWidth;
  const fitting = ((room - gap * (columns - 1)) * ratio) / (columns * size);
  const tile = (Math.min(sharpScale(fitting), Math.round(maxScale * ratio)) * size) / ratio;
  const snap = (value) => Math.round(value * ratio) / ratio;
  const rows = Math.ceil(count / columns);
  const gapX = justify && columns > 1 ? Math.max(gap, (room - columns * tile) / (columns - 1)) : gap;
  return {
    tile,
    rows,
    columns,
    x: (i) => snap((i % columns) * (tile + gapX)),
    y: (i) => snap(above + Math.floor(i / columns) * (tile + gap + below)),
    width: columns * tile + (columns - 1) * gapX,
    height: above + rows * (tile + below) + (rows - 1) * gap,
  };
}

/** Whole device pixels for a source pixel; half steps only where whole ones would leave much of the room empty. */
function sharpScale(fitting) {
  const wholeScale = Math.max(1, Math.floor(fitting));
  const half = Math.floor(2 * fitting) / 2;
  return wholeScale / fitting < 0.85 && half > wholeScale ? half : wholeScale;
}

/** Size a canvas in CSS pixels at the device's resolution, cleared; its context draws in CSS pixels. */
export function fitCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, hgt] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== hgt) {
    canvas.width = w;
    canvas.height = hgt;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return ctx;
}

function rawSheet({ pixels, channels, count }, size, columns) {
  const sheet = document.createElement("canvas");
  sheet.width = columns * size;
  sheet.height = Math.ceil(count / columns) * size;
  const ctx = sheet.getContext("2d");
  for (let i = 0; i < count; i++) {
    const image = pixelsToImageData(pixels, channels, size, i * channels * size * size);
    ctx.putImageData(image, (i % columns) * size, Math.floor(i / columns) * size);
  }
  return sheet;
}

/** A colour of the style sheet, as the canvas needs it. */
export function cssColor(name) {
  const scope = document.querySelector(".gradio-container") ?? document.body;
  return getComputedStyle(scope).getPropertyValue(name).trim() || "#888";
}

// ---- polling ----

/** The server may have been started anew, and know other tokens than before. */
function reconnected() {
  clearNotice("offline-wait");
  bootPromise = null;
  boot().catch(() => {});
}

/**
 * Call the async fn every ms while the page is visible: never two at once, at once when the page comes back, and
 * more slowly (1 to 5 s) while the server cannot be reached. fn may return a number: the next delay in ms.
 */
export function everyVisible(ms, fn) {
  let timer = 0;
  let busy = false;
  let stopped = false;
  let failures = 0;

  async function tick() {
    if (busy || stopped || document.hidden) return;
    busy = true;
    let delay = ms;
    try {
      const wanted = await fn();
      if (typeof wanted === "number") delay = wanted;
      if (failures) reconnected();
      failures = 0;
    } catch (error) {
      delay = failed(error);
    }
    busy = false;
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(tick, delay);
  }

  function failed(error) {
    failures += 1;
    if (error.offline && failures > 1) notify(t("common.lost"), "offline-wait");
    else if (!error.offline) console.warn(error.message);
    return Math.min(5000, 1000 * failures);
  }

  function now() {
    clearTimeout(timer);
    tick();
  }

  const shown = () => !document.hidden && now();
  document.addEventListener("visibilitychange", shown);
  window.addEventListener("pageshow", shown);
  window.addEventListener("online", shown);
  tick();
  return {
    now,
    stop() {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", shown);
      window.removeEventListener("pageshow", shown);
      window.removeEventListener("online", shown);
    },
  };
}

// ---- numbers as people read them ----

export const whole = (value) => Math.round(value).toLocaleString("en-US");

export function short(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace("e+", "e").replace("e-0", "e-");
  return String(Number(value.toPrecision(digits)));
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const s = Math.round(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${String(s % 60).padStart(2, "0")} s`;
  return `${Math.floor(s / 3600)} h ${String(Math.floor((s % 3600) / 60)).padStart(2, "0")} min`;
}
