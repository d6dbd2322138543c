// A run on the wall: its newest pictures, where it stands, what is to be said about it, and what can be done with it.

import { openTab } from "../core/address.js";
import { h, setText } from "../core/dom.js";
import { whole } from "../core/format.js";
import { notify } from "../core/notice.js";
import { api, postJSON, url } from "../core/server.js";
import { t } from "../core/text.js";
import { owns, ownsAll } from "../core/tokens.js";
import { forkRun } from "../run/fork.js";

const ENDED = ["finished", "failed"];
const SHARP = 128; // pixels across all pictures of a tile

export class Tile {
  /** run: as the server tells of it. */
  constructor({ id, status }) {
    this.id = id;
    this.picture = null;
    this.image = h("img", { alt: "", decoding: "async", onload: () => this.showSharp() });
    this.open = h(
      "button",
      { type: "button", class: "gf-wall-picture", onclick: () => openTab("train", { run: id }) },
      this.image,
    );
    this.title = h("h3", { class: "gf-wall-title" });
    this.status = h("span", { class: "gf-tag" }, h("span", { class: "gf-dot", "aria-hidden": "true" }), h("span"));
    this.mine = h("span", { class: "gf-tag", hidden: true }, t("wall.mine"));
    this.step = h("span", { class: "gf-hint gf-num" });
    this.verdict = h(
      "p",
      { class: "gf-wall-verdict" },
      h("span", { class: "gf-diagnosis-mark", "aria-hidden": "true" }),
      h("span"),
    );
    const words = [this.title, h("div", { class: "gf-row" }, this.status, this.mine, this.step), this.verdict];
    const tools = status === "recording" ? [] : [this.tools()];
    this.element = h("li", { class: "gf-wall-tile", dataset: { run: id } }, this.open, words, tools);
  }

  tools() {
    const press = (words, onclick, more = {}) =>
      h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick, ...more }, words);
    this.hide = press("", () => this.hideOrShow(), { hidden: true });
    this.next = press(t("wall.next"), () => this.callNext(), { title: t("wall.next_hint"), hidden: true });
    this.forking = press(t("wall.fork"), () => this.fork(), { title: t("wall.fork_hint") });
    return h(
      "div",
      { class: "gf-row" },
      press(t("wall.sliders"), () => openTab("latent", { w: `run-${this.id}` })),
      this.forking,
      this.next,
      this.hide,
    );
  }

  show(run) {
    this.run = run;
    this.element.hidden = false;
    setText(this.title, run.title);
    this.status.dataset.kind = run.status;
    setText(this.status.lastChild, t(`train.status_${run.status}`));
    setText(this.step, t("wall.step", { step: whole(run.step) }));
    this.showVerdict(run);
    this.showPicture(run);
    this.open.setAttribute("aria-label", t("wall.watch", { title: run.title }));
    if (this.hide) this.showTools(run);
  }

  showVerdict({ kind, severity, verdict }) {
    Object.assign(this.verdict.dataset, { kind, severity });
    setText(this.verdict.lastChild, verdict || t("diagnosis.diagnosis_early"));
  }

  /** The old picture stays until the new one is there. */
  showPicture({ picture }) {
    if (picture === this.picture) return;
    this.picture = picture;
    if (picture !== null) this.image.src = url(`runs/${this.id}/tile?v=${picture}`);
    this.open.dataset.empty = String(picture === null);
  }

  /** Small pictures keep sharp pixels. */
  showSharp() {
    this.open.dataset.sharp = String(this.image.naturalWidth <= SHARP);
  }

  /** What has come to its end leaves nothing to go on with. */
  showTools({ hidden, status }) {
    this.forking.hidden = ENDED.includes(status);
    this.next.hidden = status !== "waiting" || !ownsAll();
    this.mine.hidden = !owns(this.id) || ownsAll();
    this.hide.hidden = !owns(this.id);
    setText(this.hide, t(hidden ? "wall.unhide" : "wall.hide"));
    this.element.dataset.hidden = String(hidden);
  }

  /** Whoever started a run no longer shows it; the owner of the program hides it for as long as he likes. */
  async hideOrShow() {
    const body = JSON.stringify(ownsAll() ? { hidden: !this.run.hidden } : { shown: false });
    try {
      await api(`runs/${this.id}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body });
      if (ownsAll()) this.show({ ...this.run, hidden: !this.run.hidden });
      else this.element.hidden = true; // at once: the wall is told of it within a second
    } catch (error) {
      notify(error.message, "error");
    }
  }

  /** The owner of the program, or the teacher, lets it learn next. */
  async callNext() {
    try {
      await postJSON(`runs/${this.id}/next`);
      notify(t("wall.next_done", { title: this.run.title }));
    } catch (error) {
      notify(error.message, "error");
    }
  }

  async fork() {
    this.forking.disabled = true;
    try {
      openTab("train", { run: await forkRun(this.id, {}) });
    } catch (error) {
      notify(error.message, "error");
    } finally {
      this.forking.disabled = false;
    }
  }
}
