// The Latent sliders tab. The whole state is a place in latent space written as a few numbers (see gan/latent/spec.py), so a
// link holds it; every picture is asked for with all of it, and only the newest answer is shown.

import { onState, openTab, readState, writeState } from "../core/address.js";
import { start } from "../core/boot.js";
import { fitPicture, putPicture } from "../core/canvas.js";
import { copyLink } from "../core/controls/copy_link.js";
import { h, PHONE, setText } from "../core/dom.js";
import { signed } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { afterPause, everyVisible, newestWins, oncePerFrame } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { behind, bring, canDraw, drawHere, drawNeighboursHere, holds, numbersHere } from "../engine/draw_here.js";
import { MOST_KEYFRAMES, withKeyframe } from "../engine/keyframes.js";
import { lengthOf, readPushes, writePushes } from "../engine/pushes.js";
import { randomSeed, readSeed } from "../engine/seed.js";
import { aboutWeights, firstChoice, keepFresh, newestAbout } from "../weights/about.js";
import { classChooser } from "../weights/class_chooser.js";
import { fetchPixels } from "../weights/pixels.js";
import { bindSeed } from "../weights/seed_box.js";
import { weightsSelect } from "../weights/select.js";
import { showWhoDraws } from "../weights/who_draws.js";
import { inWords } from "./describe.js";
import { Directions } from "./directions.js";
import { Find } from "./find.js";
import { MadeOf } from "./made_of.js";
import { Share } from "./share.js";

const RING = 16;
const MAX_STEPS = 64;
const MAX_RINGS = 64;
const FADER_LIMIT = 4;
const QUIET_MS = 150;
const MOST_UNDO = 200;
const RESTING_MS = 500;
const SPREAD = 0.7;
const DRAWN_BY = 12; // CSS pixels for the words under the picture
const PHONE_PICTURE = 224; // CSS pixels: leaves room for the sliders below

export function mount(root) {
  const tab = new LatentTab(root);
  start(() => tab.begin());
}

class LatentTab {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.near = [...root.querySelectorAll('[data-gf="near"]')];
    this.state = readPlace({});
    this.about = null;
    this.faders = [];
    this.ticks = 0;
    this.movedAt = -Infinity;
    this.ask = newestWins(() => this.fetchPicture());
    this.paint = oncePerFrame(() => this.paintPicture());
    this.showNear = newestWins(() => this.drawNeighbours());
    this.readNumbers = newestWins(() => this.drawNumbers());
    this.settle = afterPause(QUIET_MS, () => this.afterMoving());
    this.select = weightsSelect(this.part("weights"), (id) => this.choose(id));
    this.directions = new Directions(this.part, this);
    this.share = new Share(this.part, this);
    this.find = new Find(this.part, this);
    this.madeOf = new MadeOf(this.part, this);
    this.past = [];
    this.future = [];
    this.bind();
  }

  async begin() {
    onState("latent", (state) => this.open(state));
    await this.open(readState("latent"));
    everyVisible(1000, () => this.tick());
  }

  // ---- which weights ----

  /** Show a state from the address, or the first weights there are. */
  async open(address) {
    this.state = readPlace(address);
    const weights = await this.select.refresh(address.w);
    const first = firstChoice(weights);
    const id = address.w ?? first;
    this.part("view").hidden = !id;
    this.part("empty").hidden = Boolean(id);
    if (id && !(await this.choose(id)) && first && first !== id) await this.choose(first);
  }

  /** Show a picture that was handed on; what is looked for around it stays as it is. */
  restore(place) {
    this.remember(); // a change that has not come to rest yet
    return this.open({ ...place, spread: this.state.spread });
  }

  /** Draw with these weights from now on; false, and a sentence, when they cannot be had. */
  async choose(id) {
    try {
      this.about = await aboutWeights(id);
    } catch (error) {
      notify(error.message, "error");
      return false;
    }
    this.state = fitted({ ...this.state, w: id }, this.about);
    await this.select.refresh(id, this.about.title);
    this.part("weights").disabled = false;
    this.build();
    this.layout();
    this.part("view").removeAttribute("aria-busy");
    await this.show();
    this.afterMoving();
    this.bring();
    return true;
  }

  /** The weights come to the page while the server draws; from then on the page draws by itself. */
  async bring() {
    if (!(await bring(this.about))) return;
    await this.show();
    await this.showNear();
  }

  /** Controls for these weights. */
  build() {
    const { about, state } = this;
    this.showAbout();
    this.part("seed").value = state.seed;
    this.part("spread").value = state.spread;
    classChooser(this.part("classes"), about, state.c, (label) => this.move({ c: label }));
    this.directions.build();
    this.find.build();
    this.showPsi();
    this.buildMix();
    setText(this.part("raw-title"), t("latent.raw_count", { count: about.z_dim }));
    this.buildFaders();
  }

  showAbout() {
    const { about } = this;
    this.part("live").hidden = !about.live;
    if (about.gone) notify(t("latent.gone_hint"), "error");
    if (about.live) setText(this.part("live-text"), t("latent.learning", { step: about.step.toLocaleString("en-US") }));
    setText(
      this.part("about"),
      about.gone ? t("latent.gone_hint") : about.live ? t("latent.live_hint") : about.about || this.facts(),
    );
  }

  facts() {
    const { z_dim, size, step } = this.about;
    return t(step ? "latent.facts" : "latent.facts_short", { z_dim, size, step: step.toLocaleString("en-US") });
  }

  /** Once a second: newer weights of a run that learns; now and then the list of weights. */
  async tick() {
    if (visibleTab() !== "latent") return;
    this.ticks += 1;
    if (!this.about) return this.ticks % 3 ? undefined : this.open(readState("latent"));
    await keepFresh(this.about);
    if (this.ticks % 5 === 0) await this.select.refresh(this.state.w, this.about.title);
    if (this.ticks % 5 === 0 && !holds(this.state.w) && !this.about.gone) this.bring(); // they were lost on their way
    const resting = performance.now() - this.movedAt > RESTING_MS; // a moving slider already draws with the newest weights
    if (resting && this.followed) await this.follow();
    if (resting && this.about.live) this.madeOf.keepUp();
  }

  get followed() {
    return (this.about.live || behind(this.about)) && !this.about.gone;
  }

  async follow() {
    const { step, stamp } = this.about;
    this.about = await newestAbout(this.about);
    this.showAbout();
    this.directions.show();
    if (canDraw(placeOf(this.state))) return this.bring();
    if (this.about.stamp === stamp && this.about.step === step) return;
    await this.show();
    await this.showNear();
  }

  // ---- moving ----

  /** Change the state: the picture follows at once, the rest when the hand rests. */
  move(change) {
    this.movedAt = performance.now();
    Object.assign(this.state, change);
    this.show();
    this.settle();
  }

  /** A change that nobody made by hand: no step of its own to undo. */
  refine(change) {
    const before = queryOf(placeOf(this.state));
    Object.assign(this.state, change);
    if (this.lastPlace?.text === before) this.lastPlace = this.placeNow();
    if (queryOf(placeOf(this.state)) === before) return;
    this.show();
    this.settle();
  }

  afterMoving() {
    this.remember();
    writeState("latent", addressOf(this.state));
    this.part("back").disabled = !this.state.m.length;
    this.part("release").disabled = !this.state.z.size;
    const words = inWords(this.state, this.about, this.aboutStart(), (key) => this.directions.named(key));
    this.part("picture").setAttribute("aria-label", words);
    this.part("found").hidden = !this.state.from;
    setText(this.part("found-words"), this.aboutStart());
    this.showNear();
    this.directions.showStrips();
    this.readNumbers();
    this.madeOf.follow();
  }

  /** Where the noise comes from when it is not the seed's. */
  aboutStart() {
    const { from, seed } = this.state;
    const [sheet, row] = from.split(":");
    if (!row) return t("latent.found_note");
    return t(`share.from_${sheet}`, { i: Number(row) + 1, seed, count: this.about.studied });
  }

  surprise() {
    const seed = randomSeed();
    this.part("seed").value = seed;
    this.part("seed").setAttribute("aria-invalid", "false");
    this.move({ seed, from: "", m: [], ring: 0 });
  }

  reset() {
    this.apply({ d: new Map(), z: new Map(), u: new Map(), lock: new Set(), psi: 1, mix: null, m: [], ring: 0 });
  }

  /** Change the state from elsewhere than its own control: every control follows. */
  apply(change) {
    this.move(change);
    const { seed, c } = this.state;
    this.part("seed").value = seed;
    classChooser(this.part("classes"), this.about, c, (label) => this.move({ c: label }));
    this.directions.addFromState();
    this.directions.rebuild();
    this.showPsi();
    this.buildMix();
  }

  // ---- there and back ----

  /** What the picture was before the last change; a change is what lies between two rests of the hand. */
  remember() {
    const now = queryOf(placeOf(this.state));
    if (this.lastPlace !== undefined && this.lastPlace.text !== now && this.lastPlace.w === this.state.w) {
      this.past = [...this.past, this.lastPlace.state].slice(-MOST_UNDO);
      this.future = [];
    } else if (this.lastPlace?.w !== this.state.w) {
      [this.past, this.future] = [[], []];
    }
    this.lastPlace = this.placeNow();
    this.showTravel();
  }

  placeNow() {
    return { text: queryOf(placeOf(this.state)), w: this.state.w, state: { ...this.state } };
  }

  showTravel() {
    this.part("undo").disabled = !this.past.length;
    this.part("redo").disabled = !this.future.length;
  }

  undo() {
    this.travel("past", "future");
  }

  redo() {
    this.travel("future", "past");
  }

  travel(from, to) {
    this.remember(); // a change that has not come to rest yet
    const there = this[from].pop();
    if (!there) return;
    this[to].push({ ...this.state });
    this.lastPlace = { text: queryOf(placeOf(there)), w: there.w, state: { ...there } };
    this.apply({ ...there });
    this.showTravel();
  }

  place() {
    return placeOf(this.state);
  }

  // ---- truncation, mixed classes ----

  showPsi() {
    this.part("psi").value = this.state.psi;
    setText(this.part("psi-value"), this.state.psi.toFixed(2));
  }

  /** Which other class, and how much of it. */
  buildMix() {
    const { about, state } = this;
    this.part("mix-row").hidden = !about.classes;
    const [label, share] = state.mix ?? ["", 0.5];
    const options = about.class_names.map((name, k) => h("option", { value: k }, name));
    this.part("mix-class").replaceChildren(h("option", { value: "" }, t("latent.mix_none")), ...options);
    this.part("mix-class").value = label;
    this.part("mix").value = share;
    this.part("mix").disabled = !state.mix;
    setText(this.part("mix-value"), state.mix ? `${Math.round(100 * share)} %` : "");
  }

  mixWith(change) {
    const [label, share] = this.state.mix ?? [null, 0.5];
    const next = { label, share, ...change };
    this.move({ mix: next.label === null ? null : [next.label, next.share] });
    this.buildMix();
  }

  /** Go to neighbour i: one more step of the walk. Its picture is already here. */
  walk(i) {
    const { m, ring, spread } = this.state;
    if (m.length >= MAX_STEPS) {
      notify(t("latent.too_far", { most: MAX_STEPS }), "info");
      return;
    }
    if (this.nearPixels) putPicture(this.part("picture"), this.nearPixels, i + 1);
    this.move({ m: [...m, [ring * RING + i, spread]], ring: 0 });
  }

  // ---- pictures ----

  /** The picture of the state, from this page where it can draw it, else from the server. */
  async show() {
    if (canDraw(placeOf(this.state))) this.paint();
    else await this.ask();
  }

  paintPicture() {
    const place = placeOf(this.state);
    const drawn = drawHere(place);
    if (drawn) this.put(drawn, place, "page");
  }

  async fetchPicture() {
    const place = placeOf(this.state);
    const drawn = await fetchPixels("pixels", place, "main");
    if (canDraw(placeOf(this.state)))
      this.paint(); // the weights came meanwhile, and may have drawn something newer
    else this.put(drawn, place, "server");
  }

  put(drawn, place, by) {
    const picture = this.part("picture");
    putPicture(picture, drawn);
    picture.dataset.shows = queryOf(place);
    picture.dataset.step = drawn.step;
    showWhoDraws(this.part("drawn"), by, this.about);
  }

  async drawNeighbours() {
    const { spread, ring } = this.state;
    const query = { ...placeOf(this.state), near: RING, spread, ring };
    const drawn = (await drawNeighboursHere(query)) ?? (await fetchPixels("pixels", query, "near"));
    this.nearPixels = drawn;
    this.near.forEach((button, i) => {
      putPicture(button.firstElementChild, drawn, i + 1);
      button.disabled = false;
    });
  }

  /** Whole device pixels for every pixel of a picture, whatever the width of the window. */
  layout() {
    if (!this.about) return;
    const { size } = this.about;
    const room = this.part("main").clientWidth;
    fitPicture(this.part("picture"), size, window.matchMedia(PHONE).matches ? PHONE_PICTURE : room - DRAWN_BY);
    for (const button of this.near) fitPicture(button.firstElementChild, size, button.clientWidth);
    this.directions.layout();
  }

  // ---- single numbers ----

  buildFaders() {
    this.faders = [];
    this.part("faders").replaceChildren();
    if (!this.part("raw").open) return;
    this.faders = Array.from({ length: this.about.z_dim }, (_, i) => this.fader(i));
    this.part("faders").replaceChildren(...this.faders);
    this.readNumbers();
  }

  fader(i) {
    return h("input", {
      type: "range",
      class: "gf-fader",
      min: -FADER_LIMIT,
      max: FADER_LIMIT,
      step: 0.05,
      tabIndex: i ? -1 : 0,
      "aria-label": t("latent.dimension", { i }),
      "aria-orientation": "vertical",
      oninput: (event) => this.pin(i, Number(event.target.value)),
      onfocus: () => this.readout(i),
      onpointerenter: () => this.readout(i),
      ondblclick: () => this.unpin(i),
      onkeydown: (event) => this.faderKey(event, i),
    });
  }

  pin(i, value) {
    const z = new Map(this.state.z);
    z.set(i, value);
    this.paintFader(i, value, true);
    this.readout(i);
    this.move({ z });
  }

  unpin(i) {
    const z = new Map(this.state.z);
    if (z.delete(i)) this.move({ z });
  }

  /** Left and right go to the next number, up and down (the browser's own) change it, Delete gives it back. */
  faderKey(event, i) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      event.preventDefault();
      this.focusFader((i + step + this.faders.length) % this.faders.length);
    } else if (event.key === "Delete" || event.key === "Backspace") {
      event.preventDefault();
      this.unpin(i);
    }
  }

  focusFader(i) {
    for (const fader of this.faders) fader.tabIndex = -1;
    this.faders[i].tabIndex = 0;
    this.faders[i].focus();
  }

  async drawNumbers() {
    if (!this.faders.length) return;
    const place = placeOf(this.state);
    const { z } = numbersHere(place) ?? (await getJSON(`latent?${queryOf(place)}`));
    z.forEach((value, i) => {
      const set = this.state.z.has(i);
      this.paintFader(i, set ? this.state.z.get(i) : value, set);
    });
    if (this.shownFader !== undefined) this.readout(this.shownFader);
  }

  paintFader(i, value, set) {
    const fader = this.faders[i];
    if (!fader) return;
    fader.value = value;
    fader.dataset.value = value;
    fader.classList.toggle("gf-is-set", set);
    fader.setAttribute("aria-valuetext", signed(value));
  }

  readout(i) {
    this.shownFader = i;
    const value = Number(this.faders[i]?.dataset.value ?? 0);
    const key = this.state.z.has(i) ? "latent.readout_set" : "latent.readout";
    setText(this.part("raw-readout"), t(key, { i, value: signed(value) }));
  }

  releaseAll() {
    this.move({ z: new Map() });
  }

  // ---- wiring ----

  bind() {
    const click = (name, fn) => this.part(name).addEventListener("click", fn);
    bindSeed(this.part("seed"), (seed) => this.move({ seed, from: "", m: [], ring: 0 }));
    click("surprise", () => this.surprise());
    click("reset", () => this.reset());
    click("copy-link", (event) => this.copy(event.currentTarget));
    click("others", () => this.move({ ring: (this.state.ring + 1) % MAX_RINGS }));
    click("back", () => this.move({ m: this.state.m.slice(0, -1), ring: 0 }));
    click("release", () => this.releaseAll());
    click("go-train", () => openTab("train"));
    click("undo", () => this.undo());
    click("redo", () => this.redo());
    click("found-leave", () => this.apply({ from: "" }));
    this.part("psi").addEventListener("input", (event) => {
      this.move({ psi: Number(event.target.value) });
      this.showPsi();
    });
    this.part("mix").addEventListener("input", (event) => this.mixWith({ share: Number(event.target.value) }));
    this.part("mix-class").addEventListener("change", ({ target }) =>
      this.mixWith({ label: target.value === "" ? null : Number(target.value) }),
    );
    document.addEventListener("keydown", (event) => this.travelKey(event));
    this.part("raw").addEventListener("toggle", () => this.buildFaders());
    this.part("spread").addEventListener("input", (event) => this.spread(Number(event.target.value)));
    this.near.forEach((button, i) => {
      button.setAttribute("aria-label", t("latent.neighbour", { i: i + 1 }, `neighbour ${i + 1}`));
      button.addEventListener("click", () => this.walk(i));
    });
    click("send", () => this.send());
    new ResizeObserver(() => this.layout()).observe(this.part("ring"));
    window.addEventListener("resize", () => this.layout());
  }

  /** Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y), except where text is typed. */
  travelKey(event) {
    const typing = event.target.closest?.("input:not([type=range]), textarea, select, dialog");
    if (visibleTab() !== "latent" || typing || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) this.redo();
    else this.undo();
  }

  spread(spread) {
    Object.assign(this.state, { spread });
    this.showNear();
    this.settle();
  }

  copy(button) {
    writeState("latent", addressOf(this.state));
    copyLink(button);
  }

  /** One more picture that the path in the Interpolation tab leads through; a path begins with two. */
  send() {
    const there = readState("interpolation");
    const path = withKeyframe(there.a ? there : (this.firstOfPath ?? {}), placeOf(this.state));
    if (!path) return notify(t("interpolation.full", { most: MOST_KEYFRAMES }));
    this.firstOfPath = path.b ? null : path;
    if (path.b) openTab("interpolation", path);
    else notify(t("latent.sent_first"));
  }
}

// ---- the state and its text ----

/**
 * A state from the address; whatever cannot be read there is left out.
 *
 * @param {Record<string, string>} address
 */
function readPlace({ w, seed, c, m, d, z, u, lock, psi, mix, from, spread, ring }) {
  const share = Number(psi ?? 1);
  return {
    w,
    seed: readSeed(seed ?? "0") ?? 0,
    c: /^\d+$/.test(c ?? "") ? Number(c) : undefined,
    m: pairs(m).slice(0, MAX_STEPS),
    d: new Map(pairs(d)),
    z: new Map(pairs(z)),
    u: readPushes(u),
    lock: new Set((lock ?? "").split(",").filter(Boolean)),
    psi: Number.isFinite(share) ? clamp(share, 0, 1) : 1,
    mix: pairs(mix)[0] ?? null,
    from: /^([\w-]+|(tile|study):\d{1,4})$/.test(from ?? "") ? from : "",
    spread: clamp(Number(spread ?? SPREAD) || SPREAD, 0.05, 1),
    ring: /^\d+$/.test(ring ?? "") ? Number(ring) % MAX_RINGS : 0,
  };
}

/** The same state as far as these weights can show it. */
function fitted(state, about) {
  const below = (map, limit) => new Map([...map].filter(([key]) => key < limit));
  const label = about.classes ? Math.min(state.c ?? 0, about.classes - 1) : undefined;
  const u = new Map([...state.u].filter(([, { vector }]) => lengthOf(vector) === about.z_dim));
  const d = below(state.d, about.directions.length);
  return {
    ...state,
    c: label,
    d,
    z: below(state.z, about.z_dim),
    u,
    lock: new Set([...state.lock].filter((key) => u.has(key) || Number(key) < about.directions.length)),
    mix: state.mix && state.mix[0] < about.classes ? state.mix : null,
    from: state.from.includes(":") || lengthOf(state.from) === about.z_dim ? state.from : "",
  };
}

function pairs(text) {
  const parts = (text ?? "").split(",").map((part) => part.split(":").map(Number));
  return parts.filter(([key, value]) => Number.isInteger(key) && key >= 0 && Number.isFinite(value));
}

const join = (entries) => [...entries].map(([key, value]) => `${key}:${Number(value.toFixed(6))}`).join(",");

/** What a picture is asked for with. */
const placeOf = ({ w, seed, c, m, d, z, u, lock, psi, mix, from }) => ({
  w,
  seed,
  c,
  m: join(m),
  d: join(d),
  z: join(z),
  u: writePushes(u, (key) => lock.has(key)),
  lock: [...lock].join(","),
  psi: psi === 1 ? "" : psi,
  mix: mix ? join([mix]) : "",
  from,
});

const addressOf = (state) => ({
  ...placeOf(state),
  spread: state.spread === SPREAD ? "" : state.spread,
  ring: state.ring || "",
});

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
