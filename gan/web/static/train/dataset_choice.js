// Which pictures a run learns from: the recipe's own, until the person has chosen others.

import { h, setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { keptSets, namesOf, shownOf } from "../core/own_sets.js";
import { read, write } from "../core/storage.js";
import { t } from "../core/text.js";
import { OwnPictures } from "./own_pictures.js";

const OWN = "own"; // the entry that opens the form for a person's own pictures
const MOST_TITLE = 18; // letters: more are cut in the menu
const FEW = 500; // pictures, which networks soon know by heart: weights/README.md says what was measured

export class DatasetChoice {
  /** datasets, recipes, pictures: as the server lists them. changed(): the person has chosen. say(sentence): an error. */
  constructor(part, { datasets, recipes, pictures }, { changed, say }) {
    this.part = part;
    this.changed = changed;
    this.say = say;
    this.recipe = null;
    this.chosen = false;
    this.known = new Map(datasets.map((dataset) => [dataset.name, dataset]));
    this.usual = recipes[0].config.dataset; // what the page opens with needs no reason
    this.pictures = new OwnPictures(part, pictures, {
      wanted: () => this.choose(OWN),
      changed: () => this.showWhy(),
      ready: (set, before) => this.prepared(set, before),
      gone: (set, sentence) => this.gone(set, sentence),
    });
    const options = datasets.map(({ name, title, downloads }) =>
      option(name, downloads ? `${title} (${t("train.downloads")})` : title),
    );
    part("dataset").replaceChildren(...options, option(OWN, t("train.own_pictures")));
    for (const set of keptSets()) this.add(set);
    part("dataset").addEventListener("change", ({ target }) => this.choose(target.value));
    part("shown").addEventListener("change", ({ target }) => {
      if (!this.learnsFromOwn) write("shown", { others: target.checked });
    });
  }

  /** The data set's name, or "" while there are no pictures yet. */
  get name() {
    const { value } = this.part("dataset");
    return value === OWN ? "" : value;
  }

  get learnsFromOwn() {
    const { value } = this.part("dataset");
    return value === OWN || isOwn(value);
  }

  /** Whether these are own pictures that are soon known by heart, and the recipe is no program of others. */
  get few() {
    return this.recipe.group === "start" && this.known.get(this.name)?.count <= FEW;
  }

  /** Why a run cannot begin yet, in words; "" when it can. */
  notYet() {
    return this.part("own").hidden ? "" : this.pictures.notYet();
  }

  /** A recipe brings the pictures that it is made for, unless the person has chosen some. */
  fit(recipe) {
    this.recipe = recipe;
    this.pictures.fit(this.madeFor);
    if (!this.chosen) this.part("dataset").value = recipe.config.dataset;
    this.show();
  }

  /** What a link names; false when there is no such data set. */
  open(name) {
    const there = this.known.has(name) || /^own-\w+$/.test(name);
    if (there && !this.known.has(name)) this.place(name, t("train.own_title_plain"));
    if (there) this.take(name);
    return there;
  }

  /** The person's own choice. */
  choose(name) {
    this.take(name);
    this.changed();
  }

  take(name) {
    this.chosen = true;
    this.part("dataset").value = name;
    this.show();
    if (isOwn(name)) this.check(name);
  }

  // ---- own pictures ----

  /** A set is chosen as soon as it is there, unless the person has chosen something else meanwhile. */
  prepared(set, before) {
    const { value } = this.part("dataset");
    const chosen = before ? namesOf(before).includes(value) : value === OWN;
    if (before) this.drop(before);
    else for (const { set: other } of this.known.values()) if (other) other.upload = ""; // the server keeps one for each visitor
    this.add(set);
    if (chosen) this.choose(shownOf(set).dataset);
  }

  /** The server may have deleted it, or may know a set that only its name was known of. */
  async check(name) {
    const set = await this.pictures.ask(name);
    if (!set || this.known.get(name)?.set) return;
    this.add(set);
    if (this.name === name) this.show();
  }

  /** Pictures that came with a run. */
  async adopt(name, token) {
    this.add(await this.pictures.adopt(name, token));
  }

  gone(set, sentence) {
    const chosen = namesOf(set).includes(this.name);
    this.drop(set);
    if (!chosen) return;
    this.chosen = false;
    this.fit(this.recipe);
    this.changed();
    this.say(sentence);
  }

  add(set) {
    const { dataset, title, count, message, channels, classes } = shownOf(set);
    this.known.set(dataset, { about: message, channels, class_names: classes.map(([name]) => name), count, set });
    this.place(dataset, this.unlike(dataset, t("train.own_title", { title: shortened(title), count: whole(count) })));
  }

  /** Sets that would be called the same are numbered. */
  unlike(name, words) {
    const taken = [...this.part("dataset").options].filter(({ value }) => value !== name).map((entry) => entry.textContent);
    let [number, unlike] = [1, words];
    while (taken.includes(unlike)) unlike = t("train.own_title_again", { title: words, number: ++number });
    return unlike;
  }

  /** An entry of the menu, before the one for new pictures. */
  place(name, words) {
    const entry = this.entry(name) ?? option(name, "");
    setText(entry, words);
    if (!entry.isConnected) this.part("dataset").lastElementChild.before(entry);
  }

  drop(set) {
    for (const name of namesOf(set)) {
      this.known.delete(name);
      this.entry(name)?.remove();
    }
  }

  entry(name) {
    return [...this.part("dataset").options].find(({ value }) => value === name);
  }

  // ---- in words ----

  get madeFor() {
    return this.known.get(this.recipe.config.dataset);
  }

  show() {
    const { value } = this.part("dataset");
    const own = this.part("own");
    const { about = "", licence, set } = this.known.get(value) ?? {};
    const hidden = value !== OWN && !set;
    if (!hidden) this.pictures.show(set);
    own.hidden = hidden;
    if (value === OWN) own.scrollIntoView({ block: "nearest" });
    setText(this.part("dataset-about"), licence ? t("train.dataset_about", { about, licence }) : about);
    this.showWhy();
    this.showShown();
  }

  /** May others watch? As it was chosen last; own pictures only where somebody says so for this run. */
  showShown() {
    const own = this.learnsFromOwn;
    this.part("shown").checked = !own && (read("shown").others ?? true);
    this.part("shown-box").title = t(own ? "train.shown_own" : "train.shown_hint");
  }

  showWhy() {
    const words = this.whyThese();
    const note = this.part("dataset-why");
    note.hidden = !words;
    note.dataset.kind = this.chosen ? "accent" : "";
    setText(note, words);
  }

  /** The recipe brought these pictures, or they do not fit it. */
  whyThese() {
    const { recipe, madeFor, name } = this;
    if (!this.chosen)
      return recipe.config.dataset === this.usual ? "" : t("train.dataset_of_recipe", { dataset: madeFor.title });
    const known = this.known.get(name) ?? (name ? {} : this.pictures.form);
    if (recipe.config.classes && known.class_names?.length === 0)
      return t("train.dataset_no_classes", { recipe: recipe.title });
    if (known.channels < madeFor.channels) return t("train.dataset_grey", { recipe: recipe.title, dataset: madeFor.title });
    return this.few ? t("train.dataset_few", { count: known.count }) : "";
  }
}

const isOwn = (name) => name.startsWith("own-");

const shortened = (title) => (title.length > MOST_TITLE ? `${title.slice(0, MOST_TITLE - 1).trim()}…` : title);

const option = (value, words) => h("option", { value }, words);
