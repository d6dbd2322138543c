// The microphone turns a slider: the louder somebody speaks, the further. The sound stays in the page, and nothing of it is kept.

import { askFor, letGo, NoDevice } from "../../core/device.js";
import { h, setText } from "../../core/dom.js";
import { visibleTab } from "../../core/gradio_shell.js";
import { t } from "../../core/text.js";
import { followed, loudness } from "../../engine/loudness.js";
import { LIMIT } from "./strips.js";

const SAMPLES = 1024;
const STEP = 0.05; // of an amount: less is no new picture

export class Voice {
  /**
   * hooks: {sliders(): [{key, name}] that can be moved now, preferred(): a key, amount(key), turn(key, amount)}.
   */
  constructor(part, hooks) {
    this.part = part;
    this.hooks = hooks;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.asked = 0; // each time it is opened or closed
    this.level = 0;
    /** @type {string | null} */
    this.key = null; // of the slider that it turns
    this.chosen = null; // by a person
    part("voice").addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    part("voice-slider").addEventListener("change", () => {
      this.chosen = part("voice-slider").value;
      this.take(this.chosen);
    });
    window.addEventListener("pagehide", () => this.stop());
  }

  async start() {
    const asked = ++this.asked;
    this.say("");
    try {
      const audio = { echoCancellation: true, autoGainControl: false };
      const stream = await askFor({ audio, video: false });
      if (asked !== this.asked) return letGo(stream);
      this.stream = stream;
      this.listen(stream);
    } catch (error) {
      if (asked !== this.asked) return;
      this.stop();
      this.say(t(`latent.voice_${error instanceof NoDevice ? error.why : "none"}`));
    }
  }

  listen(stream) {
    this.context = new AudioContext();
    this.analyser = this.context.createAnalyser();
    this.analyser.fftSize = SAMPLES;
    this.context.createMediaStreamSource(stream).connect(this.analyser);
    const samples = new Float32Array(SAMPLES);
    this.fill();
    this.part("voice-box").hidden = false;
    this.part("voice").setAttribute("aria-pressed", "true");
    const look = () => {
      if (stream !== this.stream) return;
      this.analyser.getFloatTimeDomainData(samples);
      this.hear(visibleTab() === "latent" ? loudness(samples) : 0);
      requestAnimationFrame(look);
    };
    look();
  }

  /** There are other sliders, or other weights. It turns one that opens a mouth, unless somebody chose another. */
  fill() {
    if (!this.stream) return;
    const sliders = this.hooks.sliders();
    const keys = sliders.map(({ key }) => key);
    const select = this.part("voice-slider");
    if (keys.join() === [...select.options].map(({ value }) => value).join() && keys.includes(this.key)) return;
    select.replaceChildren(...sliders.map(({ key, name }) => h("option", { value: key }, name)));
    const wanted = [this.chosen, this.hooks.preferred()].find((key) => keys.includes(key));
    this.take(wanted ?? keys[0] ?? null);
  }

  take(key) {
    this.part("voice-slider").value = key ?? "";
    if (key === this.key) return; // it goes on from where it stood
    this.giveBack();
    this.key = key;
    this.base = key === null ? 0 : this.hooks.amount(key);
    this.turned = this.base;
  }

  hear(now) {
    this.level = followed(this.level, now);
    this.part("voice-meter").firstElementChild.style.transform = `scaleX(${this.level})`;
    this.turn(this.base + this.level * (LIMIT - this.base));
  }

  turn(amount) {
    const rounded = Math.round(amount / STEP) * STEP;
    if (this.key === null || Math.abs(rounded - this.turned) < STEP / 2) return;
    this.turned = rounded;
    this.hooks.turn(this.key, Number(rounded.toFixed(2)));
  }

  /** The slider stands where it stood. */
  giveBack() {
    if (this.stream && this.key !== null && this.turned !== this.base) this.hooks.turn(this.key, this.base);
  }

  stop() {
    this.giveBack();
    this.asked += 1;
    if (this.stream) letGo(this.stream);
    this.stream = this.key = null;
    this.level = 0;
    this.context?.close();
    this.context = null;
    this.part("voice-box").hidden = true;
    this.part("voice").setAttribute("aria-pressed", "false");
    this.say("");
  }

  say(words) {
    setText(this.part("voice-note"), words);
    this.part("voice-note").hidden = !words;
  }
}
