// The Latent sliders tab. Its state is a LatentSpec, the weights it is drawn with, and what the neighbours are looked for with;
// a link holds all of it. Every picture is asked for with the whole spec, and only the newest answer is shown.

import { openTab, readState } from "../core/address.js";
import { start } from "../core/boot.js";
import { fitPicture, putPicture } from "../core/canvas.js";
import { h, PHONE, setText } from "../core/dom.js";
import { signed } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { afterPause, newestWins, oncePerFrame } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { canDraw, drawHere, drawNeighboursHere, numbersHere } from "../engine/draw_here.js";
import { MOST_KEYFRAMES, withKeyframe } from "../engine/keyframes.js";
import { LatentSpec, MAX_RINGS, MAX_STEPS } from "../engine/latent_spec.js";
import { RING } from "../engine/noise.js";
import { randomSeed } from "../engine/seed.js";
import { classChooser } from "../weights/class_chooser.js";
import { fetchPixels } from "../weights/pixels.js";
import { bindSeed } from "../weights/seed_box.js";
import { QUIET_MS, WeightsTab } from "../weights/weights_tab.js";
import { showWhoDraws } from "../weights/who_draws.js";
import { describe } from "./describe.js";
import { Directions } from "./directions.js";
import { Find } from "./find.js";
import { MadeOf } from "./made_of.js";
import { Share } from "./share.js";

const FADER_LIMIT = 4;
const MOST_UNDO = 200;
const RESTING_MS = 500;
const SPREAD = 0.7;
const DRAWN_BY = 12; // CSS pixels for the words under the picture
const BAND = 26; // CSS pixels above and below the picture that stays at the top of a phone
const AS_DRAWN = { walk: [], principal: new Map(), fixed: new Map(), pushes: new Map(), locked: new Set(), psi: 1, mix: null };

export function mount(root) {
  const tab = new LatentTab(root);
  start(() => tab.begin());
}

class LatentTab extends WeightsTab {
  constructor(root) {
    super("latent", root);
    this.near = [...root.querySelectorAll('[data-gf="near"]')];
    this.faders = [];
    this.movedAt = -Infinity;
    this.ask = newestWins(() => this.fetchPicture());
    this.paint = oncePerFrame(() => this.paintPicture());
    this.showNear = newestWins(() => this.drawNeighbours());
    this.readNumbers = newestWins(() => this.drawNumbers());
    this.tell = afterPause(QUIET_MS, () => this.tellShown());
    this.directions = new Directions(this.part, this);
    this.share = new Share(this.part, this);
    this.find = new Find(this.part, this);
    this.madeOf = new MadeOf(this.part, this);
    this.past = [];
    this.future = [];
    this.bind();
  }

  // ---- which weights ----

  stateOf(address) {
    return readAddress(address);
  }

  address() {
    return addressOf(this.state);
  }

  fitted() {
    return { spec: this.spec.fitTo(this.about) };
  }

  /** Show a picture that was handed on, as an address; what is looked for around it stays as it is. */
  restore(address) {
    this.remember(); // a change that has not come to rest yet
    return this.open({ ...address, spread: this.state.spread });
  }

  /** Controls for these weights. */
  build() {
    const { about } = this;
    this.showAbout();
    this.part("spread").value = this.state.spread;
    this.showStart();
    this.directions.build();
    this.find.build();
    this.showPsi();
    this.buildMix();
    setText(this.part("raw-title"), t("latent.raw_count", { count: about.z_dim }));
    this.buildFaders();
    this.layout();
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

  async keepUp() {
    const resting = performance.now() - this.movedAt > RESTING_MS; // a moving slider already draws with the newest weights
    if (resting && this.followed) await this.follow();
    if (resting && this.about.live) this.madeOf.keepUp();
  }

  newsOfWeights() {
    this.showAbout();
    this.directions.show();
  }

  // ---- moving ----

  get spec() {
    return this.state.spec;
  }

  /** What the server is asked for a picture with. */
  query() {
    return { w: this.state.w, ...this.spec.toQuery() };
  }

  /** Change parts of the spec: the picture follows at once, the rest when the hand rests. Another walk has other neighbours. */
  move(change) {
    this.go({ spec: this.spec.with(change), ring: "walk" in change ? 0 : this.state.ring });
  }

  go(change) {
    this.movedAt = performance.now();
    this.state = { ...this.state, ...change };
    this.show();
    this.settle();
  }

  /** A change that nobody made by hand: no step of its own to undo. */
  refine(change) {
    const before = this.spec;
    this.state = { ...this.state, spec: before.with(change) };
    if (this.rested?.w === this.state.w && this.rested.spec.equals(before)) this.rested = this.state;
    if (this.spec.equals(before)) return;
    this.show();
    this.settle();
  }

  rest() {
    this.remember();
    this.write();
    const { walk, fixed } = this.spec;
    this.part("back").disabled = !walk.length;
    this.part("release").disabled = !fixed.size;
    const start = this.aboutStart();
    const words = describe(this.spec, this.about, start, (key) => this.directions.named(key));
    this.part("picture").setAttribute("aria-label", words);
    this.part("found").hidden = !start;
    setText(this.part("found-words"), start);
    this.showNear();
    this.directions.showStrips();
    this.readNumbers();
    this.madeOf.follow();
  }

  /** Where the noise comes from; nothing when it is the seed's. */
  aboutStart() {
    const { base, sheet, seed } = this.spec;
    if (!sheet) return base ? t("latent.found_note") : "";
    const [name, row] = sheet;
    return t(`share.from_${name}`, { i: row + 1, seed, count: this.about.studied });
  }

  surprise() {
    const seed = randomSeed();
    this.part("seed").value = seed;
    this.part("seed").setAttribute("aria-invalid", "false");
    this.startFrom(seed);
  }

  /** A seed of its own, where a person has not walked yet. */
  startFrom(seed) {
    this.move({ seed, base: null, sheet: null, walk: [] });
  }

  reset() {
    this.apply(AS_DRAWN);
  }

  /** Show a latent that was found, and nothing that had moved the old picture. */
  showFound(base, label) {
    this.apply({ ...AS_DRAWN, base, sheet: null, label: label ?? this.spec.label });
  }

  /** Change the spec from elsewhere than its own control: every control follows. */
  apply(change) {
    this.move(change);
    this.rebuild();
  }

  rebuild() {
    this.showStart();
    this.directions.addFromSpec();
    this.directions.rebuild();
    this.showPsi();
    this.buildMix();
  }

  showStart() {
    this.part("seed").value = this.spec.seed;
    classChooser(this.part("classes"), this.about, this.spec.label, (label) => this.move({ label }));
  }

  // ---- there and back ----

  /** What the picture was before the last change; a change is what lies between two rests of the hand. */
  remember() {
    const before = this.rested;
    if (!before || before.w !== this.state.w) {
      [this.past, this.future] = [[], []];
    } else if (!before.spec.equals(this.spec)) {
      this.past = [...this.past, before].slice(-MOST_UNDO);
      this.future = [];
    }
    this.rested = this.state;
    this.showTravel();
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
    this[to].push(this.state);
    this.rested = there;
    this.go(there);
    this.rebuild();
    this.showTravel();
  }

  // ---- truncation, mixed classes ----

  showPsi() {
    this.part("psi").value = this.spec.psi;
    setText(this.part("psi-value"), this.spec.psi.toFixed(2));
  }

  /** Which other class, and how much of it. */
  buildMix() {
    const { about } = this;
    const { mix } = this.spec;
    this.part("mix-row").hidden = !about.classes;
    const [label, share] = mix ?? ["", 0.5];
    const options = about.class_names.map((name, k) => h("option", { value: k }, name));
    this.part("mix-class").replaceChildren(h("option", { value: "" }, t("latent.mix_none")), ...options);
    this.part("mix-class").value = label;
    this.part("mix").value = share;
    this.part("mix").disabled = !mix;
    setText(this.part("mix-value"), mix ? `${Math.round(100 * share)} %` : "");
  }

  mixWith(change) {
    const [label, share] = this.spec.mix ?? [null, 0.5];
    const next = { label, share, ...change };
    this.move({ mix: next.label === null ? null : [next.label, next.share] });
    this.buildMix();
  }

  /** Go to neighbour i: one more step of the walk. Its picture is already here. */
  walk(i) {
    const { ring, spread } = this.state;
    const { walk } = this.spec;
    if (walk.length >= MAX_STEPS) {
      notify(t("latent.too_far", { most: MAX_STEPS }), "info");
      return;
    }
    if (this.nearPixels) putPicture(this.part("picture"), this.nearPixels, i + 1);
    this.move({ walk: [...walk, [ring * RING + i, spread]] });
  }

  // ---- pictures ----

  async redraw() {
    await this.show();
    await this.showNear();
  }

  /** The picture of the state, from this page where it can draw it, else from the server. */
  async show() {
    if (this.drawsHere) this.paint();
    else await this.ask();
  }

  get drawsHere() {
    return canDraw(this.state.w, this.spec);
  }

  paintPicture() {
    const { w, spec } = this.state;
    const drawn = drawHere(w, spec);
    if (drawn) this.put(drawn, this.state, "page");
  }

  async fetchPicture() {
    const { state } = this;
    const drawn = await fetchPixels("pixels", this.query(), "main");
    if (this.drawsHere)
      this.paint(); // the weights came meanwhile, and may have drawn something newer
    else this.put(drawn, state, "server");
  }

  put(drawn, state, by) {
    const picture = this.part("picture");
    putPicture(picture, drawn);
    picture.dataset.step = drawn.step;
    showWhoDraws(this.part("drawn"), by, this.about);
    this.shown = state;
    this.tell();
  }

  /** What the picture that rests on the stage was asked for with; a moving one changes too often to write it down. */
  tellShown() {
    const { w, spec } = this.shown;
    this.part("picture").dataset.shows = queryOf({ w, ...spec.toQuery() });
  }

  async drawNeighbours() {
    const { w, spec, spread, ring } = this.state;
    const around = { near: RING, spread, ring };
    const drawn =
      (await drawNeighboursHere(w, spec, around)) ?? (await fetchPixels("pixels", { ...this.query(), ...around }, "near"));
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
    const { clientWidth, clientHeight } = this.part("main");
    fitPicture(this.part("picture"), size, window.matchMedia(PHONE).matches ? clientHeight - BAND : clientWidth - DRAWN_BY);
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
    this.paintFader(i, value, true);
    this.move({ fixed: new Map(this.spec.fixed).set(i, value) });
    this.readout(i);
  }

  unpin(i) {
    const fixed = new Map(this.spec.fixed);
    if (fixed.delete(i)) this.move({ fixed });
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
    const { z } = numbersHere(this.state.w, this.spec) ?? (await getJSON(`latent?${queryOf(this.query())}`));
    z.forEach((value, i) => this.paintFader(i, this.spec.fixed.get(i) ?? value, this.spec.fixed.has(i)));
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
    const key = this.spec.fixed.has(i) ? "latent.readout_set" : "latent.readout";
    setText(this.part("raw-readout"), t(key, { i, value: signed(value) }));
  }

  releaseAll() {
    this.move({ fixed: new Map() });
  }

  // ---- wiring ----

  bind() {
    const click = (name, fn) => this.part(name).addEventListener("click", fn);
    bindSeed(this.part("seed"), (seed) => this.startFrom(seed));
    click("surprise", () => this.surprise());
    click("reset", () => this.reset());
    click("others", () => this.go({ ring: (this.state.ring + 1) % MAX_RINGS }));
    click("back", () => this.move({ walk: this.spec.walk.slice(0, -1) }));
    click("release", () => this.releaseAll());
    click("undo", () => this.undo());
    click("redo", () => this.redo());
    click("found-leave", () => this.apply({ base: null, sheet: null }));
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
    this.state = { ...this.state, spread };
    this.showNear();
    this.settle();
  }

  /** One more picture that the path in the Interpolation tab leads through; a path begins with two. */
  send() {
    const there = readState("interpolation");
    const path = withKeyframe(there.a ? there : (this.firstOfPath ?? {}), this.state.w, this.spec);
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
function readAddress(address) {
  const { w, spread, ring } = address;
  return {
    w,
    spec: LatentSpec.parse(address).readable(),
    spread: Math.min(Math.max(Number(spread ?? SPREAD) || SPREAD, 0.05), 1),
    ring: /^\d+$/.test(ring ?? "") ? Number(ring) % MAX_RINGS : 0,
  };
}

const addressOf = ({ w, spec, spread, ring }) => ({
  w,
  ...spec.toQuery(),
  spread: spread === SPREAD ? "" : spread,
  ring: ring || "",
});
