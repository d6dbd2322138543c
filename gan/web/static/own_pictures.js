// A person's own pictures in the Train tab: how they are to be prepared, sending them, and what became of it.

import { setText, t } from "./common.js";
import { send } from "./upload.js";

const FIELDS = ["own-size", "own-channels"];

export class OwnPictures {
  /** hooks: {wanted(): the form is to be shown, ready({dataset, count, message}): they are prepared, changed(): other size or colours}. */
  constructor(part, hooks) {
    Object.assign(this, { part, hooks, touched: false, sending: null, files: [] });
    for (const name of FIELDS) part(name).addEventListener("change", () => this.touch());
    part("own-files").addEventListener("change", ({ target }) => {
      const files = [...target.files];
      target.value = "";
      this.send(files);
    });
    part("own-cancel").addEventListener("click", () => this.sending?.cancel());
    part("own-again").addEventListener("click", () => this.send(this.files));
  }

  // ---- size and colours ----

  touch() {
    this.touched = true;
    this.hooks.changed();
  }

  /** Prepared as the pictures that a recipe is made for, until the person has chosen something else. */
  fit({ size, channels }) {
    if (this.touched) return;
    this.part("own-size").value = size;
    this.part("own-channels").value = channels;
  }

  get channels() {
    return Number(this.part("own-channels").value);
  }

  // ---- sending ----

  /** Files that were dropped on the tab. */
  drop(files) {
    this.hooks.wanted();
    this.send(files);
  }

  async send(files) {
    if (!files.length) return;
    this.sending?.cancel();
    const query = `size=${this.part("own-size").value}&channels=${this.channels}`;
    const sending = send(`pictures?${query}`, bodyOf(files), { say: (words) => this.say(words), then: t("train.own_preparing") });
    Object.assign(this, { files, sending });
    this.showButtons();
    const { channels } = this;
    try {
      const answer = await sending.answer;
      this.files = [];
      this.say(t("train.own_hint"));
      this.hooks.ready({ ...answer, channels });
    } catch (error) {
      if (this.sending === sending) this.failed(error);
    }
    if (this.sending !== sending) return;
    this.sending = null;
    this.showButtons();
  }

  /** The files are kept for another try when nothing is wrong with them. */
  failed(error) {
    if (!error.offline && !error.cancelled) this.files = [];
    this.say(error.message, error.cancelled ? "" : "error");
  }

  say(words, kind = "") {
    const note = this.part("own-note");
    note.dataset.kind = kind;
    setText(note, words);
  }

  showButtons() {
    this.part("own-cancel").hidden = !this.sending;
    this.part("own-again").hidden = Boolean(this.sending) || !this.files.length;
  }

  /** Why a run on them cannot begin yet, in words. */
  notYet() {
    if (!this.sending) return t("train.own_first");
    return t(this.sending.sent ? "train.own_still_preparing" : "train.own_still_sending");
  }
}

function bodyOf(files) {
  const body = new FormData();
  files.forEach((file, i) => body.append(`file-${i}`, file, file.name));
  return body;
}
