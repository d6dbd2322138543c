// The list of recipes: cards in groups, of which one is chosen.

import { h } from "../core/dom.js";
import { t } from "../core/text.js";

const GROUPS = ["start", "famous", "reference", "gallery"];

/** The cards in a box, and beside the chosen one a button to watch its recording, where one is shipped. */
export class RecipeList {
  /**
   * recorded: {recipe: id of its recording}. hooks: {choose(recipe), watch(): show the recording of the chosen recipe}.
   */
  constructor(box, recipes, recorded, { choose, watch }) {
    this.recorded = recorded;
    this.cards = new Map(recipes.map((recipe) => [recipe.name, card(recipe, () => choose(recipe))]));
    box.replaceChildren(...GROUPS.flatMap((name) => group(name, recipes, this.cards)));
    const look = "gf-btn gf-btn-mini gf-recipe-watch";
    const onclick = () => {
      watch();
      this.cards.get(this.chosen).querySelector("input").focus({ preventScroll: true }); // the button goes
    };
    const button = { type: "button", class: look, dataset: { gf: "watch-recording" }, onclick };
    this.button = h("button", button, t("train.watch_recording"));
  }

  choose({ name }) {
    const card = this.cards.get(name);
    card.querySelector("input").checked = true;
    if (card.closest("details")) card.closest("details").open = true;
    if (card.nextSibling !== this.button) card.after(this.button);
    this.chosen = name;
    this.showButton();
  }

  /** This run is on the screen. */
  watching(runId) {
    this.watched = runId;
    this.showButton();
  }

  showButton() {
    const recording = this.recorded[this.chosen];
    this.button.hidden = !recording || recording === this.watched;
  }
}

/** The first group lies open, every other one behind its title. */
function group(name, recipes, cards) {
  const title = t(`train.group_${name}`);
  const inside = recipes.filter((recipe) => recipe.group === name).map((recipe) => cards.get(recipe.name));
  const list = h("fieldset", { class: "gf-recipes", "aria-label": title }, inside);
  if (name === GROUPS[0]) return [h("div", { class: "gf-section-title" }, title), list];
  return [h("details", { class: "gf-section" }, h("summary", { class: "gf-section-title" }, title), list)];
}

function card(recipe, choose) {
  return h(
    "label",
    { class: "gf-recipe", dataset: { recipe: recipe.name } },
    h("input", { type: "radio", name: "gf-recipe", value: recipe.name, onchange: choose }),
    h("span", { class: "gf-recipe-title" }, recipe.title),
    h("span", { class: "gf-recipe-about" }, recipe.about),
    h("span", { class: "gf-recipe-look" }, h("b", {}, t("train.look_for")), " ", recipe.look_for),
  );
}
