// The list of recipes: cards in groups, of which one is chosen.

import { h } from "../core/dom.js";
import { t } from "../core/text.js";

const GROUPS = ["start", "famous", "reference", "gallery"];

/** Fill a box with the cards; choose(recipe) is called, and returned is show(recipe). */
export function recipeList(box, recipes, choose) {
  const cards = new Map(recipes.map((recipe) => [recipe.name, card(recipe, () => choose(recipe))]));
  box.replaceChildren(...GROUPS.flatMap((name) => group(name, recipes, cards)));
  return ({ name }) => {
    const shown = cards.get(name);
    shown.querySelector("input").checked = true;
    if (shown.closest("details")) shown.closest("details").open = true;
  };
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
