// The How-it-works tab: fills the drawing with the numbers and pictures of the run on the screen.

import { openTab } from "../core/address.js";
import { start } from "../core/boot.js";
import { setText } from "../core/dom.js";
import { percentOf, short, whole } from "../core/format.js";
import { visibleTab } from "../core/gradio_shell.js";
import { everyVisible } from "../core/schedule.js";
import { url } from "../core/server.js";
import { t } from "../core/text.js";
import { followerOf } from "../run/follower.js";
import { recordingOf } from "../run/recordings.js";
import { onRun } from "../run/shown_run.js";

const EVERY_MS = 1000;
const TILES = 3;
const NOISE_SIDE = 8;

export function mount(element) {
  start((data) => begin(element, data));
}

function begin(element, data) {
  const drawing = new Drawing(element);
  drawing.pictures("noise", [noiseURL()]);
  for (const { name, title } of data.recipes)
    for (const slot of element.querySelectorAll(`[data-gf="program-title"][data-recipe="${name}"]`)) setText(slot, title);
  for (const button of element.querySelectorAll('[data-gf="program"]'))
    button.addEventListener("click", () => openTab("train", { recipe: button.dataset.recipe }));
  const shown = new ShownRun(drawing);
  let wanted = recordingOf(data);
  onRun((runId) => (wanted = runId ?? recordingOf(data)));
  everyVisible(EVERY_MS, async () => {
    if (visibleTab() === "how" && wanted) await shown.show(wanted);
  });
}

/** Every slot exists twice, in the wide and in the narrow drawing. */
class Drawing {
  constructor(root) {
    this.root = root;
    const fitted = new ResizeObserver((entries) => entries.forEach(({ target }) => this.fit(target)));
    for (const drawing of root.querySelectorAll(".gf-drawing")) fitted.observe(drawing);
  }

  /** Words that are longer than their room are set smaller, in the one of the drawings that is shown. */
  fit(drawing) {
    for (const words of drawing.querySelectorAll("[data-room]")) {
      words.style.fontSize = "";
      const share = words.dataset.room / words.getComputedTextLength();
      if (share < 1) words.style.fontSize = `${share * parseFloat(getComputedStyle(words).fontSize)}px`;
    }
  }

  slots(name) {
    return this.root.querySelectorAll(`[data-gf="${name}"]`);
  }

  text(name, words) {
    for (const slot of this.slots(name)) {
      setText(slot, words);
      if (slot.dataset.room) this.fit(slot.ownerSVGElement);
    }
  }

  bar(name, share) {
    for (const slot of this.slots(name)) slot.style.transform = `scaleX(${Math.max(0, Math.min(1, share))})`;
  }

  /** One address goes to the slot `name`, several to `name-0`, `name-1`, ... */
  pictures(name, addresses) {
    addresses.forEach((address, i) => {
      const slot = addresses.length > 1 ? `${name}-${i}` : name;
      for (const image of this.slots(slot)) image.setAttribute("href", address);
    });
  }
}

/** The run that the drawing is filled with. */
class ShownRun {
  constructor(drawing) {
    this.drawing = drawing;
    this.runId = null;
    this.follower = null;
    this.subscriber = { tab: "how", changed: (change) => this.changed(change) };
  }

  /** What was drawn of a run that is gone stays. */
  async show(runId) {
    if (runId === this.runId) return;
    this.follower?.unsubscribe(this.subscriber);
    this.follower = await followerOf(runId).catch((error) => {
      if (!error.details?.gone) throw error;
      return null;
    });
    this.runId = runId;
    this.begun = false;
    this.follower?.subscribe(this.subscriber);
  }

  async changed(change) {
    const { snapshot, history, sheet, meta } = this.follower;
    if (change.has("gone")) this.follower.unsubscribe(this.subscriber);
    if (!snapshot || change.has("gone")) return;
    if (change.has("picture")) this.drawing.pictures("fake", cut(sheet, meta.tiles.size, meta.tiles.columns));
    if (change.has("snapshot")) this.showNumbers(snapshot, history.lastRow ?? {});
    if (!this.begun) await this.begin();
  }

  /** What stays as it is, once there is data. */
  async begin() {
    this.begun = true;
    const { config, tiles, dataset_title } = this.meta;
    this.drawing.text("noise-about", t("how.noise_about", { count: config.z_dim }));
    this.drawing.text("dataset", dataset_title ?? config.dataset);
    const real = await pictureOf(url(`runs/${this.runId}/real.png`)).catch(() => null);
    if (real) this.drawing.pictures("real", cut(real, tiles.size, Math.floor(real.width / tiles.size)));
  }

  get meta() {
    return this.follower.meta;
  }

  showNumbers(live, row) {
    const { drawing, meta } = this;
    drawing.text("source", t("how.source", { title: meta.title, step: whole(live.step) }));
    drawing.text("d-loss", short(row.d_loss));
    drawing.text("g-loss", short(row.g_loss));
    drawing.text("d-rate", short(live.lr?.d));
    drawing.text("g-rate", short(live.lr?.g));
    for (const kind of ["real", "fake"]) this.showVerdict(kind, row[`d_${kind}`], row);
  }

  showVerdict(kind, value, row) {
    const known = Number.isFinite(value);
    const percent = this.meta.verdict_is_probability;
    const largest = Math.max(1e-6, Math.abs(row.d_real ?? 0), Math.abs(row.d_fake ?? 0));
    this.drawing.text(`verdict-${kind}`, !known ? "–" : percent ? percentOf(value) : short(value));
    // A score has no ends: half the bar is 0, and the larger of the two scores fills its side.
    this.drawing.bar(`bar-${kind}`, !known ? 0 : percent ? value : 0.5 + (0.5 * value) / largest);
  }
}

async function pictureOf(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  return image;
}

/** The first few tiles of a sheet as addresses of small pictures. */
function cut(sheet, size, columns) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  const ctx = canvas.getContext("2d");
  return Array.from({ length: TILES }, (_, i) => {
    ctx.drawImage(sheet, (i % columns) * size, Math.floor(i / columns) * size, size, size, 0, 0, size, size);
    return canvas.toDataURL();
  });
}

function noiseURL() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = NOISE_SIDE;
  const image = new ImageData(NOISE_SIDE, NOISE_SIDE);
  for (let i = 0; i < NOISE_SIDE * NOISE_SIDE; i++) {
    const grey = Math.floor(256 * Math.random());
    image.data.set([grey, grey, grey, 255], 4 * i);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.toDataURL();
}
