// Which pictures a run learns from: the recipe's own, until the person has chosen others.

import { h, setText, t, whole } from "./common.js";
import { OwnPictures } from "./own_pictures.js";
import { read, write } from "./storage.js";

const OWN = "own"; // the entry that opens the form for a person's own pictures

export class DatasetChoice {
  /** datasets: as the server lists them, the usual one first. changed(): the person has chosen. */
  constructor(part, datasets, changed) {
    Object.assign(this, { part, changed, recipe: null, chosen: false });
    this.known = new Map(datasets.map((dataset) => [dataset.name, dataset]));
    this.usual = datasets[0].name;
    const ready = (answer) => this.prepared(answer);
    this.pictures = new OwnPictures(part, { wanted: () => this.choose(OWN), ready, changed: () => this.showWhy() });
    const options = datasets.map(({ name, title, downloads }) =>
      option(name, downloads ? `${title} (${t("train.downloads")})` : title),
    );
    part("dataset").replaceChildren(...options, option(OWN, t("train.own_pictures")));
    part("dataset").addEventListener("change", ({ target }) => this.choose(target.value));
    part("shown").addEventListener("change", ({ target }) => write("shown", { others: target.checked }));
  }

  /** The data set's name, or "" while there are no pictures yet. */
  get name() {
    const { value } = this.part("dataset");
    return value === OWN ? "" : value;
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
    const there = this.has(name) || /^own-\w+$/.test(name);
    if (there && !this.has(name)) this.add(name, t("train.own_title_plain"));
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
  }

  /** Own pictures are chosen as soon as they are there, unless the person has chosen something else meanwhile. */
  prepared({ dataset, count, message, channels }) {
    this.known.set(dataset, { about: message ?? "", channels });
    this.add(dataset, t("train.own_title", { count: whole(count) }));
    if (this.part("dataset").value === OWN) this.choose(dataset);
  }

  has(name) {
    return [...this.part("dataset").options].some(({ value }) => value === name);
  }

  add(name, title) {
    if (!this.has(name)) this.part("dataset").lastElementChild.before(option(name, title));
  }

  // ---- in words ----

  get madeFor() {
    return this.known.get(this.recipe.config.dataset);
  }

  show() {
    const { value } = this.part("dataset");
    const own = this.part("own");
    own.hidden = value !== OWN;
    if (value === OWN) own.scrollIntoView({ block: "nearest" });
    setText(this.part("dataset-about"), this.known.get(value)?.about ?? "");
    this.showWhy();
    this.showShown(value === OWN || value.startsWith("own-"));
  }

  /** May others watch? As it was chosen last; own pictures are never shown. */
  showShown(own) {
    this.part("shown").disabled = own;
    this.part("shown").checked = !own && (read("shown").others ?? true);
    this.part("shown-box").title = t(own ? "train.shown_never" : "train.shown_hint");
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
    if (!this.chosen) return recipe.config.dataset === this.usual ? "" : t("train.dataset_of_recipe", { dataset: madeFor.title });
    const channels = name ? this.known.get(name)?.channels : this.pictures.channels;
    return channels < madeFor.channels ? t("train.dataset_grey", { recipe: recipe.title, dataset: madeFor.title }) : "";
  }
}

const option = (value, words) => h("option", { value }, words);
