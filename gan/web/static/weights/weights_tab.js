// What every tab does that draws with chosen weights: it opens an address, begins with weights, keeps up with a run that
// learns, and is written into the address again.

import { onState, openTab, readState, writeState } from "../core/address.js";
import { copyLink } from "../core/controls/copy_link.js";
import { smoothChoice } from "../core/controls/smooth_choice.js";
import { visibleTab } from "../core/gradio_shell.js";
import { notify } from "../core/notice.js";
import { afterPause, everyVisible } from "../core/schedule.js";
import { t } from "../core/text.js";
import { behind, bring, holds } from "../engine/draw_here.js";
import { aboutWeights, firstChoice, keepFresh, newestAbout } from "./about.js";
import { weightsSelect } from "./select.js";

export const QUIET_MS = 150; // so long rests a hand before what it set is written down
const EVERY_MS = 1000;
const LOOK_EVERY = 5; // ticks between two looks at the list of weights
const AGAIN_EVERY = 3; // ticks between two tries where none could be opened

/** What a tab does its own way is at the end of the class. `this.about` is what is known of the weights, null before any. */
export class WeightsTab {
  /** name: the tab's id. root: its element. */
  constructor(name, root) {
    this.name = name;
    this.part = (part) => root.querySelector(`[data-gf="${part}"]`);
    this.state = this.stateOf({});
    this.about = null;
    this.ticks = 0;
    this.settle = afterPause(QUIET_MS, () => this.rest());
    this.select = weightsSelect(this.part("weights"), (id) => this.choose(id));
    this.part("copy-link").addEventListener("click", (event) => this.copy(event.currentTarget));
    smoothChoice(this.part("smooth"));
    this.part("go-train").addEventListener("click", () => openTab("train"));
  }

  async begin() {
    onState(this.name, (state) => this.open(state));
    await this.open(readState(this.name));
    everyVisible(EVERY_MS, () => this.tick());
  }

  /** Show a state from the address, or the first weights there are. */
  async open(address) {
    this.state = this.stateOf(address);
    const weights = await this.select.refresh(address.w);
    const first = firstChoice(weights);
    const id = address.w ?? first;
    this.part("view").hidden = !id;
    this.part("empty").hidden = Boolean(id);
    if (id && !(await this.choose(id)) && first && first !== id) await this.choose(first);
  }

  /** Draw with these weights from now on; false, and a sentence, when they cannot be had. */
  async choose(id) {
    try {
      this.about = await aboutWeights(id);
    } catch (error) {
      notify(error.message, "error");
      return false;
    }
    this.state = { ...this.state, w: id, ...this.fitted() };
    await this.select.refresh(id, this.about.title);
    this.part("weights").disabled = false;
    this.build();
    this.part("view").removeAttribute("aria-busy");
    await this.show();
    this.rest();
    this.bring();
    return true;
  }

  /** The weights come to the page while the server draws; from then on the page draws by itself. */
  async bring() {
    if (await bring(this.about)) await this.redraw();
  }

  /** Once a second: newer weights of a run that learns; now and then the list of weights. */
  async tick() {
    if (visibleTab() !== this.name) return;
    this.ticks += 1;
    if (!this.about) return this.ticks % AGAIN_EVERY ? undefined : this.open(readState(this.name));
    await keepFresh(this.about);
    if (this.ticks % LOOK_EVERY === 0) await this.lookAgain();
    await this.keepUp();
  }

  async lookAgain() {
    await this.select.refresh(this.state.w, this.about.title);
    if (!holds(this.state.w) && !this.about.gone) this.bring(); // they were lost on their way
  }

  /** Whether there may be newer weights than those that are drawn with. */
  get followed() {
    return (this.about.live || behind(this.about)) && !this.about.gone;
  }

  async follow() {
    const { stamp } = this.about;
    this.about = await newestAbout(this.about);
    this.newsOfWeights();
    if (this.drawsHere) await this.bring();
    else if (this.about.stamp !== stamp) await this.redraw();
  }

  copy(button) {
    this.write();
    copyLink(button);
  }

  write() {
    writeState(this.name, this.address());
  }

  // ---- each tab its own way ----

  /** The state that an address of the tab means. */
  stateOf(address) {
    return address;
  }

  /** The state as an address. */
  address() {
    return this.state;
  }

  /** What of the state is another with these weights. */
  fitted() {
    return {};
  }

  /** Make the controls for these weights. */
  build() {}

  /** Draw all that is shown. */
  async redraw() {}

  /** Draw what is shown first; rest() follows. */
  async show() {
    await this.redraw();
  }

  /** The hand rests. */
  rest() {
    this.write();
  }

  /** A second has passed. */
  async keepUp() {
    if (this.followed) await this.follow();
  }

  /** There is something new to say of the weights. */
  newsOfWeights() {
    if (this.about.gone) notify(t("latent.gone_hint"), "error");
  }

  /** Whether the page draws what is shown, and not the server. */
  get drawsHere() {
    return holds(this.about.id);
  }
}
