// A generator that runs in the page: reads what gan/serving/browser_export.py wrote and draws with typed arrays. No DOM in here.
//
// Numbers between layers are Float32Arrays in the order [y][x][channel]. Every layer is a function from one such array to
// another, made once with its own memory, so that drawing allocates nothing.

import { CLUSTER_SHARPNESS, PAGE_FORMAT } from "./constants.js";
import { kernelFor, plain } from "./kernel.js";

/** @typedef {(x: Float32Array) => Float32Array} Layer */
/** @typedef {(name: string) => Float32Array} Tensor of a layer, by its name */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {Kernel & {picture: Float32Array}} Shared by the layers of a generator; the picture so far, where it carries one */
/** @typedef {ArrayLike<number>} Mixture of classes, or of clusters */
/**
 * What the header of a file says (gan/serving/browser_export.py).
 *
 * @typedef {{version: number, z_dim: number, classes: number, clusters: number, directions: number, channels: number, size: number,
 *   stamp: string, step: number, digest: string, layers: any[], tensors: Stored[]}} Header
 */
/** @typedef {{name: string, type: string, count: number, at: number}} Stored tensor */
/** @typedef {ReturnType<typeof readGenerator>} Generator */

/**
 * The lengths of all arrays that a generator keeps: its input, its tensors, and what its layers make.
 *
 * @param {Header} about
 */
function arraysOf({ z_dim, classes, clusters, tensors, layers }) {
  const made = layers.map(({ outputs = 0, to = 1, colours = 0, side = 0 }) => outputs * to * to + colours * side * side);
  return [z_dim + (classes || clusters), ...tensors.map(({ count }) => count), ...made];
}

/** What layers share that are not in a file. @returns {Shared} */
export const alone = (rows = 1 << 12) => ({ ...plain(rows), picture: new Float32Array(0) });

/**
 * Each kind of layer: (its description, its tensors, what the layers of one generator share) -> the function.
 * _EXPORTS in gan/serving/browser_export.py names them.
 *
 * @type {Record<string, (sizes: any, tensor: Tensor, shared?: Shared) => Layer>}
 */
export const KINDS = { affine, dense, leaky, planes, shuffle, spread, tanh, toPicture, withPicture };

/**
 * ArrayBuffer of a file -> {about, directions, draw}. Throws an Error when it is not one of ours.
 *
 * @param {ArrayBuffer} buffer
 */
export function readGenerator(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  /** @type {Header} */
  const about = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  if (about.version !== PAGE_FORMAT) throw new Error(`page weights of version ${about.version}`);
  const rows = about.layers.map((layer) => layer.inputs ?? 0);
  const shared = { ...kernelFor(arraysOf(about), Math.max(...rows)), picture: new Float32Array(0) };
  const tensors = Object.fromEntries(about.tensors.map((entry) => [entry.name, readTensor(buffer, 4 + length, entry, shared)]));
  const layers = about.layers.map(({ kind, ...sizes }, i) =>
    KINDS[kind](sizes, (/** @type {string} */ name) => tensors[`${i}.${name}`], shared),
  );
  const { z_dim, classes, clusters, directions } = about;
  const input = shared.floats(z_dim + (classes || clusters));
  return {
    about,
    directions: Array.from({ length: directions }, (_, k) => tensors.directions.subarray(k * z_dim, (k + 1) * z_dim)),
    /**
     * What a picture is to be: the class as a mixture, or the groups that z votes for; null where there is neither.
     *
     * @param {ArrayLike<number>} z
     * @param {number | null} [label]
     * @param {readonly [number, number]} [mix] another class, and its share
     * @returns {Mixture | null}
     */
    condition(z, label, mix = [0, 0]) {
      if (classes) return mixture(classes, label ?? 0, mix);
      return clusters ? vote(z, tensors.odds) : null;
    },
    /**
     * z [z_dim] and what `condition` gave (or a mixture of it) -> uint8 pixels in planes, [channels][y][x].
     *
     * @param {ArrayLike<number>} z
     * @param {Mixture | null} mixture
     */
    draw(z, mixture) {
      input.set(z);
      if (mixture) input.set(mixture, z_dim);
      return toPixels(
        layers.reduce((x, layer) => layer(x), /** @type {Float32Array} */ (input)),
        about,
      );
    },
  };
}

/**
 * One class, with a share of another.
 *
 * @param {number} classes
 * @param {number} label
 * @param {readonly [number, number]} mix [other class, its share]
 */
function mixture(classes, label, [other, share]) {
  return Float32Array.from({ length: classes }, (_, i) => (i === label ? 1 - share : 0) + (i === other ? share : 0));
}

/**
 * softmax of the first latent numbers and their odds; what is less than 1e-9 is nothing.
 *
 * @param {ArrayLike<number>} z
 * @param {Float32Array} odds
 */
function vote(z, odds) {
  const scores = odds.map((odd, i) => CLUSTER_SHARPNESS * (z[i] + odd));
  const most = Math.max(...scores);
  const shares = scores.map((score) => Math.exp(score - most));
  const sum = shares.reduce((a, b) => a + b, 0);
  return shares.map((share) => (share > 1e-9 * sum ? share / sum : 0));
}

/**
 * As gan.core.images.to_uint8: [-1, 1] becomes 0 to 255, what is not a number mid-grey.
 *
 * @param {Float32Array} x
 * @param {Header} about
 */
function toPixels(x, { channels, size }) {
  const pixels = new Uint8ClampedArray(channels * size * size); // it rounds, half to even, and cuts off
  for (let i = 0; i < size * size; i++) {
    for (let c = 0; c < channels; c++) {
      const value = x[i * channels + c];
      pixels[c * size * size + i] = ((Number.isNaN(value) ? 0 : value) + 1) * 127.5;
    }
  }
  return pixels;
}

// ---- the file ----

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

// ---- layers ----

/**
 * y = x W + b; weight [inputs, outputs].
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} tensor
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function dense({ inputs, outputs }, tensor, { floats, list, add } = alone()) {
  const [weight, bias, y] = [tensor("weight"), tensor("bias"), floats(outputs)];
  return (x) => {
    if (bias) y.set(bias);
    else y.fill(0);
    list(weight, outputs, x, 0, inputs);
    add(y, 0, outputs, 0);
    return y;
  };
}

/**
 * A transposed convolution, and as one every other: each pixel of `from`² is spread over kernel² pixels of `to`², the first
 * of them at stride · position − pad. weight [inputs, kernel, kernel, outputs].
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} tensor
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function spread({ inputs, outputs, kernel, stride, pad, from, to }, tensor, { floats, list, add } = alone()) {
  const [weight, bias] = [tensor("weight"), tensor("bias")];
  const y = floats(to * to * outputs);
  return (x) => {
    if (bias) for (let at = 0; at < y.length; at += outputs) y.set(bias, at);
    else y.fill(0);
    for (let pixel = 0; pixel < from * from; pixel++) {
      list(weight, kernel * kernel * outputs, x, pixel * inputs, inputs);
      addPatch(stride * Math.floor(pixel / from) - pad, stride * (pixel % from) - pad);
    }
    return y;
  };

  /** A row of the patch is one stretch of y, without what lies beyond the edge. @param {number} top @param {number} left */
  function addPatch(top, left) {
    const [first, last] = [Math.max(0, -left), Math.min(kernel, to - left)];
    for (let row = Math.max(0, -top); row < Math.min(kernel, to - top); row++) {
      const target = ((top + row) * to + left + first) * outputs;
      add(y, target, (last - first) * outputs, (row * kernel + first) * outputs);
    }
  }
}

/**
 * What batch normalisation is once its statistics stand still: x · scale + shift for each channel.
 *
 * @param {any} _
 * @param {Tensor} tensor
 * @returns {Layer}
 */
function affine(_, tensor) {
  const [scale, shift] = [tensor("scale"), tensor("shift")];
  return (x) => {
    for (let i = 0; i < x.length; ) {
      for (let c = 0; c < scale.length; c++, i++) x[i] = x[i] * scale[c] + shift[c];
    }
    return x;
  };
}

/**
 * ReLU is the one with slope 0.
 *
 * @param {{slope: number}} sizes
 * @returns {Layer}
 */
function leaky({ slope }) {
  return (x) => {
    for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] *= slope;
    return x;
  };
}

/** @returns {Layer} */
function tanh() {
  return (x) => {
    for (let i = 0; i < x.length; i++) x[i] = 1 - 2 / (Math.exp(2 * x[i]) + 1); // a third of the time of Math.tanh
    return x;
  };
}

/**
 * PixelShuffle: factor² · channels numbers of a pixel become factor × factor pixels.
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} [_]
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function shuffle({ outputs: channels, factor, from, to }, _, { floats } = alone()) {
  const y = floats(channels * to * to);
  const index = new Uint32Array(y.length); // where each number comes from
  for (let row = 0; row < to; row++) {
    for (let column = 0; column < to; column++) {
      const pixel = Math.floor(row / factor) * from + Math.floor(column / factor);
      const part = (row % factor) * factor + (column % factor);
      for (let c = 0; c < channels; c++) {
        index[(row * to + column) * channels + c] = (pixel * channels + c) * factor ** 2 + part;
      }
    }
  }
  return (x) => gather(y, x, index);
}

/**
 * What the features of each pixel add to the picture so far, which is doubled before; weight [inputs, colours]. The features
 * stay as they are.
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} tensor
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function toPicture({ inputs, colours, side, doubled }, tensor, shared = alone()) {
  const [weight, bias, y] = [tensor("weight"), tensor("bias"), shared.floats(colours * side * side)];
  return (x) => {
    if (doubled) double(shared.picture, side / 2, colours, y);
    else y.fill(0);
    for (let pixel = 0; pixel < side * side; pixel++) {
      for (let c = 0; c < colours; c++) y[pixel * colours + c] += bias[c];
      shared.list(weight, colours, x, pixel * inputs, inputs);
      shared.add(y, pixel * colours, colours, 0);
    }
    shared.picture = y;
    return x;
  };
}

/**
 * A picture of side² pixels at twice the size, interpolated linearly, its edges continued: `doubled` in gan/models/skip.py.
 *
 * @param {Float32Array} x
 * @param {number} side
 * @param {number} colours
 * @param {Float32Array} y
 */
function double(x, side, colours, y) {
  /** @param {number} at @returns {[number, number]} the pixel that counts three quarters, and its neighbour */
  const beside = (at) => {
    const near = at >> 1;
    return [near, Math.min(side - 1, Math.max(0, near + (at & 1 ? 1 : -1)))];
  };
  for (let row = 0, at = 0; row < 2 * side; row++) {
    const [near, far] = beside(row);
    for (let column = 0; column < 2 * side; column++) {
      const [left, right] = beside(column);
      for (let c = 0; c < colours; c++) {
        const close = 0.75 * x[(near * side + left) * colours + c] + 0.25 * x[(near * side + right) * colours + c];
        const away = 0.75 * x[(far * side + left) * colours + c] + 0.25 * x[(far * side + right) * colours + c];
        y[at++] = 0.75 * close + 0.25 * away;
      }
    }
  }
}

/**
 * The picture so far, doubled, is added to numbers that are colours already.
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} _
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function withPicture({ colours, side }, _, shared = alone()) {
  const larger = shared.floats(colours * side * side);
  return (x) => {
    double(shared.picture, side / 2, colours, larger);
    for (let i = 0; i < x.length; i++) x[i] += larger[i];
    return x;
  };
}

/**
 * [channel][y][x] -> [y][x][channel].
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} [_]
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function planes({ outputs: channels, to }, _, { floats } = alone()) {
  const y = floats(channels * to * to);
  const index = new Uint32Array(y.length).map((_, i) => (i % channels) * to * to + Math.floor(i / channels));
  return (x) => gather(y, x, index);
}

/**
 * @param {Float32Array} y
 * @param {Float32Array} x
 * @param {Uint32Array} index
 */
function gather(y, x, index) {
  for (let i = 0; i < y.length; i++) y[i] = x[index[i]];
  return y;
}
