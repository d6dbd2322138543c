// A sheet of paper and a white pen: what a visitor draws with the mouse, a finger or the arrow keys.

const SIDE = 280; // pixels of the drawing
const PEN = 24;
const KEY_STEP = 10; // pixels

/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowLeft: [-KEY_STEP, 0], ArrowRight: [KEY_STEP, 0], ArrowUp: [0, -KEY_STEP], ArrowDown: [0, KEY_STEP] };

/** @typedef {[number, number]} Point */

export class Pen {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} hint what stands on the empty sheet
   * @param {{drawn?: () => void, lifted?: () => void}} hooks drawn: something was added; lifted: the pen rests
   */
  constructor(canvas, hint, hooks) {
    this.canvas = canvas;
    this.hint = hint;
    this.hooks = hooks;
    /** @type {Point | null} */
    this.last = null; // where the pen is, while it is down
    /** @type {Point} */
    this.keyed = [SIDE / 2, SIDE / 2]; // where the keys have moved it
    this.isEmpty = true;
    [canvas.width, canvas.height] = [SIDE, SIDE];
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => this.lift());
    canvas.addEventListener("keydown", (event) => this.key(event));
    this.clear();
  }

  get isDown() {
    return this.last !== null;
  }

  context() {
    const options = { willReadFrequently: true };
    return /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", options));
  }

  clear() {
    const ctx = this.context();
    ctx.fillStyle = "#000";
    ctx.fillRect(0, 0, SIDE, SIDE);
    this.isEmpty = true;
    this.keyed = [SIDE / 2, SIDE / 2];
    this.hint.hidden = false;
  }

  /** Grey, uint8 [y][x]. */
  pixels() {
    const { data } = this.context().getImageData(0, 0, SIDE, SIDE);
    return { grey: Uint8Array.from({ length: SIDE * SIDE }, (_, i) => data[4 * i]), side: SIDE };
  }

  /** @param {PointerEvent} event @returns {Point} */
  at(event) {
    const { left, top, width } = this.canvas.getBoundingClientRect();
    return [((event.clientX - left) * SIDE) / width, ((event.clientY - top) * SIDE) / width];
  }

  /** @param {PointerEvent} event */
  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.last = this.at(event);
    this.line(this.last, this.last);
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (!this.last) return;
    const next = this.at(event);
    this.line(this.last, next);
    this.last = next;
  }

  lift() {
    if (this.last) this.hooks.lifted?.();
    this.last = null;
  }

  /** Arrows draw a line; with Shift they only move the pen. @param {KeyboardEvent} event */
  key(event) {
    const move = MOVES[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const inside = (/** @type {number} */ value) => Math.min(SIDE, Math.max(0, value));
    /** @type {Point} */
    const next = [inside(this.keyed[0] + move[0]), inside(this.keyed[1] + move[1])];
    if (!event.shiftKey) this.line(this.keyed, next);
    this.keyed = next;
    if (!event.shiftKey) this.hooks.lifted?.();
  }

  /**
   * @param {Point} from
   * @param {Point} to
   */
  line([x, y], [toX, toY]) {
    const ctx = this.context();
    Object.assign(ctx, { lineWidth: PEN, lineCap: "round", lineJoin: "round", strokeStyle: "#fff" });
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(toX, toY);
    ctx.stroke();
    this.isEmpty = false;
    this.keyed = [toX, toY];
    this.hint.hidden = true;
    this.hooks.drawn?.();
  }
}
