// A person's own pictures in the Train tab: choosing files, how they are to be prepared, sending them, and the card of a set
// that is there. What is under way belongs to a set (or to the files that become one), and only the newest of it counts.

import { setText } from "../core/dom.js";
import { takeChosen } from "../core/files/chosen.js";
import { send } from "../core/files/upload.js";
import { whole } from "../core/format.js";
import { notify } from "../core/notice.js";
import { forgetSet, keepSet, keptSets, keptUpload, namesOf, shownOf } from "../core/own_sets.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { ownsAll } from "../core/tokens.js";
import { Camera } from "./camera.js";
import { OwnCard } from "./own_card.js";
import { deleteSet, deleteUnused } from "./own_deleting.js";
import { OwnForm, sameForm } from "./own_form.js";
import { pathOf, sortOut } from "./sendable.js";
import { isMuch, shrunk } from "./shrink.js";

const NEW = "new"; // what stands for a set before it is one
const PROGRESS_MS = 400;

export class OwnPictures {
  /**
   * offered: what the server reads and prepares (boot's `pictures`). hooks: {wanted(): the form is to be shown, changed(): it has
   * been filled in differently, ready(set, before): a set is there, in the place of the one that was `before`, gone(set, sentence):
   * it is no longer}.
   */
  constructor(part, offered, hooks) {
    this.part = part;
    this.offered = offered;
    this.hooks = hooks;
    this.set = null;
    this.wanted = {};
    this.touched = false;
    this.works = new Map();
    this.card = new OwnCard(part, offered, { edit: (changes) => this.edit(changes), remove: () => this.remove() });
    this.fields = new OwnForm(part, offered, () => this.touch());
    part("own-folder-box").hidden = !("webkitdirectory" in part("own-folder"));
    setText(part("own-hint"), t("train.own_hint", { most: whole(offered.most) }));
    this.listen();
  }

  listen() {
    for (const name of ["own-files", "own-folder"]) takeChosen(this.part(name), (files) => this.take(files));
    this.camera = new Camera(this.part, (files) => this.take(files));
    this.part("own-cancel").addEventListener("click", () => this.work.sending?.cancel());
    this.part("own-again").addEventListener("click", () => this.send(this.work.given));
  }

  // ---- what is shown ----

  /** The card of a set; without one, the form for new pictures. */
  show(set = null) {
    const before = this.set;
    this.set = set;
    this.part("own").toggleAttribute("data-set", Boolean(set));
    this.part("own-ways").hidden = Boolean(set);
    if (set) this.camera.close();
    this.fields.fill(set ? { ...shownOf(set), fit: set.found.fit } : this.wanted);
    if (set !== before) this.card.show(set, set?.id !== before?.id);
    this.showWork();
  }

  get form() {
    return this.fields.value;
  }

  /** Prepared as the pictures that a recipe is made for, colour larger, until the person has chosen something else. */
  fit({ size, channels }) {
    if (this.touched) return;
    const { usual, fits } = this.offered;
    this.wanted = { size: channels === 1 ? size : usual[channels], channels, fit: fits[0] };
    if (!this.set) this.fields.fill(this.wanted);
  }

  touch() {
    this.touched = true;
    this.wanted = this.form;
    this.hooks.changed();
    if (this.set) this.again(this.set);
  }

  // ---- work ----

  /** What is under way for what is shown: {sending, words, kind, given: files to send again}. */
  get work() {
    return this.workOf(this.set?.id ?? NEW);
  }

  workOf(id) {
    if (!this.works.has(id)) this.works.set(id, { sending: null, words: "", kind: "", given: null });
    return this.works.get(id);
  }

  say(work, words, kind = "") {
    Object.assign(work, { words, kind });
    this.showWork();
  }

  showWork() {
    const { work, set } = this;
    const note = this.part("own-note");
    note.dataset.kind = work.kind;
    setText(note, work.words || noteOf(set));
    this.part("own-hint").hidden = Boolean(set || work.words);
    this.part("own-cancel").hidden = !work.sending;
    this.part("own-again").hidden = Boolean(work.sending) || !work.given;
    this.fields.disable(Boolean(set && !set.upload));
    this.card.busy(Boolean(work.sending));
  }

  /**
   * Ask the server for something that takes a while. ask(key, hooks) sends it; what has come is given to use(answer), unless
   * something newer was asked for meanwhile. failed(error) decides what a failure means.
   */
  async run(id, ask, use, failed) {
    const work = this.workOf(id);
    work.sending?.cancel();
    const key = randomKey();
    let watch = null;
    const arrived = () => (watch = this.watch(work, key));
    const sending = ask(key, { say: (words) => this.say(work, words), waiting: t("train.own_preparing"), arrived });
    work.sending = sending;
    this.showWork();
    const answer = await sending.answer.catch((error) => ({ error }));
    watch?.stop();
    if (work.sending !== sending) return;
    work.sending = null;
    const { error } = answer;
    this.say(work, error?.message ?? "", !error || error.cancelled ? "" : "error");
    if (error) failed(error);
    else await use(answer);
    this.showWork();
  }

  /** How many pictures the server has read. */
  watch(work, key) {
    return everyVisible(PROGRESS_MS, async () => {
      const { said } = await getJSON(`pictures/progress/${key}`);
      if (said && work.sending) this.say(work, said);
    });
  }

  // ---- new pictures ----

  /** Files that were dropped on the tab. */
  drop(files) {
    this.hooks.wanted();
    this.take(files);
  }

  take(files) {
    const given = sortOut(files, this.offered);
    if (given.sent.length + given.others.length) this.send(given);
    else notify(t("common.drop_nothing"), "error");
  }

  send(given) {
    const { wanted } = this;
    const ask = (key, hooks) => {
      const go = (body) =>
        send(`pictures?${new URLSearchParams({ ...wanted, replaces: keptUpload(), progress: key })}`, body, hooks);
      return sendSmaller(given, go, hooks.say);
    };
    this.workOf(NEW).given = null;
    const failed = (error) => (this.workOf(NEW).given = error.offline || error.cancelled ? given : null);
    const use = (found) => {
      const set = { id: randomKey(), upload: found.upload, found, edited: null, changes: {}, shrunk: given.smaller?.size };
      this.ready(set);
      if (this.set === set && !sameForm(wanted, this.wanted)) this.catchUp(set);
    };
    return this.run(NEW, ask, use, failed);
  }

  /** Something else was chosen while the files were sent. */
  catchUp(set) {
    this.fields.fill(this.wanted);
    this.again(set);
  }

  ready(set, before = null) {
    keepSet(set);
    this.hooks.ready(set, before);
    if (before) deleteUnused(before);
  }

  /** Why a run on what is shown cannot begin yet, in words; "" when it can. */
  notYet() {
    const { sending } = this.work;
    if (!sending) return this.set ? "" : t("train.own_first");
    return t(sending.sent ? "train.own_still_preparing" : "train.own_still_sending");
  }

  // ---- a set that is there ----

  /** The files that the server keeps, prepared in another way; the changes of classes are made again. */
  again(set) {
    const asked = { upload: set.upload, ...this.form };
    const ask = (key, hooks) => send("pictures/again", jsonOf({ ...asked, progress: key }), hooks);
    const failed = (error) => {
      if (error.status === 404) this.uploadGone(set);
      if (this.set === set) this.show(set);
    };
    const use = (found) => {
      const next = { ...set, upload: found.upload ?? set.upload, found, edited: null };
      return Object.keys(set.changes).length ? this.change(next, set.changes, set) : this.ready(next, set);
    };
    return this.run(set.id, ask, use, failed);
  }

  uploadGone(set) {
    keepSet(Object.assign(set, { upload: "" }));
    this.say(this.workOf(set.id), "");
  }

  /** Rename, merge or leave out classes; {} gives back the classes as they were found. */
  edit(changes) {
    const { set } = this;
    if (Object.keys(changes).length) return this.change(set, changes, set);
    return this.ready({ ...set, edited: null, changes }, set);
  }

  change(set, changes, before) {
    const ask = (_, hooks) =>
      send(`pictures/${set.found.dataset}/classes`, jsonOf({ classes: changes }), { ...hooks, arrived: undefined });
    const use = (edited) => this.ready({ ...set, edited, changes }, before);
    const failed = () => set !== before && this.ready({ ...set, changes: {} }, before);
    return this.run(set.id, ask, use, failed);
  }

  /** A set whose files were never sent from here. */
  async adopt(name, token) {
    const found = await getJSON(`pictures/${name}`, { headers: { "X-Owner": token } });
    const set = { id: name, upload: "", found: { ...found, token }, edited: null, changes: {} };
    keepSet(set);
    return set;
  }

  /** What the server knows of a set by now; one that is gone is forgotten. */
  async ask(name) {
    const set = keptSets().find((kept) => namesOf(kept).includes(name));
    if (!set && !ownsAll()) return null;
    try {
      const card = await getJSON(`pictures/${name}`);
      return set ?? { id: name, upload: "", found: card, edited: null, changes: {} };
    } catch (error) {
      if (set && error.status === 404) this.forget(set, t("train.own_gone", { title: set.found.title }));
      return null;
    }
  }

  async remove() {
    const { set } = this;
    try {
      let removed = true;
      for (const name of namesOf(set)) removed = (await deleteSet(name, set.upload)) && removed;
      this.forget(set, "");
      notify(t(removed ? "train.own_deleted" : "train.own_let_go"));
    } catch (error) {
      this.say(this.workOf(set.id), error.message, "error");
    }
  }

  forget(set, sentence) {
    forgetSet(set.id);
    this.hooks.gone(set, sentence);
  }
}

function noteOf(set) {
  if (set && !set.upload) return t("train.own_upload_gone");
  return set?.shrunk ? t("train.own_shrunk", { count: set.shrunk }) : "";
}

/**
 * As `send`: go(body) sends the files, after large photos among them were made smaller where all together are much. What these
 * became stands in given.smaller, for the next time.
 */
function sendSmaller(given, go, say) {
  if (given.smaller || !isMuch(given.sent)) return go(bodyOf(given));
  const stop = new AbortController();
  let sending = null;
  const answer = shrunk(given.sent, say, stop.signal).then((smaller) => {
    given.smaller = smaller;
    sending = go(bodyOf(given));
    return sending.answer;
  });
  const cancel = () => (sending ? sending.cancel() : stop.abort());
  return {
    answer,
    cancel,
    get sent() {
      return Boolean(sending?.sent);
    },
  };
}

/** smaller: file -> what is sent instead. */
function bodyOf({ sent, others, smaller = new Map() }) {
  const body = new FormData();
  sent.forEach((file, i) => body.append(`file-${i}`, smaller.get(file) ?? file, pathOf(file)));
  if (others.length) body.append("others", JSON.stringify(others));
  return body;
}

const jsonOf = (value) => new Blob([JSON.stringify(value)], { type: "application/json" });

/** 32 hex digits that nobody guesses. */
const randomKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
