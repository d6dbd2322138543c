// Making runs: a new one, a fork that the diagnosis suggests, or one from a file. Where there is no room, waiting is offered.

import { setText } from "../core/dom.js";
import { takeChosen } from "../core/files/chosen.js";
import { sendWithNotice } from "../core/files/upload.js";
import { notify } from "../core/notice.js";
import { getJSON, postJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { rememberToken } from "../core/tokens.js";
import { forkRun } from "../run/fork.js";
import { Waiting } from "./waiting.js";

export class Starting {
  /**
   * hooks: {open(runId): show a run -> Promise, said(sentence): why a run could not be made, "" when it is tried, bar: the bar
   * of a phone, begun(pressed): the new run is shown; pressed: its button had the focus, rested(): it was made or refused, changed(): my runs are others,
   * adopt(name, token): own pictures that came with a run -> Promise}.
   */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    this.waiting = new Waiting(part("busy"), part("train"), {
      open: (runId) => hooks.open(runId),
      pause: (runId) => postJSON(`runs/${runId}/command`, { command: "pause" }),
    });
    takeChosen(part("bring-back"), ([file]) => this.bringBack(file));
  }

  /** No room to go on with a run: again() tries once more. */
  noRoom(refusal, again) {
    this.waiting.show(refusal, { label: t("train.resume"), again }, this.part("message"));
  }

  /** Another run is shown: what was refused is past, unless somebody waits for it. */
  opened() {
    if (!this.waiting.on) this.waiting.hide();
  }

  /** order: {recipe, dataset, start, changes, shown}. */
  async create(order) {
    const button = this.part("train");
    const pressed = button === document.activeElement || this.hooks.bar.hasFocus;
    button.disabled = true;
    setText(button, t("train.starting"));
    this.hooks.said("");
    this.waiting.hide();
    try {
      const { id, token } = await postJSON("runs", order);
      rememberToken(id, token);
      await this.hooks.open(id);
      this.hooks.begun(pressed);
      this.hooks.changed();
    } catch (error) {
      this.refused(error, () => this.create(order), this.hooks.said);
    } finally {
      this.hooks.rested();
      setText(button, t("train.train"));
    }
  }

  /** What the diagnosis suggests, as a fork; the run it was found in is kept. */
  async fork(what) {
    try {
      await this.hooks.open(await forkRun(what.runId, what.remedy, what.step));
      this.hooks.changed();
    } catch (error) {
      this.refused(
        error,
        () => this.fork(what),
        (sentence) => notify(sentence, "error"),
      );
    }
  }

  /** No room is something to wait for; whatever else went wrong is said. */
  refused(error, again, say) {
    if (error.details?.busy) this.waiting.show(error.details, { label: t("train.train"), again });
    else say(error.message);
  }

  /** A run from the file that it was saved in. */
  async bringBack(file) {
    try {
      const { id, token, pictures_token } = await sendWithNotice("runs/import", file, t("train.bringing_back"));
      rememberToken(id, token);
      if (pictures_token) await this.hooks.adopt((await getJSON(`runs/${id}`)).dataset, pictures_token);
      await this.hooks.open(id);
      this.hooks.changed();
      notify(t("train.brought_back"));
    } catch (error) {
      notify(error.message, error.cancelled ? "info" : "error");
    }
  }
}
