// The menu of pictures that students have raised. A picture keeps its row while others come and go.

import { openTab } from "../core/address.js";
import { menu } from "../core/controls/menu.js";
import { h, setText } from "../core/dom.js";
import { url } from "../core/server.js";
import { t } from "../core/text.js";

const SCALE = 4; // of the pictures

export class RaisedMenu {
  /**
   * hooks: {project(raised): the class is to see it, putAway(id): "" is all of them, hideName(id), allowNames(whether students may
   * sign with a nickname)}.
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.rows = new Map(); // id -> its row, the oldest first
    this.names = new Map(); // id -> the words of its name, and the button that hides them
    this.title = h("summary", { class: "gf-btn gf-small", dataset: { gf: "lesson-raised" } });
    this.none = h("p", { class: "gf-hint" }, t("lesson.raised_none"));
    this.list = h("div", {});
    this.all = button("put_all_away", () => hooks.putAway(""));
    const about = h("p", { class: "gf-hint" }, t("lesson.newest"));
    this.mayName = h("input", { type: "checkbox", onchange: () => hooks.allowNames(this.mayName.checked) });
    const names = h("label", { class: "gf-check" }, this.mayName, h("span", {}, t("lesson.names")));
    const box = h("div", { class: "gf-menu-list gf-lesson-raised" }, this.none, this.list, about, names, this.all);
    this.element = h("details", { class: "gf-menu" }, this.title, box);
    menu(this.element);
  }

  show(raised, hasNames) {
    this.mayName.checked = hasNames;
    const told = new Set(raised.map(({ id }) => id));
    for (const [id, row] of this.rows) {
      if (told.has(id)) continue;
      row.remove();
      this.rows.delete(id);
      this.names.delete(id);
    }
    for (const one of raised) {
      if (!this.rows.has(one.id)) {
        this.rows.set(one.id, this.row(one));
        this.list.append(this.rows.get(one.id));
      }
      this.showName(one);
    }
    setText(this.title, t("lesson.raised_count", { count: raised.length }));
    this.none.hidden = raised.length > 0;
    this.all.hidden = !raised.length;
  }

  showName({ id, name }) {
    const { words, hide } = this.names.get(id);
    setText(words, name);
    hide.hidden = !name;
  }

  row({ id, picture }) {
    const image = h("img", { src: url(`picture.png?${picture}&scale=${SCALE}`), alt: t("lesson.raised_picture") });
    const words = h("span", { class: "gf-hint" });
    const hide = button("hide_name", () => this.hooks.hideName(id));
    this.names.set(id, { words, hide });
    return h(
      "div",
      { class: "gf-row" },
      image,
      words,
      hide,
      button("project", () => this.hooks.project({ picture, name: words.textContent })),
      button("open_it", () => openTab("latent", Object.fromEntries(new URLSearchParams(picture)))),
      button("put_away", () => this.hooks.putAway(id)),
    );
  }
}

const button = (key, onclick) => h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick }, t(`lesson.${key}`));
