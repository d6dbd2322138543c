// The row that shows the pictures of a path, and what can be changed about the chosen one.

import { openTab } from "../core/address.js";
import { fitPicture, putPicture, whenLookChanges } from "../core/canvas.js";
import { markChosen, radioGroup } from "../core/controls/radio_group.js";
import { h, setText } from "../core/dom.js";
import { notify } from "../core/notice.js";
import { t } from "../core/text.js";
import { drawPathHere } from "../engine/draw_here.js";
import { keyframesQuery, MOST_KEYFRAMES, nameOf } from "../engine/keyframes.js";
import { LatentSpec } from "../engine/latent_spec.js";
import { randomSeed } from "../engine/seed.js";
import { classChooser } from "../weights/class_chooser.js";
import { fetchPixels } from "../weights/pixels.js";
import { bindSeed } from "../weights/seed_box.js";

const THUMB = 84; // CSS pixels

/** A keyframe in a few words: its class, if it has one, and where its noise comes from. */
export function whatIs(keyframe, { class_names: names }) {
  const { seed, label } = keyframe;
  const noise = hasOwnNoise(keyframe) ? t("interpolation.own_noise") : t("interpolation.of_seed", { seed });
  return label === undefined ? noise : t("interpolation.of_class", { class: names[label], noise });
}

const hasOwnNoise = ({ base, sheet }) => Boolean(base || sheet);

/** The row and the editor. */
export class Keyframes {
  /** hooks: {state(), about(), move(change): change the state and draw}. */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.chosen = 0;
    this.buttons = [];
    // Where the pictures have no column of their own (css/interpolation.css), the editor opens when a picture is touched.
    part("keyframe").open = getComputedStyle(part("view")).gridTemplateColumns.split(" ").length > 1;
    this.bind();
  }

  get all() {
    return this.hooks.state().keyframes;
  }

  /** Controls for what there is now. */
  build() {
    const { all, part } = this;
    const { classes } = this.hooks.about();
    this.chosen = Math.min(this.chosen, all.length - 1);
    if (this.buttons.length !== all.length) {
      this.buttons = all.map((_, i) => this.button(i));
      part("keyframes").replaceChildren(...this.buttons);
    }
    for (const [i, button] of this.buttons.entries()) button.setAttribute("aria-label", this.description(i));
    markChosen(part("keyframes"), "i", String(this.chosen));
    part("add").hidden = all.length >= MOST_KEYFRAMES;
    part("morph").hidden = !classes;
    const some = { count: Math.min(classes, MOST_KEYFRAMES) };
    setText(part("morph"), t(classes > MOST_KEYFRAMES ? "interpolation.morph_some" : "interpolation.morph", some));
    this.edit();
  }

  description(i) {
    return t("interpolation.keyframe_of", { name: nameOf(i), what: whatIs(this.all[i], this.hooks.about()) });
  }

  button(i) {
    const drag = {
      draggable: true,
      ondragstart: (event) => event.dataTransfer.setData("text/x-keyframe", i),
      ondragover: (event) => event.preventDefault(),
      ondrop: (event) => this.drop(event, i),
    };
    const canvas = h("canvas", { class: "gf-canvas", "aria-hidden": "true" });
    const name = h("span", { "aria-hidden": "true" }, nameOf(i));
    const props = { type: "button", class: "gf-keyframe-button", role: "radio", dataset: { i } };
    return h("button", { ...props, ...drag }, canvas, name);
  }

  /** What can be changed about the chosen one. */
  edit() {
    const { part, all, chosen } = this;
    const { seed, label } = all[chosen];
    setText(part("name"), t("interpolation.keyframe", { name: nameOf(chosen) }));
    part("seed").value = seed;
    part("seed").setAttribute("aria-invalid", "false");
    this.showEdited();
    classChooser(part("classes"), this.hooks.about(), label, (other) => this.change({ label: other }), true);
    part("earlier").disabled = chosen === 0;
    part("later").disabled = chosen === all.length - 1;
    part("remove").disabled = all.length <= 2;
  }

  showEdited() {
    const keyframe = this.all[this.chosen];
    this.part("edited").hidden = !keyframe.edited;
    setText(this.part("edited-words"), t(hasOwnNoise(keyframe) ? "interpolation.own_noise_note" : "interpolation.edited"));
  }

  /** The small pictures: those of a path without anything between. */
  async draw() {
    const { w } = this.hooks.state();
    const way = { mode: "lerp", frames: 2 };
    const query = { w, ...keyframesQuery(this.all), ...way };
    const film = (await drawPathHere(w, this.all, way)) ?? (await fetchPixels("path", query, "keyframes"));
    this.buttons.slice(0, film.count).forEach((button, i) => putPicture(button.firstElementChild, film, i));
    this.size = film.size;
    this.layout();
  }

  layout() {
    if (!this.size) return;
    for (const button of this.buttons)
      fitPicture(button.firstElementChild, this.size, Math.min(THUMB, button.clientWidth || THUMB));
  }

  // ---- changing them ----

  choose(i) {
    this.chosen = i;
    this.part("keyframe").open = true;
    this.build();
  }

  /** A new seed leaves the edits behind: they belonged to the old picture. */
  change(change) {
    const old = this.all[this.chosen];
    const keyframe = "seed" in change ? new LatentSpec({ label: old.label, ...change }) : old.with(change);
    this.replace(this.all.with(this.chosen, keyframe));
    this.buttons[this.chosen].setAttribute("aria-label", this.description(this.chosen));
    this.showEdited();
  }

  surprise() {
    this.change({ seed: randomSeed() });
    this.edit();
  }

  add(keyframe = this.another()) {
    if (this.all.length >= MOST_KEYFRAMES) {
      notify(t("interpolation.full", { most: MOST_KEYFRAMES }));
      return;
    }
    this.chosen = this.all.length;
    this.rebuild([...this.all, keyframe]);
  }

  /** A new picture, of a class that the last one is not. */
  another() {
    const { classes } = this.hooks.about();
    const seed = randomSeed();
    const other = (last) => (last + 1 + (seed % Math.max(1, classes - 1))) % classes;
    return new LatentSpec({ seed, label: classes ? other(this.all.at(-1).label) : undefined });
  }

  remove() {
    this.rebuild(this.all.toSpliced(this.chosen, 1));
    this.buttons[this.chosen].focus();
  }

  moveTo(from, to) {
    const keyframe = this.all[from];
    this.chosen = to;
    this.rebuild(this.all.toSpliced(from, 1).toSpliced(to, 0, keyframe));
  }

  shuffle() {
    const order = this.all.map((keyframe) => [Math.random(), keyframe]).sort(([a], [b]) => a - b);
    this.rebuild(order.map(([, keyframe]) => keyframe));
  }

  /** One noise, with each class in turn as its condition. */
  morph() {
    const keyframe = this.all[this.chosen];
    const classes = Math.min(this.hooks.about().classes, MOST_KEYFRAMES);
    this.chosen = 0;
    this.rebuild(
      Array.from({ length: classes }, (_, label) => keyframe.with({ mix: null, label })),
      { loop: true },
    );
  }

  replace(keyframes, change = {}) {
    this.hooks.move({ keyframes, ...change });
  }

  rebuild(keyframes, change) {
    this.replace(keyframes, change);
    this.build();
  }

  // ---- wiring ----

  bind() {
    const { part } = this;
    const click = (name, fn) => part(name).addEventListener("click", fn);
    new ResizeObserver(() => this.layout()).observe(this.part("keyframes").parentElement);
    whenLookChanges(() => this.layout());
    radioGroup(part("keyframes"), "i", (i) => this.choose(Number(i)));
    bindSeed(part("seed"), (seed) => this.change({ seed }));
    click("surprise", () => this.surprise());
    click("clear", () => this.change({ seed: this.all[this.chosen].seed }));
    click("add", () => this.add());
    click("remove", () => this.remove());
    click("earlier", () => this.moveTo(this.chosen, this.chosen - 1));
    click("later", () => this.moveTo(this.chosen, this.chosen + 1));
    click("shuffle", () => this.shuffle());
    click("morph", () => this.morph());
    click("to-sliders", () => openTab("latent", { w: this.hooks.state().w, ...this.all[this.chosen].toQuery() }));
  }

  drop(event, to) {
    event.preventDefault();
    const from = event.dataTransfer.getData("text/x-keyframe");
    if (from !== "" && this.all[from] && Number(from) !== to) this.moveTo(Number(from), to);
  }
}
