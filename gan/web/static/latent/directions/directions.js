// The sliders of directions: which ones there are (catalog.js), which are shown, and the strips of pictures under them. A
// direction that is not one of the first layer's is a vector (Vector); it travels in the address with its amount.

import { takeChosen } from "../../core/files/chosen.js";
import { saveFile } from "../../core/files/downloads.js";
import { notify } from "../../core/notice.js";
import { queryOf } from "../../core/query.js";
import { newestWins } from "../../core/schedule.js";
import { api, getJSON, jsonOf, url } from "../../core/server.js";
import { t } from "../../core/text.js";
import { isNumber, LatentSpec } from "../../engine/latent_spec.js";
import { amountOf, isSet, moved } from "./amounts.js";
import { Attributes } from "./attributes.js";
import { Catalog, MOST_SHOWN, OF_VALUES, withVector } from "./catalog.js";
import { Chips } from "./chips.js";
import { fetchFitted, pictureBefore, placed, refitted } from "./fitting.js";
import { DirectionSlider } from "./slider.js";
import { stripsOf } from "./strips.js";
import { Teaching } from "./teaching.js";
import { Voice } from "./voice.js";

export class Directions {
  /**
   * hooks: {state(), about(), move(change): change parts of the spec, refine(change): change them without a step to undo,
   * apply(change): change them, and every control follows, restore(address): show another picture}.
   */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.catalog = new Catalog(hooks.about);
    this.sliders = []; // those that are shown
    this.made = new Map(); // one for every key that was ever shown of these weights
    this.load = newestWins((id) => this.fetchCatalog(id));
    this.showStrips = newestWins(() => this.drawStrips());
    this.showFitted = newestWins(() => this.fit());
    this.chips = new Chips(part, {
      toggle: (key) => this.toggleShown(key),
      forget: (key) => this.forget(key),
      aboutKind: (kind) => this.catalog.aboutKind(kind),
    });
    this.attributes = new Attributes(part, {
      ...hooks,
      isReady: (key) => this.catalog.isReady(key),
      pushOf: (key) => this.catalog.pushOf(key),
      move: hooks.apply,
    });
    this.teaching = new Teaching(part, {
      state: hooks.state,
      about: hooks.about,
      stamp: () => this.catalog.stamp,
      save: (entry) => this.save([entry]),
      unnamed: () => this.catalog.own().length + 1,
      restore: hooks.restore,
    });
    this.voice = new Voice(part, {
      sliders: () => this.sliders.filter(({ key }) => this.catalog.isReady(key)),
      preferred: () => hooks.about().open_mouth,
      amount: (key) => amountOf(this.spec, key),
      turn: (key, amount) => this.turn(key, amount),
    });
    this.bind();
  }

  get spec() {
    return this.hooks.state().spec;
  }

  // ---- what there is ----

  /** Sliders for these weights; those that must be looked for first are there at once, and move when they are found. */
  build() {
    if (!this.catalog.begin()) this.made = new Map();
    this.addFromSpec();
    this.catalog.readShown();
    this.attributes.build();
    this.rebuild();
    if (!this.catalog.stamp) this.load(this.catalog.weights);
  }

  /** The spec was changed elsewhere. */
  follow() {
    this.addFromSpec();
    this.rebuild();
  }

  addFromSpec() {
    const pushes = placed(this.hooks.state());
    if (pushes) this.hooks.refine({ pushes });
    this.catalog.addPushes(this.spec.pushes);
  }

  async fetchCatalog(id) {
    const { stamp, directions } = await getJSON(`weights/${encodeURIComponent(id)}/directions`);
    if (id !== this.catalog.weights) return;
    this.catalog.take(stamp, directions);
    this.rebuild();
    this.showStrips();
  }

  /** Sliders and chips in the order of the kinds. */
  rebuild() {
    const entries = this.catalog.sorted();
    this.sliders = entries.filter(({ key }) => this.isShown(key)).map((entry) => this.sliderOf(entry));
    const elements = this.sliders.map((slider) => slider.element);
    const box = this.part("directions");
    const same = elements.length === box.children.length && elements.every((element, i) => element === box.children[i]);
    if (!same) box.replaceChildren(...elements); // a slider that is being dragged must stay where it is
    this.part("directions-box").hidden = !entries.length;
    this.part("export").disabled = !this.catalog.own().length;
    this.chips.show(
      entries.map(({ key, kind }) => ({
        ...{ key, kind, name: this.catalog.nameOf(key), pressed: this.isShown(key) },
        ...(OF_VALUES.includes(kind) ? this.catalog.valueOf(key) : {}),
      })),
    );
    this.attributes.offer();
    this.show();
    this.voice.fill();
  }

  isShown(key) {
    return this.catalog.shown.has(key) || isSet(this.spec, key);
  }

  /** The name of a direction by its key. */
  named(key) {
    return this.catalog.nameOf(key);
  }

  // ---- sliders ----

  sliderOf({ key, kind }) {
    if (!this.made.has(key)) {
      const title = this.catalog.aboutKind(this.catalog.isFitted(key) ? "fitted" : kind);
      const hooks = { push: (amount) => this.push(key, amount), lock: () => this.toggleLock(key) };
      this.made.set(key, new DirectionSlider({ key, name: this.catalog.nameOf(key), title }, hooks));
    }
    return this.made.get(key);
  }

  /** Sliders as the state says. */
  show() {
    this.attributes.show();
    const { directions } = this.hooks.about();
    for (const slider of this.sliders) {
      const { key } = slider;
      const share = isNumber(key) ? directions[Number(key)].share : undefined;
      const [ready, locked] = [this.catalog.isReady(key), this.spec.locked.has(key)];
      slider.show({ amount: amountOf(this.spec, key), ready, locked, share });
    }
  }

  /** Not by hand: no step of its own to undo. */
  turn(key, amount) {
    if (!this.catalog.isReady(key)) return;
    this.hooks.refine(moved(this.spec, key, amount, this.catalog.pushOf(key)));
    this.show();
  }

  push(key, amount) {
    if (!this.catalog.isReady(key)) return;
    this.hooks.move(moved(this.spec, key, amount, this.catalog.pushOf(key)));
    this.show();
  }

  toggleLock(key) {
    const locked = new Set(this.spec.locked);
    if (!locked.delete(key)) locked.add(key);
    this.hooks.move(moved(this.spec, key, amountOf(this.spec, key), this.catalog.pushOf(key), locked));
    this.show();
  }

  // ---- strips ----

  /** Fetch what is fitted to the picture on the stage; its strips are drawn again. */
  async fit() {
    const { catalog } = this;
    const wanted = this.sliders.some(({ key }) => catalog.isFitted(key));
    if (!wanted || !catalog.stamp || this.hooks.about().gone) return;
    const fitted = await fetchFitted(catalog, this.hooks.state());
    if (fitted?.at !== pictureBefore(this.hooks.state())) return; // the hand has moved on, and will rest again
    catalog.fittedTo = fitted.at;
    for (const entry of fitted.directions) catalog.add({ ...entry, at: fitted.at });
    this.hooks.refine({ pushes: refitted(this.spec, fitted) });
    this.showStrips();
  }

  async drawStrips() {
    this.attributes.show();
    this.showFitted(); // the strips do not wait for it, and are drawn again
    const { w } = this.hooks.state();
    const keys = this.sliders.map(({ key }) => key).filter((key) => this.catalog.isReady(key));
    const shown = keys.slice(0, MOST_SHOWN);
    if (!shown.length || this.catalog.weights !== w) return;
    this.strips = { drawn: await stripsOf(w, this.specWith(shown), shown), keys: shown };
    this.layout();
  }

  /** The spec with every shown direction in it. */
  specWith(keys) {
    const pushes = new Map(this.spec.pushes);
    for (const key of keys) if (!isNumber(key) && !pushes.has(key)) pushes.set(key, this.catalog.pushOf(key));
    return this.spec.with({ pushes });
  }

  /** Draw the strips again, as wide as there is room. */
  layout() {
    if (!this.strips) return;
    const { drawn, keys } = this.strips;
    for (const slider of this.sliders) if (keys.includes(slider.key)) slider.draw(drawn, keys.indexOf(slider.key));
  }

  // ---- which are shown, and one's own ----

  toggleShown(key) {
    if (this.isShown(key)) this.hide(key);
    else if (this.sliders.length >= MOST_SHOWN) notify(t("latent.most_sliders", { most: MOST_SHOWN }), "info");
    else this.catalog.shown.add(key);
    this.catalog.keepShown();
    this.rebuild();
    this.showStrips();
  }

  hide(key) {
    this.catalog.shown.delete(key);
    if (!isSet(this.spec, key)) return;
    const locked = new Set(this.spec.locked);
    locked.delete(key);
    this.hooks.move(moved(this.spec, key, 0, this.catalog.pushOf(key), locked));
  }

  save(entries) {
    this.catalog.save(entries);
    this.rebuild();
    this.showStrips();
  }

  forget(key) {
    this.hide(key);
    this.catalog.forget(key);
    this.made.delete(key);
    this.rebuild();
  }

  /** Directions from a file, which the server checks. */
  async open(file) {
    try {
      const options = { method: "POST", body: file, headers: { "Content-Type": "application/json" } };
      const response = await api(`weights/${encodeURIComponent(this.catalog.weights)}/directions`, options);
      const { directions } = await jsonOf(response);
      this.save(directions.map(withVector));
    } catch (error) {
      notify(error.message, "error");
    }
  }

  saveOwn(event) {
    const own = new Map(this.catalog.own().map(({ key, ...entry }) => [key, { ...entry, amount: 1 }]));
    const { u } = new LatentSpec({ pushes: own }).toQuery();
    const { weights: w, stamp } = this.catalog;
    event.currentTarget.href = url(`directions.json?${queryOf({ w, stamp, u })}`);
    saveFile(event);
  }

  bind() {
    this.part("teach").addEventListener("click", () => this.teaching.open());
    this.part("export").addEventListener("click", (event) => this.saveOwn(event));
    takeChosen(this.part("import"), ([file]) => this.open(file));
  }
}
