// The layers of networks that run in the page. Numbers between them are Float32Arrays in the order [y][x][channel]. Every layer is a
// function from one such array to another, made once with its own memory, so that it allocates nothing. No DOM in here.

import { plain } from "./kernel.js";

/** @typedef {(x: Float32Array) => Float32Array} Layer */
/** @typedef {(name: string) => Float32Array} Tensor of a layer, by its name */
/** @typedef {import("./kernel.js").Kernel} Kernel */
/** @typedef {Kernel & {picture: Float32Array}} Shared by the layers of a network; the picture so far, where it carries one */

/** What layers share that are not in a file. @returns {Shared} */
export const alone = (rows = 1 << 12) => ({ ...plain(rows), picture: new Float32Array(0) });

/**
 * Each kind of layer: (its description, its tensors, what the layers of one network share) -> the function.
 * _EXPORTS in gan/serving/browser_export.py names them.
 *
 * @type {Record<string, (sizes: any, tensor: Tensor, shared?: Shared) => Layer>}
 */
export const KINDS = { affine, conv, dense, leaky, planes, shuffle, spread, tanh, toPicture, withPicture };

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
 * A convolution that goes in strides: each pixel of `to`² is a sum over kernel² pixels of `from`², the first of them at
 * stride · position − pad. weight [kernel, kernel, inputs, outputs].
 *
 * @param {Record<string, number>} sizes
 * @param {Tensor} tensor
 * @param {Shared} [shared]
 * @returns {Layer}
 */
function conv({ inputs, outputs, kernel, stride, pad, from, to }, tensor, { floats, list, add } = alone()) {
  const [weight, bias] = [tensor("weight"), tensor("bias")];
  const y = floats(to * to * outputs);
  return (x) => {
    if (bias) for (let at = 0; at < y.length; at += outputs) y.set(bias, at);
    else y.fill(0);
    for (let pixel = 0; pixel < to * to; pixel++) addWindow(x, pixel);
    return y;
  };

  /** A row of the window is one stretch of x, without what lies beyond the edge. @param {Float32Array} x @param {number} pixel */
  function addWindow(x, pixel) {
    const [top, left] = [stride * Math.floor(pixel / to) - pad, stride * (pixel % to) - pad];
    const [first, last] = [Math.max(0, -left), Math.min(kernel, from - left)];
    for (let row = Math.max(0, -top); row < Math.min(kernel, from - top); row++) {
      const rows = weight.subarray((row * kernel + first) * inputs * outputs);
      list(rows, outputs, x, ((top + row) * from + left + first) * inputs, (last - first) * inputs);
      add(y, pixel * outputs, outputs, 0);
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
