// What a student has of a lesson: the way to what the class sees, one's own picture for the class, and the teacher's calls.

import { openTab, readState } from "../core/address.js";
import { limits } from "../core/boot.js";
import { h } from "../core/dom.js";
import { isShells, visibleTab } from "../core/gradio_shell.js";
import { addressHides, hide } from "../core/lesson.js";
import { notify } from "../core/notice.js";
import { queryOf } from "../core/query.js";
import { postJSON } from "../core/server.js";
import { t } from "../core/text.js";

const LOOK_MS = 300; // at which tab is open
const ME = crypto.getRandomValues(new Uint32Array(3)).join("-"); // of this page alone: nobody learns who raised what

export class StudentStrip {
  constructor() {
    const button = (key, onclick) =>
      h(
        "button",
        { type: "button", class: "gf-btn gf-small", hidden: true, dataset: { gf: `lesson-${key}` }, onclick },
        t(`lesson.${key}`),
      );
    this.closed = h("span", { class: "gf-hint", hidden: true }, t("lesson.closed"));
    this.see = button("see", () => this.seeClass());
    this.raise = button("raise", () => this.raisePicture());
    const words = t("lesson.nickname");
    this.name = h("input", {
      class: "gf-input gf-lesson-name",
      maxLength: limits().name_letters,
      placeholder: words,
      "aria-label": words,
    });
    this.name.hidden = true;
    const dot = h("span", { class: "gf-dot", "aria-hidden": "true" });
    const name = h("span", { class: "gf-tag", dataset: { kind: "running" } }, dot, t("lesson.title"));
    this.element = h(
      "section",
      { class: "gf gf-lesson gf-row", "aria-label": t("lesson.title") },
      name,
      this.closed,
      h("span", { class: "gf-row gf-push" }, this.see, this.name, this.raise),
    );
    const leads = [...new URLSearchParams(location.search).keys()].some((key) => !isShells(key));
    this.called = leads ? null : 0; // who comes by a link to something stays there
    setInterval(() => this.showRaise(), LOOK_MS);
  }

  show(lesson) {
    const { train, hidden, screen, here } = lesson;
    this.lesson = lesson;
    this.closed.hidden = train;
    this.see.hidden = !(screen.run || screen.picture);
    hide([...hidden, ...addressHides()]);
    this.follow(here);
  }

  showRaise() {
    this.raise.hidden = visibleTab() !== "latent" || !readState("latent").w;
    this.name.hidden = this.raise.hidden || !this.lesson?.names;
  }

  /** The teacher calls everybody to a place. */
  follow(here) {
    const before = this.called ?? here?.number ?? 0;
    this.called = here?.number ?? 0;
    if (!here || here.number === before) return;
    openTab(here.tab, here.state);
    notify(t("lesson.called"), "info");
  }

  seeClass() {
    const { run, step, picture } = this.lesson.screen;
    if (picture) openTab("latent", Object.fromEntries(new URLSearchParams(picture)));
    else openTab("train", { run, step });
  }

  async raisePicture() {
    try {
      await postJSON("lesson/raised", { by: ME, picture: queryOf(readState("latent")), name: this.name.value });
      notify(t("lesson.raised"), "info");
    } catch (error) {
      notify(error.message, "error");
    }
  }
}
