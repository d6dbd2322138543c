// "My runs" in the Train tab: opening, continuing, renaming, keeping, comparing, deleting.

import { openTab, readState } from "../core/address.js";
import { forOthers, offerLink, onlyHere } from "../core/controls/copy_link.js";
import { h } from "../core/dom.js";
import { percentOf } from "../core/format.js";
import { notify } from "../core/notice.js";
import { api, getJSON, postJSON } from "../core/server.js";
import { moment, t } from "../core/text.js";
import { controlLink, forgetToken, owns } from "../core/tokens.js";
import { withRun } from "../run/compared.js";

export class RunList {
  /** list: a <ul>. hooks: {current() -> run id, open(id), resume(id), gone(id), changed(id), listed(runs)}. */
  constructor(list, hooks) {
    this.list = list;
    this.hooks = hooks;
    this.runs = [];
    this.going = new Set(); // ids of runs that are deleted next
    this.rows = new Map(); // run id -> {fingerprint, row}
    this.unfolded = null;
  }

  /** Ask the server; draw what differs, unless somebody is typing. */
  async refresh() {
    const { runs, going, gone } = await getJSON("runs");
    this.runs = runs;
    this.going = new Set(going);
    if (gone.length) this.tellGone(gone);
    this.hooks.listed(runs);
    if (!this.list.contains(document.activeElement) || !this.list.querySelector("input")) this.draw();
  }

  /** Once, until it is closed: this browser then no longer asks for them. */
  tellGone(gone) {
    notify(t("train.gone_for_room", { count: gone.length, titles: gone.map(({ title }) => title) }), "error");
    for (const { id } of gone) forgetToken(id);
  }

  /** Rows that tell nothing new stay as they are, with the focus in them: only their progress moves. */
  draw() {
    const rows = this.runs.map((run) => this.upToDate(run));
    for (const [id, { row }] of this.rows) {
      if (rows.includes(row)) continue;
      row.remove();
      this.rows.delete(id);
    }
    for (const [at, row] of rows.entries()) {
      if (this.list.children[at] !== row) this.list.insertBefore(row, this.list.children[at] ?? null);
    }
  }

  upToDate(run) {
    const told = [this.hooks.current() === run.id, this.unfolded === run.id, this.going.has(run.id), kind(run)];
    const fingerprint = JSON.stringify([...told, run.title, run.kept, run.shown, owns(run.id), when(run.created)]);
    const before = this.rows.get(run.id);
    const row = before?.fingerprint === fingerprint ? before.row : this.row(run);
    if (row !== before?.row) {
      const focused = before?.row.contains(document.activeElement);
      before?.row.replaceWith(row);
      if (focused) row.querySelector(".gf-run-more").focus({ preventScroll: true });
      this.rows.set(run.id, { fingerprint, row });
    }
    const moves = row.querySelector("[data-progress]");
    if (moves.textContent !== progress(run)) moves.textContent = progress(run);
    return row;
  }

  row(run) {
    const open = h(
      "button",
      {
        type: "button",
        class: "gf-run",
        "aria-current": run.id === this.hooks.current() ? "true" : null,
        onclick: () => this.hooks.open(run.id),
      },
      h("span", { class: "gf-run-name" }, run.kept && h("span", { class: "gf-kept", title: t("train.kept") }, "★ "), run.title),
      h(
        "span",
        { class: "gf-hint gf-num" },
        `${when(run.created)} · ${t(`train.status_${kind(run)}`)} · `,
        h("span", { dataset: { progress: "" } }),
      ),
      this.going.has(run.id) && h("span", { class: "gf-hint", title: t("train.going_hint") }, t("train.going")),
    );
    const resume = run.status === "interrupted" && owns(run.id);
    const go = () => this.hooks.resume(run.id);
    const unfolded = this.unfolded === run.id;
    const name = t("train.run_more", { title: run.title });
    const more = h(
      "button",
      {
        type: "button",
        class: "gf-btn gf-btn-quiet gf-run-more",
        "aria-label": name,
        title: name,
        "aria-expanded": String(unfolded),
        onclick: () => this.unfold(unfolded ? null : run.id),
      },
      "⋯",
    );
    return h(
      "li",
      { "data-run": run.id },
      open,
      resume && h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick: go }, t("train.continue")),
      more,
      unfolded && this.tools(run),
    );
  }

  unfold(runId) {
    const row = this.runs.findIndex(({ id }) => id === (runId ?? this.unfolded));
    this.unfolded = runId;
    this.draw();
    this.list.children[row].querySelector(".gf-run-more").focus({ preventScroll: true });
    this.list.children[row].scrollIntoView({ block: "nearest" });
  }

  // ---- what can be done with a run ----

  tools(run) {
    const box = h("div", { class: "gf-row gf-run-tools" });
    const press = (key, onclick, props = {}) =>
      h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick, ...props }, t(`train.${key}`));
    const offers = [
      press("rename", () => this.rename(run, box)),
      press(run.kept ? "unkeep" : "keep", () => this.change(run, { kept: !run.kept }), { title: t("train.keep_hint") }),
      press(run.shown ? "unshow" : "show", () => this.change(run, { shown: !run.shown }), {
        title: t(run.dataset.startsWith("own-") ? "train.shown_own" : "train.shown_hint"),
      }),
      press("compare", () => openTab("compare", withRun(readState("compare"), run.id)), { title: t("train.compare_hint") }),
      press("control", (event) => this.offerControl(run, event.currentTarget), { title: t("train.control_hint") }),
      press("delete", () => this.confirm(run, box)),
    ];
    box.append(...offers.filter(Boolean));
    return box;
  }

  /** A link with a token of its own: whoever opens it may steer this run, and nothing else. */
  async offerControl(run, button) {
    try {
      const { token } = await postJSON(`runs/${run.id}/token`);
      const page = new URL(`?tab=train&run=${run.id}`, document.baseURI).href;
      await offerLink(button, controlLink(forOthers(page), run.id, token));
      notify(t(onlyHere() ? "train.control_only_here" : "train.control_said"));
    } catch (error) {
      notify(error.message, "error");
    }
  }

  rename(run, box) {
    const field = h("input", { class: "gf-input", value: run.title, maxLength: 80, "aria-label": t("train.rename_label") });
    const form = h(
      "form",
      { class: "gf-row gf-run-tools" },
      field,
      h("button", { type: "submit", class: "gf-btn gf-btn-mini" }, t("train.save")),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.change(run, { title: field.value });
    });
    form.addEventListener("keydown", (event) => event.key === "Escape" && this.redraw());
    box.replaceWith(form);
    form.scrollIntoView({ block: "nearest" });
    field.focus({ preventScroll: true });
    field.select();
  }

  confirm(run, box) {
    const sure = h(
      "button",
      { type: "button", class: "gf-btn gf-btn-mini gf-btn-bad", onclick: () => this.remove(run) },
      t("train.delete"),
    );
    const no = h("button", { type: "button", class: "gf-btn gf-btn-mini", onclick: () => this.redraw() }, t("common.cancel"));
    box.replaceChildren(h("span", { class: "gf-hint" }, t("train.delete_sure")), sure, no);
    no.focus();
  }

  redraw() {
    this.rows.clear();
    this.list.replaceChildren();
    this.draw();
  }

  async change(run, body) {
    const asked = { method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    if (!(await this.ask(run, asked))) return;
    this.unfolded = null;
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    await this.refresh();
    this.hooks.changed(run.id);
  }

  async remove(run) {
    if (!(await this.ask(run, { method: "DELETE" }))) return;
    forgetToken(run.id);
    this.unfolded = null;
    notify(t("train.deleted"));
    this.hooks.gone(run.id);
    await this.refresh();
  }

  async ask(run, options) {
    try {
      await api(`runs/${run.id}`, options);
      return true;
    } catch (error) {
      notify(error.message, "error");
      return false;
    }
  }
}

/** Its status, or what is to be said instead. */
const kind = ({ status, waits }) => (waits ? "waiting" : status);

/** Rounded down: only what is done has 100 %. */
const progress = ({ step, total_steps: total }) => percentOf(Math.floor((100 * step) / Math.max(1, total)) / 100);

/** Today's runs by the time of day, older ones by their date. */
function when(seconds) {
  const date = new Date(1000 * seconds);
  const today = date.toDateString() === new Date().toDateString();
  return today ? moment(date, { hour: "2-digit", minute: "2-digit" }) : moment(date, { day: "numeric", month: "short" });
}
