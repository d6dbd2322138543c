// Pictures from the camera: somebody holds a thing in front of it and turns it, and so many moments become files.

import { encoded } from "../core/canvas.js";
import { askFor, letGo, NoDevice } from "../core/device.js";
import { setText } from "../core/dom.js";
import { t } from "../core/text.js";

const COUNT = 40;
const EVERY_MS = 200;
const SIDE = 256; // pixels, the middle square of what the camera sees
const QUALITY = 0.92;

export class Camera {
  /**
   * @param {(name: string) => any} part
   * @param {(files: File[]) => void} taken
   */
  constructor(part, taken) {
    this.part = part;
    this.taken = taken;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.asked = 0; // each time it is opened or closed
    part("own-camera").addEventListener("click", () => this.open());
    part("camera-close").addEventListener("click", () => this.close());
    part("camera-take").addEventListener("click", () => this.take());
    setText(part("camera-take"), t("train.camera_take", { count: COUNT }));
  }

  /** Ask for the camera, and show what it sees. */
  async open() {
    const asked = ++this.asked;
    this.say("");
    try {
      const video = { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: { ideal: "environment" } };
      const stream = await askFor({ video, audio: false });
      if (asked !== this.asked) return letGo(stream);
      this.stream = stream;
      this.part("camera").hidden = false;
      this.part("camera-video").srcObject = stream;
      await this.part("camera-video").play();
    } catch (error) {
      if (asked !== this.asked) return;
      this.close();
      this.say(t(`train.camera_${error instanceof NoDevice ? error.why : "none"}`));
    }
  }

  close() {
    this.asked += 1;
    if (this.stream) letGo(this.stream);
    this.stream = null;
    this.part("camera-video").srcObject = null;
    this.part("camera").hidden = true;
    this.part("camera-take").disabled = false;
    this.say("");
  }

  /** Some pictures a second; then the camera is let go. */
  async take() {
    const { asked } = this;
    this.part("camera-take").disabled = true;
    /** @type {File[]} */
    const files = [];
    while (files.length < COUNT) {
      const file = await this.moment(files.length);
      if (asked !== this.asked) return;
      files.push(file);
      this.say(t("train.camera_taken", { done: files.length, count: COUNT }));
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
    if (asked !== this.asked) return;
    this.close();
    this.taken(files);
  }

  /**
   * The middle square of what is seen now.
   *
   * @param {number} number
   * @returns {Promise<File>}
   */
  async moment(number) {
    const video = this.part("camera-video");
    const { videoWidth: width, videoHeight: height } = video;
    const side = Math.min(width, height);
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = SIDE;
    canvas.getContext("2d")?.drawImage(video, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    const name = `${String(number).padStart(2, "0")}.jpg`;
    return new File([(await encoded(canvas, "image/jpeg", QUALITY)) ?? ""], name, { type: "image/jpeg" });
  }

  /** @param {string} words */
  say(words) {
    setText(this.part("camera-note"), words);
    this.part("camera-note").hidden = !words;
  }
}
