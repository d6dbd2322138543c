// What the page offers to somebody who finds no room to train: to watch, to be told when there is some, or to make it in a
// run of their own. Waiting goes on in other tabs of the program and behind other windows, whose title then says it.

import { openTab } from "../core/address.js";
import { h, setText } from "../core/dom.js";
import { visibleTab } from "../core/gradio_shell.js";
import { clearNotice, notify } from "../core/notice.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";

const EVERY_MS = 4000;
const RESTED_MS = 250;

export class Waiting {
  /** box, home: an element, and the one that it stands before. hooks: {open(runId), pause(runId) -> Promise}. */
  constructor(box, home, hooks) {
    this.box = box;
    this.home = home;
    this.hooks = hooks;
    this.on = false;
    this.timer = 0;
    this.title = document.title;
    this.words = h("span", { role: "status" });
    this.buttons = h("span", { class: "gf-row" });
    box.append(this.words, this.buttons);
    window.addEventListener("pagehide", () => this.stop());
  }

  /** refusal: the server's {error, busy}. wanted: {label, again()}, what is done when there is room. home: where it is read. */
  show(refusal, wanted, home = this.home) {
    this.stop();
    this.wanted = wanted;
    this.place(home);
    const { run, mine } = refusal.busy;
    this.write(
      refusal.error,
      mine ? [this.opener("open_it", run), this.pauser(run)] : [this.opener("watch_it", run), this.teller()],
    );
  }

  hide() {
    this.stop();
    this.box.hidden = true;
  }

  /** Nothing more is asked or said by itself. */
  stop() {
    this.on = false;
    clearTimeout(this.timer);
    clearNotice("free");
    document.title = this.title;
  }

  // ---- waiting ----

  wait() {
    this.on = true;
    this.place(this.home);
    this.ask();
  }

  async ask() {
    clearTimeout(this.timer);
    const answer = await getJSON("busy").catch(() => null); // a lost connection is waited for, too
    if (!this.on) return;
    if (answer) this.tell(answer);
    this.timer = setTimeout(() => this.ask(), EVERY_MS);
  }

  tell({ free, error, busy }) {
    if (!free) {
      clearNotice("free");
      document.title = this.title;
      this.write(`${error} ${t("waiting.waiting")}`, [
        this.opener("watch_it", busy.run),
        this.button("stop_waiting", () => this.hide()),
      ]);
    } else if (document.title === this.title) {
      document.title = t("waiting.free_title", { title: this.title });
      this.write(t("waiting.free"), [this.goer(), this.button("not_now", () => this.hide())]);
      if (visibleTab() !== "train") notify(t("waiting.free"), "free", { text: t("waiting.go"), press: () => this.come() });
    }
  }

  come() {
    clearNotice("free");
    openTab("train");
  }

  // ---- the box ----

  place(home) {
    home.before(this.box);
    this.box.hidden = false;
  }

  /** Buttons stay the same elements while they say the same, so that a press and the focus are not lost. */
  write(words, buttons) {
    setText(this.words, words);
    const wanted = buttons.filter(Boolean);
    const names = ({ dataset }) => `${dataset.does} ${dataset.run}`;
    if (wanted.map(names).join() !== [...this.buttons.children].map(names).join()) this.buttons.replaceChildren(...wanted);
  }

  button(does, onclick, { run = "", primary = false, text = t(`waiting.${does}`) } = {}) {
    const look = `gf-btn gf-small${primary ? " gf-btn-primary" : ""}`;
    return h("button", { type: "button", class: look, dataset: { does, run }, onclick }, text);
  }

  /** Nothing for a run that its owner does not show. */
  opener(does, run) {
    return run && this.button(does, () => this.hooks.open(run), { run });
  }

  teller() {
    return this.button("tell_me", () => this.wait());
  }

  pauser(run) {
    return this.button("pause_it", () => this.makeRoom(run), { run });
  }

  goer() {
    return this.button("train", () => this.go(), { primary: true, text: this.wanted.label });
  }

  go() {
    this.hide();
    this.wanted.again();
  }

  async makeRoom(run) {
    try {
      await this.hooks.pause(run);
      while ((await getJSON(`runs/${run}`)).status === "running") await new Promise((rested) => setTimeout(rested, RESTED_MS));
      this.go();
    } catch (error) {
      notify(error.message, "error");
    }
  }
}
