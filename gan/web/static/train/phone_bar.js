// The bar at the foot of a phone: what one presses next, or what is watched.

import { h, PHONE, setText } from "../core/dom.js";
import { fixed } from "../core/format.js";
import { t } from "../core/text.js";

export const isPhone = () => matchMedia(PHONE).matches;

export class PhoneBar {
  /** root: says to the style sheet what the bar is for. press(name): as if a button of the tab had been pressed. */
  constructor(root, bar, press) {
    this.root = root;
    this.bar = bar;
    this.press = press;
    this.watched = h("b");
    this.share = 0;
    this.status = this.kind = "";
  }

  /** role: "starting", "steering" a run or "watching" one. status, kind (what is said of it), title: the run's. */
  show(role, { status, kind, title }) {
    this.status = status;
    this.kind = kind;
    this.root.dataset.steering = String(role === "steering");
    this.root.dataset.watching = String(role === "watching");
    const focused = this.hasFocus;
    this.bar.replaceChildren(...this.contents(role, title));
    if (focused) this.focus();
    this.showShare();
  }

  /** A watcher reads what is watched: no button there takes the place of what others train. */
  contents(role, title) {
    if (role === "watching") return [h("p", { class: "gf-bar-watch" }, this.watched, h("span", {}, title))];
    if (role === "starting") return [this.button("train", t("train.train"), true)];
    const pause = t(this.status === "running" ? "train.pause" : "train.resume");
    return [this.button("pause", pause, true), this.button("stop", t("train.stop"))];
  }

  button(name, text, primary = false) {
    const look = `gf-btn gf-btn-big${primary ? " gf-btn-primary" : ""}`;
    return h("button", { type: "button", class: look, onclick: () => this.press(name) }, text);
  }

  /** How far the run is that is watched. */
  showShare(share = this.share) {
    this.share = share;
    const status = t(`train.status_${this.kind}`);
    setText(this.watched, t("train.watching_bar", { percent: fixed(100 * share, 1), status }));
  }

  get hasFocus() {
    return this.bar.contains(document.activeElement);
  }

  focus() {
    this.bar.firstElementChild.focus({ preventScroll: true });
  }
}
