// A file that gan/serving/browser_export.py wrote: a network for the page. No DOM in here.

import { PAGE_FORMAT } from "./constants.js";
import { kernelFor } from "./kernel.js";
import { KINDS } from "./layers.js";

/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {{name: string, type: string, count: number, at: number}} Stored tensor */
/**
 * What the header of every such file says.
 *
 * @typedef {{version: number, channels: number, size: number, step: number, layers: any[], tensors: Stored[]}} Header
 */

/**
 * ArrayBuffer of a file -> {about, tensors by name, input: the array that its first layer reads, run(): what its layers make of
 * that}. Throws an Error when it is not one of ours.
 *
 * @template {Header} H
 * @param {ArrayBuffer} buffer
 * @param {(about: H) => number} inputs how many numbers the first layer reads
 */
export function readNetwork(buffer, inputs) {
  const length = new DataView(buffer).getUint32(0, true);
  /** @type {H} */
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (about.version !== PAGE_FORMAT) throw new Error(`page weights of version ${about.version}`);
  const shared = { ...kernelFor(arraysOf(about, inputs(about)), mostRows(about)), picture: new Float32Array(0) };
  const tensors = Object.fromEntries(about.tensors.map((entry) => [entry.name, readTensor(buffer, 4 + length, entry, shared)]));
  const layers = about.layers.map(({ kind, ...sizes }, i) =>
    KINDS[kind](sizes, (/** @type {string} */ name) => tensors[`${i}.${name}`], shared),
  );
  const input = shared.floats(inputs(about));
  return { about, tensors, input, run: () => layers.reduce((x, layer) => layer(x), /** @type {Float32Array} */ (input)) };
}

/**
 * The lengths of all arrays that a network keeps: its input, its tensors, and what its layers make.
 *
 * @param {Header} about
 * @param {number} input
 */
function arraysOf({ tensors, layers }, input) {
  const made = layers.map(({ outputs = 0, to = 1, colours = 0, side = 0 }) => outputs * to * to + colours * side * side);
  return [input, ...tensors.map(({ count }) => count), ...made];
}

/** Of the longest sum: a row of a convolution's window is one. @param {Header} about */
const mostRows = ({ layers }) =>
  Math.max(...layers.map(({ kind, inputs = 0, kernel }) => (kind === "conv" ? kernel * inputs : inputs)));

/** @type {Float32Array | null} */
let halves = null; // the value of every 16-bit number

/**
 * @param {ArrayBuffer} buffer
 * @param {number} start
 * @param {Stored} stored
 * @param {Kernel} kernel
 */
function readTensor(buffer, start, { type, count, at }, { floats }) {
  const tensor = floats(count);
  if (type === "float32") {
    tensor.set(new Float32Array(buffer, start + at, count));
    return tensor;
  }
  const values = halfValues();
  const bits = new Uint16Array(buffer, start + at, count);
  for (let i = 0; i < count; i++) tensor[i] = values[bits[i]]; // a loop: `from` would take ten times as long
  return tensor;
}

/** The value of every IEEE 754 binary16, by its bits; infinities come out as large numbers. */
export function halfValues() {
  if (halves) return halves;
  const values = new Float32Array(1 << 16);
  for (let bits = 0; bits < values.length; bits++) {
    const exponent = (bits >> 10) & 31;
    const size = (exponent ? 1024 + (bits & 1023) : bits & 1023) * 2 ** (Math.max(exponent, 1) - 25);
    values[bits] = bits & 0x8000 ? -size : size;
  }
  halves = values;
  return values;
}
