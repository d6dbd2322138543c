// The head of the live view: which run it is, how far it has come, and what is to be said about it.

import { setText } from "../core/dom.js";
import { duration, fixed, percentOf, whole } from "../core/format.js";
import { isActive } from "../core/run_status.js";
import { t } from "../core/text.js";

const STEPS_BEFORE_TIME_LEFT = 10;

export class RunHeader {
  /**
   * root: the tab's element. live: the view (train/live.js). hooks: {onProgress(share of its steps), onRecorded or nothing,
   * othersOfMine(): whether another run of mine trains}.
   */
  constructor(root, live, hooks) {
    this.root = root;
    this.live = live;
    this.hooks = hooks;
    this.part = live.part;
  }

  /** What a run is, and what its owner may press. */
  showRun() {
    const { part } = this;
    const { meta } = this.live;
    const subtitle = this.subtitle();
    setText(part("title"), meta.title);
    setText(part("subtitle"), subtitle);
    part("subtitle").hidden = !subtitle;
    setText(part("n-total"), meta.config ? t("train.step_of", { total: whole(meta.config.total_steps) }) : "");
    this.showControls();
    this.showStatus();
    this.showMessage();
  }

  showStatus() {
    const { kind } = this.live;
    this.part("status").dataset.kind = kind;
    setText(this.part("status-text"), t(`train.status_${kind}`));
  }

  subtitle() {
    const { meta, mine } = this.live;
    if (meta.recorded) return t("train.recorded_note");
    return mine ? "" : t("train.watching");
  }

  showControls() {
    const { part } = this;
    const { status, mine } = this.live;
    const active = isActive(status);
    part("controls").hidden = !mine || status === "gone";
    part("live").dataset.status = status;
    part("rates").hidden = !(mine && active);
    const pause = part("pause");
    setText(pause, t({ running: "train.pause", finished: "train.longer" }[status] ?? "train.resume"));
    pause.classList.toggle("gf-btn-primary", !["running", "finished", "failed"].includes(status));
    part("stop").disabled = !active;
    for (const button of this.root.querySelectorAll('[data-gf="step"]')) button.disabled = status !== "paused";
  }

  showMessage() {
    const { part } = this;
    const { status, meta, mine, snapshot } = this.live;
    const text = snapshot?.message || meta.message || this.ownMessage();
    const note = part("message");
    note.hidden = !text;
    note.dataset.kind = status === "failed" ? "error" : "accent";
    note.setAttribute("aria-live", this.live.place ? "off" : "polite"); // a countdown is not to be read aloud
    setText(part("message-text"), text ?? "");
    const rewind = part("rewind");
    rewind.hidden = !(status === "failed" && mine && Number.isFinite(meta.checkpoint_step));
    setText(rewind, t("train.rewind", { step: whole(meta.checkpoint_step ?? 0) }));
    part("gone-over").hidden = status !== "gone";
    part("gone-recorded").hidden = status !== "gone" || !this.hooks.onRecorded;
  }

  ownMessage() {
    const { status, meta, mine, snapshot, place } = this.live;
    if (status === "gone") return t("train.gone");
    if (meta.needs && mine) return meta.needs;
    if (status === "interrupted") return t("train.interrupted_note", { step: whole(meta.checkpoint_step ?? 0) });
    if (status === "running" && !snapshot) return t("train.preparing");
    return place ? this.turnMessage(place) : "";
  }

  /** While runs share the machine there is always something to say, so that nothing below jumps from turn to turn. */
  turnMessage({ before, seconds }) {
    const what = before === null ? "train.turn" : "train.waits";
    const words = t(what, { place: (before ?? 0) + 1, time: duration(seconds) });
    return this.live.mine && this.hooks.othersOfMine() ? `${words} ${t("train.waits_for_own")}` : words;
  }

  /** The numbers speak of now; while a run that has ended is looked through, of the moment that is shown. */
  showNumbers() {
    const { status, snapshot } = this.live;
    const past = status === "running" ? null : this.pastMoment();
    this.writeNumbers(past ?? snapshot);
    this.showMessage();
    this.showRates();
  }

  pastMoment() {
    const { step, history, snapshot: now } = this.live;
    const row = step === null ? null : history.rowAt(step);
    if (!row) return null;
    const share = now.images ? row.images / now.images : 0;
    const epoch = now.epoch === null ? null : now.epoch * share;
    return { ...now, step, images: row.images, seconds: row.seconds, epoch };
  }

  writeNumbers(s) {
    const { part } = this;
    const total = s.total_steps ?? this.live.meta.config?.total_steps ?? 0;
    const share = total ? Math.min(1, s.step / total) : 0;
    setText(part("n-step"), whole(s.step));
    setText(part("n-total"), total ? t("train.step_of", { total: whole(total) }) : "");
    setText(part("n-epoch"), s.epoch === null ? "–" : fixed(s.epoch, s.epoch < 100 ? 2 : 0));
    setText(part("n-images"), whole(s.images));
    setText(part("n-rate"), s.images_per_s > 0 ? whole(s.images_per_s) : "–");
    setText(part("n-elapsed"), duration(s.seconds));
    const left = s.step < STEPS_BEFORE_TIME_LEFT || s.status !== "running" || s.place ? "–" : duration(s.seconds_left);
    setText(part("n-left"), left);
    setText(part("n-share"), s.show_share > 0 ? percentOf(s.show_share, 1) : "–");
    part("progress-bar").style.transform = `scaleX(${share})`;
    part("progress").setAttribute("aria-valuenow", String(Math.round(100 * share)));
    this.hooks.onProgress(share);
  }

  /** The fields follow the run, except while someone is typing or has typed. */
  showRates() {
    const { lr } = this.live.snapshot;
    for (const player of ["d", "g"]) {
      const field = this.part(`rate-${player}`);
      const shown = String(lr?.[player] ?? "");
      if (field.dataset.shown === shown) continue;
      field.dataset.shown = shown;
      field.value = shown;
    }
  }
}
