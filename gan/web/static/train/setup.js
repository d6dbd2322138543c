// The form of the Train tab: a recipe, what is changed about it, and the pictures to learn from. It becomes an order for a run,
// or an address.

import { setText } from "../core/dom.js";
import { notify } from "../core/notice.js";
import { t } from "../core/text.js";
import { DatasetChoice } from "./dataset_choice.js";
import { Knobs } from "./knobs.js";
import { isPhone } from "./phone_bar.js";
import { RecipeList } from "./recipes.js";
import { StartChoice } from "./start_choice.js";

const KNOB_PREFIX = "k."; // of a setting in an address
const AUGMENTED = "1"; // as far as the paper goes
const MOST_LETTERS = 60; // of an unknown name that is repeated

export class Setup {
  /** data: boot's answer. changed(): a person has changed something. watch(): the recipe's recording is wanted. */
  constructor(part, data, { changed, watch }) {
    this.part = part;
    this.recipes = data.recipes;
    this.changed = changed;
    this.recipe = data.recipes[0];
    this.datasets = new DatasetChoice(part, data, {
      changed: () => {
        this.fitTold();
        this.fitFew();
        this.touched();
      },
      say: (sentence) => this.showError(sentence),
    });
    const hooks = { choose: (recipe) => this.pick(recipe), watch };
    this.list = new RecipeList(part("recipes"), data.recipes, data.recorded, hooks);
    this.knobs = new Knobs(part, data, () => this.touched());
    this.starts = new StartChoice(part, data.starts, () => {
      this.datasets.fit(this.recipe);
      this.fitStart();
      this.touched();
    });
    part("reset").addEventListener("click", () => this.reset());
    part("knobs-more").addEventListener("input", ({ target }) => {
      if (target.closest('[data-knob="augment"]')) this.augmentation = "mine";
    });
  }

  // ---- a person's changes ----

  touched() {
    this.showChanged();
    this.showError("");
    this.changed();
  }

  /** Another recipe; the seed stays. */
  pick(recipe) {
    const seed = this.knobs.get("seed");
    this.choose(recipe);
    this.knobs.set("seed", seed);
    this.fitFew();
    this.touched();
  }

  /** Few pictures are augmented, unless a person has said how much; what is said of them says so. */
  fitFew() {
    if (this.augmentation === "mine") return;
    const { few } = this.datasets;
    if (few !== (this.augmentation === "fitted")) this.knobs.set("augment", few ? AUGMENTED : this.config.augment);
    this.augmentation = few ? "fitted" : "usual";
  }

  reset() {
    this.choose(this.recipe);
    this.fitFew();
    this.touched();
  }

  choose(recipe) {
    this.recipe = recipe;
    this.list.choose(recipe);
    this.datasets.fit(recipe);
    this.filled = this.config;
    this.knobs.fill(this.filled);
    this.augmentation = "usual"; // or "fitted" to few pictures, or "mine": a person's, or a link's
    this.fitStart();
  }

  /** Own pictures are prepared as those that the weights know. */
  fitStart() {
    const form = this.starts?.form;
    if (form) this.datasets.pictures.fit(form);
  }

  showChanged() {
    const names = Object.keys(this.changes);
    this.knobs.showChanged(names);
    this.part("reset").hidden = !names.length;
  }

  get changes() {
    return this.knobs.changes(this.filled);
  }

  /** The recipe's settings for the chosen pictures. */
  get config() {
    return this.configFor(this.recipe, this.datasets.name);
  }

  /** Where the recipe tells attributes, pictures that have none are sorted into groups. */
  configFor({ config, groups }, dataset) {
    return groups && !this.datasets.known.get(dataset)?.told ? { ...config, ...groups } : config;
  }

  /** Other pictures, which may have no attributes: what a person has changed stays. */
  fitTold() {
    const { changes, config } = this;
    this.filled = config;
    this.knobs.fill(config);
    for (const [name, value] of Object.entries(changes)) this.knobs.set(name, value);
  }

  // ---- the address ----

  /** Settings from an address {recipe, dataset, k.NAME, ...}; what is not there is as the recipe has it. */
  fill(state) {
    const recipe = this.named(state.recipe);
    if (state.recipe && !recipe) this.unknown("recipe", state.recipe);
    this.starts.choose(state.start ?? "");
    this.choose(recipe ?? this.recipe);
    if (state.dataset && !this.datasets.open(state.dataset)) this.unknown("dataset", state.dataset);
    this.fitTold();
    for (const [key, value] of Object.entries(state))
      if (key.startsWith(KNOB_PREFIX)) this.knobs.set(key.slice(KNOB_PREFIX.length), value);
    this.augmentation = this.augmentationOf(state);
    this.showChanged();
  }

  /** Whose the augmentation of an address is: what few pictures have by themselves is nobody's. */
  augmentationOf(state) {
    const said = state[`${KNOB_PREFIX}augment`];
    if (this.datasets.few) return said === AUGMENTED ? "fitted" : "mine";
    return said === undefined ? "usual" : "mine";
  }

  named(name) {
    return this.recipes.find((recipe) => recipe.name === name);
  }

  unknown(what, name) {
    this.showError(t(`train.unknown_${what}`, { name: name.slice(0, MOST_LETTERS) }));
  }

  /** The inverse; a run's id, which is like a key to it, stays out of the address. */
  address() {
    const knobs = Object.entries(this.changes).map(([name, value]) => [KNOB_PREFIX + name, value]);
    const dataset = this.datasets.chosen ? this.datasets.name : "";
    return { recipe: this.recipe.name, dataset, start: this.starts.form?.name ?? "", ...Object.fromEntries(knobs) };
  }

  // ---- an order ----

  /** What the server needs to make a run; null, and a sentence, while there are no pictures yet. */
  order() {
    const notYet = this.datasets.notYet();
    if (!notYet) {
      const { recipe, changes, datasets, starts } = this;
      const shown = this.part("shown").checked;
      return { recipe: recipe.name, dataset: datasets.name, start: starts.name, changes, shown };
    }
    this.part("own").scrollIntoView({ block: "nearest" });
    this.showError(notYet);
    return null;
  }

  /** The settings of a run that there is, as an order for another one. */
  orderLike({ config, shown }) {
    const recipe = this.named(config.recipe) ?? this.recipe;
    const usual = this.configFor(recipe, config.dataset);
    const changes = this.knobs.between(config, usual);
    if (config.model !== usual.model) changes.model = config.model; // a recipe may have had other networks then
    if (config.attributes !== usual.attributes) changes.clusters = String(config.clusters); // groups, or none: no attributes
    return { recipe: recipe.name, dataset: config.dataset, changes, shown };
  }

  /** The server's sentence names the setting in brackets: its field is marked. */
  showError(sentence) {
    const note = this.part("setup-error");
    note.hidden = !sentence;
    setText(note, sentence);
    if (sentence && isPhone()) notify(sentence, "error");
    this.knobs.mark(/\((\w+)\)/.exec(sentence)?.[1]);
  }
}
