// The Latent sliders tab: one picture and all that can be changed about it. Its state (state.js) is in the link, and every part
// of the tab shows it, or asks for another one here.

import { start } from "../core/boot.js";
import { whenLookChanges } from "../core/canvas.js";
import { setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { t } from "../core/text.js";
import { MAX_STEPS, RING } from "../engine/constants.js";
import { randomSeed } from "../engine/seed.js";
import { classChooser } from "../weights/class_chooser.js";
import { bindSeed } from "../weights/seed_box.js";
import { WeightsTab } from "../weights/weights_tab.js";
import { describe, startOf } from "./describe.js";
import { Directions } from "./directions/directions.js";
import { Faders } from "./faders.js";
import { Find } from "./find.js";
import { MadeOf } from "./made_of/made_of.js";
import { Neighbours } from "./neighbours.js";
import { Share } from "./share.js";
import { Stage } from "./stage.js";
import { addressOf, fitted, readAddress } from "./state.js";
import { ToPath } from "./to_path.js";
import { Undo } from "./undo.js";
import { WholePicture } from "./whole_picture.js";

const RESTING_MS = 500;

export function mount(root) {
  const tab = new LatentTab(root);
  start(() => tab.begin());
}

class LatentTab extends WeightsTab {
  constructor(root) {
    super("latent", root);
    this.movedAt = -Infinity;
    this.undo = new Undo();
    this.makeParts([...root.querySelectorAll('[data-gf="near"]')]);
    this.bind();
  }

  makeParts(near) {
    const { part } = this;
    const hooks = { state: () => this.state, about: () => this.about, move: (change) => this.move(change) };
    const refine = (change) => this.refine(change);
    const restore = (address) => this.restore(address);
    this.stage = new Stage(part, hooks);
    this.neighbours = new Neighbours(part, near, {
      ...hooks,
      turn: (ring) => this.go({ ring }),
      spread: (spread) => this.spread(spread),
      walk: (i, pictures) => this.walk(i, pictures),
    });
    this.directions = new Directions(part, { ...hooks, refine, restore, apply: (change) => this.apply(change) });
    this.wholePicture = new WholePicture(part, hooks);
    this.faders = new Faders(part, hooks);
    this.share = new Share(part, { ...hooks, choose: (id) => this.choose(id), restore });
    this.find = new Find(part, {
      ...hooks,
      found: (base, label) => this.showFound(base, label),
      bringBack: (file) => this.share.bringBack(file),
    });
    this.madeOf = new MadeOf(part, hooks);
    this.toPath = new ToPath();
  }

  // ---- which weights ----

  stateOf(address) {
    return readAddress(address);
  }

  address() {
    return addressOf(this.state);
  }

  fitted() {
    return { spec: fitted(this.spec, this.about) };
  }

  /** Show a picture that was handed on, as an address; what is looked for around it stays as it is. */
  restore(address) {
    this.remember(); // a change that has not come to rest yet
    return this.open({ ...address, spread: this.state.spread });
  }

  /** Controls for these weights. */
  build() {
    this.showAbout();
    this.showStart();
    this.neighbours.build();
    this.directions.build();
    this.find.build();
    this.wholePicture.build();
    this.faders.build();
    this.layout();
  }

  showAbout() {
    const { live, gone, step, about } = this.about;
    this.part("live").hidden = !live;
    if (gone) notify(t("latent.gone_hint"), "error");
    if (live) setText(this.part("live-text"), t("latent.learning", { step: whole(step) }));
    setText(this.part("about"), gone ? t("latent.gone_hint") : live ? t("latent.live_hint") : about || this.facts());
  }

  facts() {
    const { z_dim, size, step } = this.about;
    return t(step ? "latent.facts" : "latent.facts_short", { z_dim, size, step: whole(step) });
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
    const before = this.state;
    this.state = { ...before, spec: before.spec.with(change) };
    this.undo.refine(before, this.state);
    if (before.spec.equals(this.spec)) return;
    this.show();
    this.settle();
  }

  rest() {
    this.remember();
    this.write();
    this.part("back").disabled = !this.spec.walk.length;
    const from = startOf(this.spec, this.about);
    this.stage.describe(describe(this.spec, this.about, from, (key) => this.directions.named(key)));
    this.part("found").hidden = !from;
    setText(this.part("found-words"), from);
    this.neighbours.show();
    this.directions.showStrips();
    this.faders.read();
    this.madeOf.follow();
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

  /** Show a latent that was found, and nothing that had moved the old picture. */
  showFound(base, label) {
    this.apply(this.spec.unmoved().with({ base, sheet: null, label: label ?? this.spec.label }));
  }

  /** Change the spec from elsewhere than its own control: every control follows. */
  apply(change) {
    this.move(change);
    this.rebuild();
  }

  rebuild() {
    this.showStart();
    this.directions.follow();
    this.wholePicture.build();
  }

  showStart() {
    this.part("seed").value = this.spec.seed;
    classChooser(this.part("classes"), this.about, this.spec.label, (label) => this.move({ label }));
  }

  /** Go to neighbour i: one more step of the walk. Its picture is already here. */
  walk(i, pictures) {
    const { ring, spread } = this.state;
    if (this.spec.walk.length >= MAX_STEPS) {
      notify(t("latent.too_far", { most: MAX_STEPS }), "info");
      return;
    }
    if (pictures) this.stage.lend(pictures, i + 1);
    this.move({ walk: [...this.spec.walk, [ring * RING + i, spread]] });
  }

  spread(spread) {
    this.state = { ...this.state, spread };
    this.neighbours.show();
    this.settle();
  }

  // ---- there and back ----

  remember() {
    this.undo.remember(this.state);
    this.part("undo").disabled = !this.undo.canUndo;
    this.part("redo").disabled = !this.undo.canRedo;
  }

  /** There: a state of before; null where there is none. */
  travel(there) {
    if (there) this.go(there);
    if (there) this.rebuild();
    this.remember();
  }

  /** Ctrl+Z and Ctrl+Shift+Z (or Ctrl+Y), except where text is typed. */
  travelKey(event) {
    const typing = event.target.closest?.("input:not([type=range]), textarea, select, dialog");
    if (visibleTab() !== "latent" || typing || !(event.ctrlKey || event.metaKey)) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    const again = key === "y" || event.shiftKey;
    this.travel(again ? this.undo.redo(this.state) : this.undo.undo(this.state));
  }

  // ---- pictures ----

  get drawsHere() {
    return this.stage.drawsHere;
  }

  async show() {
    await this.stage.show();
  }

  async redraw() {
    this.directions.show();
    await this.show();
    await this.neighbours.show();
  }

  layout() {
    if (!this.about) return;
    this.stage.layout();
    this.neighbours.layout();
    this.directions.layout();
  }

  // ---- wiring ----

  bind() {
    const click = (name, fn) => this.part(name).addEventListener("click", fn);
    bindSeed(this.part("seed"), (seed) => this.startFrom(seed));
    click("surprise", () => this.surprise());
    click("reset", () => this.apply(this.spec.unmoved()));
    click("back", () => this.move({ walk: this.spec.walk.slice(0, -1) }));
    click("undo", () => this.travel(this.undo.undo(this.state)));
    click("redo", () => this.travel(this.undo.redo(this.state)));
    click("found-leave", () => this.apply({ base: null, sheet: null }));
    click("send", () => this.toPath.add(this.state));
    document.addEventListener("keydown", (event) => this.travelKey(event));
    new ResizeObserver(() => this.layout()).observe(this.part("ring"));
    window.addEventListener("resize", () => this.layout());
    whenLookChanges(() => this.layout());
  }
}
