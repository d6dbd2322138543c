// The Train tab: recipes, settings, own pictures, my runs, and which run the live view shows.

import { onState, readState, writeState } from "../core/address.js";
import { boot } from "../core/boot.js";
import { h, PHONE, setText } from "../core/dom.js";
import { takeDrops } from "../core/files/drops.js";
import { sendWithNotice } from "../core/files/upload.js";
import { notify } from "../core/notice.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON, postJSON } from "../core/server.js";
import { keeps } from "../core/storage.js";
import { t } from "../core/text.js";
import { rememberToken } from "../core/tokens.js";
import { forkRun } from "../run/fork.js";
import { choice, explainedChoice, folded, shown, toggle, typed } from "../run/form_fields.js";
import { DatasetChoice } from "./dataset_choice.js";
import { LiveView } from "./live.js";
import { RunList } from "./run_list.js";
import { Waiting } from "./waiting.js";

const RUNS_MS = 5000;
const ACTIVE = ["running", "paused"];
const KNOB_PREFIX = "k.";
const GROUPS = ["start", "famous", "reference", "gallery"];
const NOT_FOLDED = ["main", "fixed"]; // groups of knobs; every other one is a section behind the fold
const FIRST_KNOBS = ["d_lr", "g_lr", "batch", "total_steps", "seed"];

export async function mount(element) {
  const root = element.querySelector(".gf-train") ?? element;
  try {
    const data = await boot();
    new TrainTab(root, data).start();
  } catch (error) {
    notify(error.message, "error");
    setTimeout(() => mount(element), 2000);
  }
}

class TrainTab {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.recipe = data.recipes[0];
    this.fields = new Map(); // knob name -> {get, set, box}
    this.datasets = new DatasetChoice(this.part, data, {
      changed: () => this.formChanged(),
      say: (sentence) => this.showError(sentence),
    });
    this.live = new LiveView(root, {
      onStartOver: (meta) => this.startOver(meta),
      onRemedy: (what) => this.tryRemedy(what),
      onRecorded: data.recorded && (() => this.openNothing()),
      onNoRoom: (refusal, again) => this.waiting.show(refusal, { label: t("train.resume"), again }, this.part("message")),
      onChange: () => this.runChanged(),
      onProgress: (share) => this.showWatched(share),
    });
    this.waiting = new Waiting(this.part("busy"), this.part("train"), {
      open: (runId) => this.openRun(runId),
      pause: (runId) => postJSON(`runs/${runId}/command`, { command: "pause" }),
    });
    this.runList = new RunList(this.part("runs"), {
      current: () => this.live.runId,
      open: (runId) => this.openRun(runId),
      resume: (runId) => this.continueRun(runId),
      changed: (runId) => runId === this.live.runId && this.live.statusChanged(),
      gone: (runId) => runId === this.live.runId && this.openNothing(),
    });
  }

  start() {
    this.buildRecipes();
    this.buildKnobs();
    this.listen();
    this.show(this.firstState());
    onState("train", (state) => this.arrive(state));
    this.runsPoll = everyVisible(RUNS_MS, () => this.runList.refresh());
  }

  // ---- the address ----

  /** What the address says; of a link to the sliders of a run, that run. */
  firstState() {
    const state = readState("train");
    const run = /^run-([\w-]+)(?:@best)?$/.exec(readState("latent").w ?? "")?.[1];
    return Object.keys(state).length || !run ? state : { run };
  }

  /** Show what an address says: a run, or settings for one. */
  show(state) {
    this.fillForm(state);
    if (state.run) this.openRun(state.run);
    else if (this.data.recorded) this.openRecording();
    else this.live.showEmpty();
  }

  /** Another tab sends someone here: settings fill the form, and a run that is open stays on the screen. */
  arrive(state) {
    const { runId, meta } = this.live;
    if (state.run || !runId || meta.recorded) {
      this.show(state);
      return;
    }
    this.fillForm(state);
    writeState("train", { run: runId });
  }

  openRun(runId) {
    if (!this.waiting.on) this.waiting.hide();
    writeState("train", { run: runId });
    return this.live.open(runId).catch((error) => {
      notify(error.message, "error");
      if (!error.offline) this.openNothing();
    });
  }

  openNothing() {
    this.writeForm();
    if (this.data.recorded) this.openRecording();
    else this.live.showEmpty();
  }

  openRecording() {
    this.live.open(this.data.recorded, { replay: true }).catch(() => this.live.showEmpty());
  }

  fillForm(state) {
    const recipe = this.data.recipes.find(({ name }) => name === state.recipe);
    if (state.recipe && !recipe) this.showError(t("train.unknown_recipe", { name: state.recipe.slice(0, 60) }));
    this.choose(recipe ?? this.recipe, { write: false });
    if (state.dataset && !this.datasets.open(state.dataset))
      this.showError(t("train.unknown_dataset", { name: state.dataset.slice(0, 60) }));
    for (const [key, value] of Object.entries(state))
      if (key.startsWith(KNOB_PREFIX)) this.fields.get(key.slice(KNOB_PREFIX.length))?.set(value);
    this.showChanged();
  }

  /** Settings stand in the address until a run is open; then the run does. */
  writeForm() {
    const knobs = Object.entries(this.changes()).map(([name, value]) => [KNOB_PREFIX + name, value]);
    const dataset = this.datasets.chosen ? this.datasets.name : "";
    writeState("train", { recipe: this.recipe.name, dataset, ...Object.fromEntries(knobs) });
  }

  formChanged() {
    if (this.live.meta?.needs) this.live.statusChanged(); // perhaps the pictures that the run lacks have been prepared
    this.showChanged();
    this.showError("");
    if (!readState("train").run) this.writeForm();
  }

  // ---- recipes ----

  buildRecipes() {
    const groups = GROUPS.flatMap((group) => {
      const cards = this.data.recipes.filter((recipe) => recipe.group === group).map((recipe) => this.card(recipe));
      const title = t(`train.group_${group}`);
      const list = h("fieldset", { class: "gf-recipes", "aria-label": title }, cards);
      if (group === GROUPS[0]) return [h("div", { class: "gf-section-title" }, title), list];
      return h("details", { class: "gf-section" }, h("summary", { class: "gf-section-title" }, title), list);
    });
    this.part("recipes").replaceChildren(...groups);
  }

  card(recipe) {
    const choose = () => this.choose(recipe);
    return h(
      "label",
      { class: "gf-recipe", dataset: { recipe: recipe.name } },
      h("input", { type: "radio", name: "gf-recipe", value: recipe.name, onchange: choose }),
      h("span", { class: "gf-recipe-title" }, recipe.title),
      h("span", { class: "gf-recipe-about" }, recipe.about),
      h("span", { class: "gf-recipe-look" }, h("b", {}, t("train.look_for")), " ", recipe.look_for),
    );
  }

  choose(recipe, { write = true } = {}) {
    const seed = this.fields.get("seed")?.get();
    this.recipe = recipe;
    const card = this.root.querySelector(`.gf-recipe[data-recipe="${CSS.escape(recipe.name)}"]`);
    card.querySelector("input").checked = true;
    if (card.closest("details")) card.closest("details").open = true;
    for (const [name, field] of this.fields) field.set(recipe.config[name]);
    if (seed !== undefined && write) this.fields.get("seed").set(seed);
    this.datasets.fit(recipe);
    if (write) this.formChanged();
  }

  // ---- knobs ----

  buildKnobs() {
    const { knobs } = this.data;
    const main = knobs.filter(({ group }) => group === "main").sort((a, b) => rank(a) - rank(b));
    this.part("knobs-main").replaceChildren(...main.map((knob) => this.knob(knob)));
    const folded = [...new Set(knobs.map(({ group }) => group))].filter((group) => !NOT_FOLDED.includes(group));
    this.part("knobs-more").replaceChildren(...folded.map((group) => this.section(group)));
  }

  /** The knobs of one group behind its heading. */
  section(group) {
    const knobs = this.data.knobs.filter((knob) => knob.group === group).map((knob) => this.knob(knob));
    const title = h("summary", {}, t(`train.section_${group}`), h("span", { class: "gf-hint gf-section-changed" }));
    const letters = group === "objective" && h("p", { class: "gf-hint gf-letters" }, t("train.letters"));
    const inside = h("div", { class: "gf-knobs" }, knobs[0], letters, knobs.slice(1));
    return h("details", { class: "gf-section", dataset: { section: group } }, title, inside);
  }

  knob(knob) {
    const id = `gf-knob-${knob.name}`;
    const control = this.control(knob, id);
    const hint = control.hint ?? h("p", { class: "gf-hint", id: `${id}-hint` }, knob.help);
    const label = h("label", { htmlFor: id, title: knob.help }, knob.label);
    const wide = knob.group === "main" ? "" : " gf-knob-more";
    const note = this.data.notes[knob.name];
    const box = h(
      "div",
      { class: `gf-field gf-knob${wide}`, dataset: { knob: knob.name } },
      label,
      control.element,
      hint,
      note && folded(note),
    );
    control.element.addEventListener("input", () => this.formChanged());
    this.fields.set(knob.name, { ...control, box });
    return box;
  }

  control(knob, id) {
    if (knob.kind === "bool") return toggle(id);
    const table = this.data.tables[knob.name];
    if (table) return explainedChoice(id, table);
    return knob.choices.length
      ? choice(
          id,
          knob.choices.map((name) => ({ name })),
        )
      : typed(id, knob.kind);
  }

  /** What differs from the recipe, as it was typed: the server says what it cannot use. */
  changes() {
    const changed = [...this.fields].filter(([name, field]) => field.get() !== shown(this.recipe.config[name]));
    return Object.fromEntries(changed.map(([name, field]) => [name, field.get()]));
  }

  showChanged() {
    const names = Object.keys(this.changes());
    for (const [name, field] of this.fields) field.box.toggleAttribute("data-changed", names.includes(name));
    const changedIn = (box) => box.querySelectorAll("[data-changed]").length;
    const more = changedIn(this.part("knobs-more"));
    setText(this.part("more-title"), more ? t("train.more_changed", { count: more }) : t("train.more"));
    for (const section of this.part("knobs-more").children) {
      const count = changedIn(section);
      setText(section.querySelector(".gf-section-changed"), count ? t("train.section_changed", { count }) : "");
    }
    this.part("reset").hidden = names.length === 0;
  }

  // ---- starting ----

  listen() {
    this.part("bring-back").addEventListener("change", (event) => this.bringBack(event));
    takeDrops("train", (files) => this.datasets.pictures.drop(files), this.part("drop"));
    this.part("reset").addEventListener("click", () => this.choose(this.recipe, { write: false }) ?? this.formChanged());
    this.part("train").addEventListener("click", () => this.train());
    this.part("train").disabled = !this.data.may_train;
    this.part("only-here").hidden = this.data.may_train;
    this.part("runs-hint").hidden = this.data.owner;
    this.warnOfForgetting();
  }

  /** In some frames and private windows a run's token is lost with the page; outside a frame it may be kept. */
  warnOfForgetting() {
    this.part("keeps-nothing").hidden = keeps();
    const direct = this.part("open-directly");
    direct.hidden = window.top === window;
    direct.addEventListener("click", () => (direct.href = location.href));
  }

  showError(sentence) {
    const note = this.part("setup-error");
    note.hidden = !sentence;
    setText(note, sentence);
    if (sentence && isPhone()) notify(sentence, "error");
    this.markField(/\((\w+)\)/.exec(sentence)?.[1]);
  }

  /** The server's sentence names the setting in brackets: show which field it is. */
  markField(wanted) {
    for (const [name, { element }] of this.fields) {
      element.setAttribute("aria-invalid", String(name === wanted));
    }
    const box = this.fields.get(wanted)?.box;
    if (!box) return;
    for (let fold = box.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    box.scrollIntoView({ block: "nearest" });
  }

  train() {
    const notYet = this.datasets.notYet();
    if (notYet) {
      this.part("own").scrollIntoView({ block: "nearest" });
      this.showError(notYet);
      return null;
    }
    const shown = this.part("shown").checked;
    return this.create({ recipe: this.recipe.name, dataset: this.datasets.name, changes: this.changes(), shown });
  }

  async create(order) {
    const button = this.part("train");
    const pressed = [button, ...this.part("bar").children].includes(document.activeElement);
    button.disabled = true;
    setText(button, t("train.starting"));
    this.showError("");
    this.waiting.hide();
    try {
      const { id, token } = await postJSON("runs", order);
      rememberToken(id, token);
      await this.openRun(id);
      if (isPhone()) this.part("live").scrollIntoView({ block: "start" });
      if (pressed) this.focusPause();
      this.runsPoll.now();
    } catch (error) {
      this.refused(
        error,
        () => this.create(order),
        (sentence) => this.showError(sentence),
      );
    } finally {
      button.disabled = false;
      setText(button, t("train.train"));
    }
  }

  /** Where the keyboard goes after Train: to what one presses next. */
  focusPause() {
    const pause = isPhone() ? this.part("bar").firstElementChild : this.part("pause");
    pause.focus({ preventScroll: true });
  }

  /** The same settings once more, as a new run; the old one is kept as it is. */
  async startOver(meta) {
    if (ACTIVE.includes(this.live.status) && !(await this.stopAndWait())) return;
    const recipe = this.data.recipes.find(({ name }) => name === meta.config.recipe) ?? this.recipe;
    const changed = [...this.fields.keys()].filter((name) => shown(meta.config[name]) !== shown(recipe.config[name]));
    const changes = Object.fromEntries(changed.map((name) => [name, shown(meta.config[name])]));
    await this.create({ recipe: recipe.name, dataset: meta.config.dataset, changes, shown: meta.shown });
  }

  /** No room is something to wait for; whatever else went wrong is said. */
  refused(error, again, say) {
    if (error.details?.busy) this.waiting.show(error.details, { label: t("train.train"), again });
    else say(error.message);
  }

  /** What the diagnosis suggests, as a fork; the run it was found in is kept. */
  async tryRemedy({ runId, remedy, step }) {
    try {
      await this.openRun(await forkRun(runId, remedy, step));
      this.runsPoll.now();
    } catch (error) {
      this.refused(
        error,
        () => this.tryRemedy({ runId, remedy, step }),
        (sentence) => notify(sentence, "error"),
      );
    }
  }

  async stopAndWait() {
    if (!(await this.live.command({ command: "stop" }))) return false;
    for (let attempt = 0; attempt < 40; attempt++) {
      const { status } = await getJSON(`runs/${this.live.runId}`);
      if (!ACTIVE.includes(status)) return true;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    return true;
  }

  // ---- my runs ----

  async continueRun(runId) {
    await this.openRun(runId);
    await this.live.command({ command: "resume" });
    this.runsPoll.now();
  }

  async bringBack(event) {
    const [file] = event.target.files;
    event.target.value = "";
    if (!file) return;
    try {
      const { id, token, pictures_token } = await sendWithNotice("runs/import", file, t("train.bringing_back"));
      rememberToken(id, token);
      if (pictures_token) await this.datasets.adopt((await getJSON(`runs/${id}`)).dataset, pictures_token);
      await this.openRun(id);
      this.runsPoll.now();
      notify(t("train.brought_back"));
    } catch (error) {
      notify(error.message, error.cancelled ? "info" : "error");
    }
  }

  // ---- the bar at the foot of a phone ----

  runChanged() {
    const { live } = this;
    const active = ACTIVE.includes(live.status);
    const role = !active ? "starting" : live.mine ? "steering" : "watching";
    this.root.dataset.steering = String(role === "steering");
    this.root.dataset.watching = String(role === "watching");
    const bar = this.part("bar");
    const focused = bar.contains(document.activeElement);
    bar.replaceChildren(...this.barFor(role));
    if (focused) bar.firstElementChild.focus();
    this.showWatched(this.watchedShare);
    if (this.runsPoll) this.runsPoll.now();
  }

  /** A watcher reads what is watched: no button there takes the place of what others train. */
  barFor(role) {
    const { live } = this;
    const press = (name) => () => this.part(name).click();
    const watched = h("b", { dataset: { gf: "watched" } });
    if (role === "watching") return [h("p", { class: "gf-bar-watch" }, watched, h("span", {}, live.meta.title))];
    if (role === "starting") return [barButton(t("train.train"), press("train"), true)];
    const pauseKey = live.status === "running" ? "train.pause" : "train.resume";
    return [barButton(t(pauseKey), press("pause"), true), barButton(t("train.stop"), press("stop"))];
  }

  showWatched(share = 0) {
    this.watchedShare = share;
    const words = t("train.watching_bar", { percent: (100 * share).toFixed(1), status: t(`train.status_${this.live.status}`) });
    if (this.part("watched")) setText(this.part("watched"), words);
  }
}

const isPhone = () => matchMedia(PHONE).matches;

/** The knobs people turn most come first, the others stay in the order of the table. */
const rank = ({ name }) => (FIRST_KNOBS.includes(name) ? FIRST_KNOBS.indexOf(name) : FIRST_KNOBS.length);

function barButton(text, onclick, primary = false) {
  return h("button", { type: "button", class: `gf-btn gf-btn-big${primary ? " gf-btn-primary" : ""}`, onclick }, text);
}
