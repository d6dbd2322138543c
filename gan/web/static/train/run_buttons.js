// What is pressed in the live view: steering the run, and going on from a moment of its past.

import { openTab, readState } from "../core/address.js";
import { copyLink } from "../core/controls/copy_link.js";
import { menu } from "../core/controls/menu.js";
import { setText } from "../core/dom.js";
import { saveFile } from "../core/files/downloads.js";
import { whole } from "../core/format.js";
import { notify } from "../core/notice.js";
import { postJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { withRun } from "../run/compared.js";

export class RunButtons {
  /** root: the tab's element. live: the view (train/live.js). hooks: {onStartOver(meta), onRecorded(), onNoRoom(refusal, again)}. */
  constructor(root, live, hooks) {
    this.live = live;
    this.hooks = hooks;
    this.part = live.part;
    this.here = null; // the last kept state until the moment that is shown
    this.listen(root);
  }

  listen(root) {
    const { part, live } = this;
    const on = (name, fn) => part(name).addEventListener("click", fn);
    on("pause", () => this.pauseOrResume());
    on("stop", () => this.command({ command: "stop" }));
    on("rewind", () => this.command({ command: "rewind" }));
    for (const name of ["start-over", "gone-over"]) on(name, () => this.hooks.onStartOver(live.meta));
    on("gone-recorded", () => this.hooks.onRecorded());
    on("copy-link", (event) => copyLink(event.currentTarget));
    on("compare", () => openTab("compare", withRun(readState("compare"), live.runId)));
    on("from-here", () => this.offerFromHere().catch((error) => this.refused(error)));
    on("fork-here", () => this.forkFrom(this.here));
    on("fork-best", () => this.forkFrom(live.meta.best_step));
    on("back-here", () => this.goBack("back-here", this.here));
    on("back-best", () => this.goBack("back-best", live.meta.best_step));
    on("sliders", () => live.meta && openTab("latent", { w: live.meta.recorded ? "" : `run-${live.runId}` }));
    for (const button of root.querySelectorAll('[data-gf="step"]'))
      button.addEventListener("click", () => this.command({ command: "step", players: button.dataset.players }));
    part("rates").addEventListener("submit", (event) => this.applyRates(event));
    part("csv").addEventListener("click", saveFile);
    menu(part("download"));
    menu(part("from-box"));
  }

  /** What can be done at the moment that is shown: from the last state that was kept until then. */
  async offerFromHere() {
    const { step, follower } = this.live;
    await follower.describe();
    const { states, checkpoint_step: newest, best_step: best } = follower.meta;
    const kept = [...states, newest, best].filter((state) => state !== null && state <= step);
    this.here = kept.length ? Math.max(...kept) : null;
    for (const [name, key] of [
      ["fork-here", "fork_here"],
      ["back-here", "back_here"],
    ]) {
      const button = this.part(name);
      button.disabled = this.here === null;
      delete button.dataset.sure;
      setText(button, this.here === null ? t("train.nothing_kept") : t(`train.${key}`, { step: whole(this.here) }));
    }
    this.part("back-here").hidden = !this.live.mine || this.here === null;
    this.offerBest(best);
  }

  /** The state with the best FID can be gone on from as well, wherever it lies. */
  offerBest(step) {
    const there = step !== null && step !== this.here;
    for (const [name, key, possible] of [
      ["fork-best", "fork_best", there],
      ["back-best", "back_best", there && this.live.mine],
    ]) {
      const button = this.part(name);
      button.hidden = !possible;
      delete button.dataset.sure;
      if (possible) setText(button, t(`train.${key}`, { step: whole(step) }));
    }
  }

  forkFrom(from) {
    const { runId } = this.live;
    openTab("compare", { ...withRun(readState("compare"), runId), fork: runId, from });
  }

  /** The second press goes back: what came later is forgotten. */
  async goBack(name, step) {
    const button = this.part(name);
    if (!button.dataset.sure) {
      button.dataset.sure = "1";
      setText(button, t("train.back_sure"));
      return;
    }
    this.part("from-box").open = false;
    if (await this.command({ command: "rewind", step })) this.live.timeline.toNewest();
  }

  pauseOrResume() {
    const { status, snapshot } = this.live;
    if (status === "running") return this.command({ command: "pause" });
    const longer = { total_steps: 2 * (snapshot?.total_steps ?? 0) };
    return this.command({ command: "resume", ...(status === "finished" ? longer : {}) });
  }

  /** Returns whether the server took it; what it refuses is said. */
  async command(body) {
    const { follower } = this.live;
    try {
      await postJSON(`runs/${follower.runId}/command`, body);
      follower.now();
      return true;
    } catch (error) {
      if (error.details?.busy) this.hooks.onNoRoom(error.details, () => this.command(body));
      else this.refused(error);
      return false;
    }
  }

  refused(error) {
    if (error.details?.gone) this.live.lose();
    else notify(error.message, "error");
  }

  async applyRates(event) {
    event.preventDefault();
    const rates = { d_lr: this.part("rate-d").value.trim(), g_lr: this.part("rate-g").value.trim() };
    if (await this.command({ command: "lr", ...rates })) notify(t("train.applied"));
  }
}
