// The Wall tab: the runs that others show, as live tiles, and the recorded ones.

import { openTab } from "../core/address.js";
import { start } from "../core/boot.js";
import { setText } from "../core/dom.js";
import { visibleTab } from "../core/gradio_shell.js";
import { everyVisible } from "../core/schedule.js";
import { getJSON } from "../core/server.js";
import { t } from "../core/text.js";
import { scoresInWords, showScores } from "../run/scores.js";
import { Tile } from "./tile.js";

const EVERY_MS = 3000;
const LOOK_MS = 500; // at which tab is open

export function mount(element) {
  start(() => new WallTab(element.querySelector(".gf-wall") ?? element).start());
}

class WallTab {
  constructor(root) {
    this.part = (name) => root.querySelector(`[data-gf="${name}"]`);
    this.tiles = new Map(); // run id -> Tile
    this.hasRecorded = false;
    this.due = 0;
  }

  start() {
    this.part("go-train").addEventListener("click", () => openTab("train"));
    this.poll = everyVisible(LOOK_MS, () => this.look());
  }

  /** Ask the server every few seconds while the tab is open, and as soon as it is opened. */
  async look() {
    const open = visibleTab() === "wall";
    if (!open) this.due = 0;
    if (!open || performance.now() < this.due) return;
    await this.refresh();
    await this.showGame();
    if (!this.hasRecorded) await this.showRecorded();
    this.due = performance.now() + EVERY_MS;
  }

  async refresh() {
    const { live } = await getJSON("wall");
    this.fill("tiles", live);
    this.part("none").hidden = live.length > 0;
    this.part("about").hidden = !live.length;
    this.part("tiles").setAttribute("aria-busy", "false");
  }

  /** How people do against D with the pictures of the run that was played most. */
  async showGame() {
    const scores = await getJSON("game").catch(() => null);
    this.part("game-box").hidden = !scores?.run;
    if (!scores?.run) return;
    setText(this.part("game-title"), t("wall.game", { title: scores.title }));
    setText(this.part("game-words"), scoresInWords(scores));
    showScores(this.part("game-scores"), scores.bins);
    this.part("go-game").onclick = () => openTab("game", { run: scores.run });
  }

  /** Once: they stay as they are. */
  async showRecorded() {
    const { recorded } = await getJSON("wall/recorded");
    this.fill("recorded", recorded);
    this.part("recorded-box").hidden = !recorded.length;
    this.hasRecorded = true;
  }

  /** Tiles stay the same elements, so that no press and no focus is lost. */
  fill(name, told) {
    const list = this.part(name);
    const wanted = told.map((run) => this.tile(run));
    for (const element of [...list.children]) {
      if (wanted.includes(element)) continue;
      element.remove();
      this.tiles.delete(element.dataset.run);
    }
    wanted.forEach((element, i) => {
      if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null);
    });
  }

  tile(run) {
    const tile = this.tiles.get(run.id) ?? new Tile(run);
    this.tiles.set(run.id, tile);
    tile.show(run);
    return tile.element;
  }
}
