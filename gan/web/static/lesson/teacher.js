// What the teacher of a lesson has: where the class goes, what it sees, who may train, and what students have raised.

import { readState } from "../core/address.js";
import { addresses } from "../core/boot.js";
import { joinAddress } from "../core/controls/copy_link.js";
import { menu } from "../core/controls/menu.js";
import { h, setText } from "../core/dom.js";
import { isShells, tabs, visibleTab } from "../core/gradio_shell.js";
import { takeLesson } from "../core/lesson.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { api, jsonOf } from "../core/server.js";
import { t } from "../core/text.js";
import { shownMoment } from "../run/shown_run.js";
import { RaisedMenu } from "./raised.js";

const PARTS = ["setup", "diagnosis", "numbers"]; // of the Train tab, that can be left out beside whole tabs

export class TeacherStrip {
  constructor() {
    const press = (key, onclick) =>
      h(
        "button",
        { type: "button", class: "gf-btn gf-small", dataset: { gf: `lesson-${key}` }, title: t(`lesson.${key}_hint`), onclick },
        t(`lesson.${key}`),
      );
    this.train = press("close", () => this.change({ train: !this.lesson.train }));
    this.raised = new RaisedMenu({
      project: (raised) => this.change({ screen: raised }, "lesson.project_done"),
      allowNames: (names) => this.change({ names }),
      hideName: (id) => this.ask(`lesson/raised/${id}/name`, "DELETE"),
      putAway: (id) => this.ask(id ? `lesson/raised/${id}` : "lesson/raised", "DELETE"),
    });
    this.hiding = [...PARTS, ...tabs().slice(1)].map((name) => this.part(name)); // the first is where all begin
    const dot = h("span", { class: "gf-dot", "aria-hidden": "true" });
    this.element = h(
      "section",
      { class: "gf gf-lesson gf-row", "aria-label": t("lesson.title") },
      h("span", { class: "gf-tag", dataset: { kind: "running" } }, dot, t("lesson.title")),
      h("span", { class: "gf-num gf-lesson-address", title: addresses().join("\n") }, joinAddress()),
      h(
        "span",
        { class: "gf-row gf-push" },
        press("everybody", () => this.callEverybody()),
        press("project", () => this.project()),
        this.train,
        press("pause", () => this.ask("lesson/pause", "POST")),
        this.raised.element,
        this.hidingMenu(),
        h(
          "a",
          { class: "gf-btn gf-small", href: projector(), target: "_blank", title: t("lesson.projector_hint") },
          t("lesson.projector"),
        ),
      ),
    );
  }

  hidingMenu() {
    const look = { class: "gf-btn gf-small", title: t("lesson.hide_hint"), dataset: { gf: "lesson-hide" } };
    const ticks = this.hiding.map(({ box }) => box);
    const details = h(
      "details",
      { class: "gf-menu" },
      h("summary", look, t("lesson.hide")),
      h("div", { class: "gf-menu-list" }, ticks),
    );
    menu(details);
    return details;
  }

  /** A tick for a part of the page that students have. */
  part(name) {
    const tick = h("input", { type: "checkbox", onchange: () => this.change({ hidden: this.unticked }) });
    const words = PARTS.includes(name) ? t(`lesson.part_${name}`) : t(`common.tab_${name}`);
    return { name, tick, box: h("label", { class: "gf-check gf-menu-item" }, tick, h("span", {}, words)) };
  }

  get unticked() {
    return this.hiding.filter(({ tick }) => !tick.checked).map(({ name }) => name);
  }

  show(lesson) {
    this.lesson = lesson;
    setText(this.train, t(lesson.train ? "lesson.close" : "lesson.open"));
    this.train.title = t(lesson.train ? "lesson.close_hint" : "lesson.open_hint");
    for (const { name, tick } of this.hiding) tick.checked = !lesson.hidden.includes(name);
    this.raised.show(lesson.raised ?? [], lesson.names);
  }

  // ---- what is asked ----

  /** Every page goes to where this one is. */
  callEverybody() {
    const tab = visibleTab();
    const { run, step } = shownMoment();
    const state = tab === "train" && run ? { run, ...(step === null ? {} : { step: String(step) }) } : readState(tab);
    return this.change({ here: { tab, state } }, "lesson.everybody_done");
  }

  /** The run or the picture of this page is what the class sees, and the projector shows. */
  project() {
    const tab = visibleTab();
    const state = readState(tab);
    const shown =
      tab === "latent" ? { picture: queryOf(state) } : tab === "game" ? { run: state.run, game: true } : shownMoment();
    if (shown.picture || shown.run) return this.change({ screen: shown }, "lesson.project_done");
    return notify(t("lesson.nothing_to_project"), "error");
  }

  change(wanted, done = "") {
    return this.ask("lesson", "PATCH", wanted, done);
  }

  async ask(path, method, body = {}, done = "") {
    const headers = { "Content-Type": "application/json" };
    try {
      takeLesson(await jsonOf(await api(path, { method, headers, body: JSON.stringify(body) })));
      if (done) notify(t(done), "info");
    } catch (error) {
      notify(error.message, "error");
    }
  }
}

/** The page for the projector, in the language and the colours of this one. */
function projector() {
  const link = new URL("?view=projector", document.baseURI);
  for (const [key, value] of new URLSearchParams(location.search))
    if (isShells(key) && key !== "hide") link.searchParams.set(key, value);
  link.searchParams.set("view", "projector");
  return link.href;
}
