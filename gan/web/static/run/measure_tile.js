// The measure tile: how good the pictures of the shown step are, beside what real pictures reach.

import { nearest } from "../charts/numbers.js";
import { h, setText } from "../core/dom.js";
import { percentOf, short, times, whole } from "../core/format.js";
import { isActive } from "../core/run_status.js";
import { t } from "../core/text.js";

const FULL_HEIGHT = 3; // bars end at three times the even share; what is larger is cut off there

export class MeasureTile {
  /** part: finds an element by name. setShare(share): the owner has chosen another share of the time. */
  constructor(part, setShare) {
    this.part = part;
    this.bars = [];
    const select = part("measure-share");
    select.addEventListener("change", () => setShare(Number(select.value)));
  }

  /** measures: all of the run, oldest first. step: the one that is looked at, null for now. */
  show({ meta, snapshot, mine, status, step, measures }) {
    const active = isActive(status);
    const found = measureAt(measures, step);
    this.part("measures").hidden = !found && (!active || !meta || !snapshot);
    if (this.part("measures").hidden) return;
    const share = snapshot?.measure_share ?? 0;
    this.showShare(mine && active && meta.measurable, share);
    const note = found ? (snapshot?.measure_problem ?? "") : absence(meta, snapshot, share);
    this.part("measure-note").hidden = !note;
    setText(this.part("measure-note"), note);
    this.part("measure-numbers").hidden = !meta.measurable;
    setText(this.part("measure-moment"), found ? t("measures.at_step", { step: whole(found.step) }) : "");
    this.showNumbers(found, measures);
    this.showBars(found, meta.class_names);
  }

  showShare(visible, share) {
    const select = this.part("measure-share");
    this.part("measure-share-box").hidden = !visible;
    if (select.dataset.shown === String(share)) return; // the owner may have chosen another one just now
    select.dataset.shown = String(share);
    if (![...select.options].some(({ value }) => Number(value) === share))
      select.append(h("option", { value: String(share) }, percentOf(share)));
    select.value = String(share);
  }

  showNumbers(found, measures) {
    const write = (name, text) => setText(this.part(name), text || "\u00a0");
    write("m-fid", found ? t("measures.fid_value", { times: timesReal(found) }) : "–");
    write(
      "m-fid-best",
      best(
        measures,
        (m) => -m.fid / m.real_fid,
        (m) => t("measures.times", { times: timesReal(m) }),
      ),
    );
    const fids = found && { fid: short(found.fid), real: short(found.real_fid) };
    write("m-fid-real", found && t("measures.real_fid", fids));
    write("m-coverage", found ? percentOf(found.coverage) : "–");
    write(
      "m-coverage-best",
      best(
        measures,
        (m) => m.coverage,
        (m) => percentOf(m.coverage),
      ),
    );
    write("m-coverage-real", found && t("measures.real", { value: percentOf(found.real_coverage) }));
    write("m-kinds", found ? kinds(found) : "–");
    write(
      "m-kinds-best",
      best(measures, (m) => m.modes, kinds),
    );
    const all = found && { count: found.histogram.length, all: found.histogram.length };
    write("m-kinds-real", found && t("measures.real", { value: t("measures.kinds_of", all) }));
  }

  showBars(found, names) {
    if (this.bars.length !== names.length || this.names !== String(names)) this.makeBars(names);
    const total = found?.histogram.reduce((sum, count) => sum + count, 0) ?? 0;
    this.bars.forEach(({ box, fill, value }, i) => {
      const share = total ? found.histogram[i] / total : 0;
      fill.style.transform = `scaleY(${Math.min(1, (share * names.length) / FULL_HEIGHT)})`;
      setText(value, total ? String(Math.round(100 * share)) : "");
      box.setAttribute("aria-label", t("measures.bars_label", { name: names[i], percent: Math.round(100 * share) }));
    });
  }

  makeBars(names) {
    this.names = String(names);
    this.bars = names.map((name) => {
      const fill = h("i", {});
      const value = h("span", { class: "gf-num" });
      const box = h(
        "div",
        { class: "gf-measure-bar", role: "img" },
        value,
        h("div", {}, fill),
        h("span", { title: name }, name),
      );
      return { box, fill, value };
    });
    this.part("m-bars").classList.toggle(
      "gf-bars-long",
      names.some((name) => name.length > 3),
    );
    this.part("m-bars").replaceChildren(...this.bars.map(({ box }) => box));
  }
}

/** The measure of the moment that is looked at: the newest, or the one nearest to a step. */
export function measureAt(measures, step) {
  if (step === null) return measures.at(-1) ?? null;
  return (
    measures[
      nearest(
        measures.map((m) => m.step),
        step,
      )
    ] ?? null
  );
}

function absence(meta, snapshot, share) {
  if (!meta.measurable) return t("measures.not_measurable", { datasets: meta.measured_sets });
  if (snapshot?.measure_problem) return snapshot.measure_problem;
  return t(share ? "measures.soon" : "measures.is_off");
}

function best(measures, goodness, value) {
  if (!measures.length) return "";
  const found = measures.reduce((a, b) => (goodness(b) > goodness(a) ? b : a));
  return t("measures.best", { value: value(found), step: whole(found.step) });
}

const kinds = (m) => t("measures.kinds_of", { count: m.modes, all: m.histogram.length });

const timesReal = ({ fid, real_fid }) => times(fid / real_fid);
