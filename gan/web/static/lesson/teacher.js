// What the teacher of a lesson has: where the class goes, what it sees, who may train, and what students have raised.

import { openTab, readState } from "../core/address.js";
import { addresses } from "../core/boot.js";
import { h, setText } from "../core/dom.js";
import { visibleTab } from "../core/gradio_shell.js";
import { takeLesson } from "../core/lesson.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { api, jsonOf, url } from "../core/server.js";
import { t } from "../core/text.js";
import { shownMoment } from "../run/shown_run.js";

const PARTS = ["setup", "diagnosis", "numbers", "compare", "wall", "latent", "interpolation", "game", "how"];
const SCALE = 4; // of the pictures that were raised

export class TeacherStrip {
  constructor() {
    const press = (key, onclick) =>
      h(
        "button",
        { type: "button", class: "gf-btn gf-small", dataset: { gf: `lesson-${key}` }, title: t(`lesson.${key}_hint`), onclick },
        t(`lesson.${key}`),
      );
    const projector = new URL("?view=projector", document.baseURI).href;
    this.train = press("close", () => this.change({ train: !this.lesson.train }));
    this.raised = h("div", { class: "gf-menu-list gf-lesson-raised" });
    this.raisedTitle = h("summary", { class: "gf-btn gf-small", dataset: { gf: "lesson-raised" } });
    this.hiding = PARTS.map((name) => this.part(name));
    const dot = h("span", { class: "gf-dot", "aria-hidden": "true" });
    this.element = h(
      "section",
      { class: "gf gf-lesson gf-row", "aria-label": t("lesson.title") },
      h("span", { class: "gf-tag", dataset: { kind: "running" } }, dot, t("lesson.title")),
      h("span", { class: "gf-num gf-lesson-address" }, addresses()[0] ?? new URL(".", document.baseURI).href),
      h(
        "span",
        { class: "gf-row gf-push" },
        press("everybody", () => this.callEverybody()),
        press("project", () => this.project()),
        this.train,
        press("pause", () => this.ask("lesson/pause", "POST")),
        h("details", { class: "gf-menu" }, this.raisedTitle, this.raised),
        h(
          "details",
          { class: "gf-menu" },
          h(
            "summary",
            { class: "gf-btn gf-small", title: t("lesson.hide_hint"), dataset: { gf: "lesson-hide" } },
            t("lesson.hide"),
          ),
          h(
            "div",
            { class: "gf-menu-list" },
            this.hiding.map(({ box }) => box),
          ),
        ),
        h(
          "a",
          { class: "gf-btn gf-small", href: projector, target: "_blank", title: t("lesson.projector_hint") },
          t("lesson.projector"),
        ),
      ),
    );
  }

  /** A tick for a part of the page that students have. */
  part(name) {
    const tick = h("input", { type: "checkbox", onchange: () => this.change({ hidden: this.unticked }) });
    const words = PARTS.indexOf(name) > 2 ? t(`common.tab_${name}`) : t(`lesson.part_${name}`);
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
    this.showRaised(lesson.raised ?? []);
  }

  /** Pictures of the class, the newest first. */
  showRaised(raised) {
    setText(this.raisedTitle, t("lesson.raised_count", { count: raised.length }));
    const rows = raised.toReversed().map((each) => this.raisedRow(each));
    this.raised.replaceChildren(...(rows.length ? rows : [h("p", { class: "gf-hint" }, t("lesson.raised_none"))]));
  }

  raisedRow({ id, picture }) {
    const put = () => this.ask(`lesson/raised/${id}`, "DELETE");
    const project = () => this.change({ screen: { picture } });
    const open = () => openTab("latent", Object.fromEntries(new URLSearchParams(picture)));
    const button = (key, onclick) => h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick }, t(`lesson.${key}`));
    const image = h("img", { src: url(`picture.png?${picture}&scale=${SCALE}`), alt: t("lesson.raised_picture") });
    return h("div", { class: "gf-row" }, image, button("project", project), button("open_it", open), button("put_away", put));
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
    const shown = visibleTab() === "latent" ? { picture: queryOf(readState("latent")) } : shownMoment();
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
