// Pictures drawn on request: which weights there are, raw pixels, and "newest wins". Shared by the two latent tabs.

import { api, boot, clearNotice, getJSON, h, notify, pixelsToImageData, postJSON, setText, t } from "./common.js";
import { holds } from "./in_page.js";
import { read, write } from "./storage.js";
import { sendWithNotice } from "./upload.js";

const PAGE = Math.random().toString(36).slice(2, 10);
export const MAX_SEED = 2 ** 31 - 1;
const [FILES, MOST_NAMES] = ["files", 60]; // under this name the browser remembers: id of weights -> the file they came in
export const MAX_UPLOAD_MB = 32;
export const PHONE = "(max-width: 760px)"; // as in the style sheet

/** Query string of an object; empty values are left out, commas and colons stay readable. */
export function queryOf(values) {
  return Object.entries(values)
    .filter(([, value]) => value !== null && value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(value).replace(/%2C/g, ",").replace(/%3A/g, ":")}`)
    .join("&");
}

/** This page's name for requests of which only the newest counts. */
export const slotOf = (name) => `${PAGE}-${name}`;

/** Raw pixels of a route: {pixels: Uint8Array, count, channels, size, stamp, step}. */
export async function fetchPixels(route, values, slot) {
  const response = await api(`${route}?${queryOf({ ...values, slot: slot && slotOf(slot) })}`);
  const [count, channels, size] = response.headers.get("X-Shape").split(",").map(Number);
  const pixels = new Uint8Array(await response.arrayBuffer());
  const [stamp, step] = ["X-Stamp", "X-Step"].map((name) => response.headers.get(name));
  return { pixels, count, channels, size, stamp, step: Number(step) };
}

/** Picture number i on a canvas of its own size; the style sheet enlarges it with sharp pixels. */
export function putPicture(canvas, { pixels, channels, size }, i = 0) {
  if (canvas.width !== size || canvas.height !== size) {
    canvas.width = size;
    canvas.height = size;
  }
  const image = pixelsToImageData(pixels, channels, size, i * channels * size * size);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Enlarge a canvas of `size` pixels to at most `room` CSS pixels: whole device pixels for each pixel of the picture. */
export function fitPicture(canvas, size, room) {
  const ratio = window.devicePixelRatio || 1;
  const side = (Math.max(1, Math.floor((room * ratio) / size)) * size) / ratio;
  canvas.style.width = canvas.style.height = `${side}px`;
  return side;
}

/**
 * Only one call of `work` at a time; while it runs, only the newest question is kept, and it is always answered last.
 * `work(question)` is async; what it throws is told to the person, and a lost connection is tried again.
 */
export function newestWins(work) {
  let waiting = null;
  let busy = false;
  let lost = false;

  async function run() {
    if (busy) return;
    busy = true;
    while (waiting) {
      const { question } = waiting;
      waiting = null;
      await attempt(question);
    }
    busy = false;
  }

  async function attempt(question) {
    try {
      await work(question);
      if (lost) clearNotice("offline-wait");
      lost = false;
    } catch (error) {
      if (error.offline) {
        await retry(question);
        return;
      }
      if (error.status === 409) return; // a newer request took its place
      notify(error.details?.gone ? t("latent.gone_hint") : error.message, "error");
    }
  }

  async function retry(question) {
    lost = true;
    notify(t("common.lost"), "offline-wait");
    await new Promise((done) => setTimeout(done, 1000));
    waiting ??= { question };
  }

  return (question) => {
    waiting = { question };
    return run();
  };
}

/** Call work at once, but not twice before the screen shows it: what comes between is one call with the next frame. */
export function oncePerFrame(work) {
  let shown = true;
  let waiting = false;

  function run() {
    shown = waiting = false;
    requestAnimationFrame(() => {
      shown = true;
      if (waiting) run();
    });
    work();
  }

  return () => {
    if (shown) run();
    else waiting = true;
  };
}

/** The quiet line that says who draws, `by` "page" or "server", with the reason as its hint. */
export function showWhoDraws(line, by, about) {
  const reason = about.page_refusal || t(holds(about.id) ? "latent.beyond_page" : "latent.coming");
  line.hidden = false;
  line.dataset.by = by;
  setText(line, t(`latent.by_${by}`));
  line.title = t(`latent.by_${by}_hint`, { reason });
}

/** The icon of a play button; call it with true while playing. */
export function playIcon(button) {
  const ns = "http://www.w3.org/2000/svg";
  const svg = button.appendChild(document.createElementNS(ns, "svg"));
  const path = svg.appendChild(document.createElementNS(ns, "path"));
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  return (playing) => path.setAttribute("d", playing ? "M3 2h4v12H3zM9 2h4v12H9z" : "M3 1.5v13l11-6.5z");
}

/** Call fn after a pause of ms without another call. */
export function afterPause(ms, fn) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...values), ms);
  };
}

export const randomSeed = () => Math.floor(Math.random() * 1e6);

/** What a person typed into a seed box, or null. */
export function readSeed(text) {
  const clean = text.trim();
  return /^\d{1,10}$/.test(clean) && Number(clean) <= MAX_SEED ? Number(clean) : null;
}

/** A seed box that says what is wrong with what was typed and calls onSeed(number) only when it is right. */
export function bindSeed(input, onSeed) {
  input.addEventListener("input", () => {
    const seed = readSeed(input.value);
    input.setAttribute("aria-invalid", seed === null ? "true" : "false");
    input.title = seed === null ? t("latent.seed_wrong", { max: MAX_SEED }) : "";
    if (seed !== null) onSeed(seed);
  });
}

// ---- weights ----

export const aboutWeights = (id) => getJSON(`weights/${encodeURIComponent(id)}`);

/** What is known of weights by now; once their run is gone it is `gone`, learns no more, and need not be asked for again. */
export async function newestAbout(about) {
  try {
    return await aboutWeights(about.id);
  } catch (error) {
    if (!error.details?.gone) throw error;
    return { ...about, live: false, gone: true };
  }
}

/** Say that this page follows the run that these weights learn in, so that it keeps the newest at hand. */
export async function keepFresh({ id, live }) {
  if (!live) return;
  try {
    await postJSON(`runs/${id.slice("run-".length)}/watch`);
  } catch (error) {
    if (!error.details?.gone) throw error; // newestAbout finds out that it is
  }
}

/**
 * The drop-down of weights. `onChoose(id)` is called when the person chooses; refresh(id) reads the list again and shows
 * id as chosen, even when it belongs to somebody else's run and is in nobody's list.
 */
export function weightsSelect(select, onChoose) {
  let known = "";
  select.addEventListener("change", () => onChoose(select.value));

  function fill(list, chosen, title) {
    const groups = [
      ["live", t("latent.group_live")],
      ["run", t("latent.group_run")],
      ["shipped", t("latent.group_shipped")],
    ];
    const options = (group) => list.filter((entry) => entry.group === group).map((entry) => option(entry));
    const parts = groups.map(([group, label]) => ({ label, options: options(group) })).filter((part) => part.options.length);
    if (chosen && !list.some((entry) => entry.id === chosen)) {
      parts.unshift({ label: t("latent.group_open"), options: [option({ id: chosen, title: title ?? chosen })] });
    }
    select.replaceChildren(...parts.map((part) => h("optgroup", { label: part.label }, part.options)));
    select.value = chosen ?? "";
  }

  function option({ id, title, step }) {
    const words = step === undefined ? title : t("latent.run_option", { title, step: step.toLocaleString("en-US") });
    return h("option", { value: id }, words);
  }

  return {
    async refresh(chosen, title) {
      const { weights } = await getJSON("weights");
      const words = nameOfFile(chosen) ?? title;
      const now = JSON.stringify([weights, chosen, words]);
      if (now !== known && document.activeElement !== select) fill(weights, chosen, words);
      known = document.activeElement === select ? known : now;
      return weights;
    },
  };
}

/** Which weights to begin with: the ones that can be asked for a class first, because they explain themselves. */
export function firstChoice(weights) {
  const shipped = weights.filter((entry) => entry.group === "shipped");
  return (shipped.find((entry) => entry.id.startsWith("mnist-conditional")) ?? shipped[0] ?? weights[0])?.id;
}

/** What the file was called that these weights were opened from in this browser, if they were. */
export const nameOfFile = (id) => read(FILES)[id];

/** Weights from disk; onOpened(id) when the server has checked and taken them. */
export async function openWeightsFile(file, onOpened) {
  try {
    if (file.size > MAX_UPLOAD_MB * 2 ** 20) throw new Error(t("latent.file_too_large", { most: MAX_UPLOAD_MB }));
    const { id } = await sendWithNotice("weights", file, t("latent.opening"));
    clearNotice("wait");
    const { [id]: _, ...others } = read(FILES);
    write(FILES, Object.fromEntries([...Object.entries(others), [id, file.name]].slice(-MOST_NAMES)));
    onOpened(id);
  } catch (error) {
    notify(error.message, error.cancelled ? "info" : "error");
  }
}

/**
 * The classes of conditional weights: buttons in a radio group, or, where there is little room and the names are long, a
 * drop-down. onChoose(number).
 */
export function classChooser(box, about, chosen, onChoose, narrow = false) {
  const short = about.class_names.every((name) => name.length <= 2);
  box.hidden = !about.classes;
  box.classList.toggle("gf-classes-short", short);
  box.setAttribute("role", narrow && !short ? "group" : "radiogroup");
  if (narrow && !short) classList(box, about.class_names, chosen, onChoose);
  else classButtons(box, about.class_names, chosen, onChoose);
}

function classList(box, names, chosen, onChoose) {
  const options = names.map((name, label) => h("option", { value: label, selected: label === chosen }, name));
  const props = { class: "gf-select", "aria-label": box.getAttribute("aria-label") };
  box.replaceChildren(h("select", { ...props, onchange: (event) => onChoose(Number(event.target.value)) }, options));
}

function classButtons(box, names, chosen, onChoose) {
  const props = { type: "button", class: "gf-btn gf-class", role: "radio" };
  const buttons = names.map((name, label) => h("button", { ...props, onclick: () => choose(label) }, name));

  function mark(label) {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-checked", String(i === label));
      button.tabIndex = i === label ? 0 : -1;
    });
  }

  function choose(label) {
    mark(label);
    onChoose(label);
  }

  box.onkeydown = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const now = buttons.indexOf(document.activeElement);
    if (!step || now < 0) return;
    event.preventDefault();
    const next = (now + step + buttons.length) % buttons.length;
    choose(next);
    buttons[next].focus();
  };
  mark(chosen);
  box.replaceChildren(...buttons);
}

/** boot, so that the strings are there, then fn; what fails is told. */
export async function start(fn) {
  try {
    await boot();
    await fn();
  } catch (error) {
    notify(error.message, "error");
  }
}
