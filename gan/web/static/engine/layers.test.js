import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS } from "./layers.js";

const layer = (kind, sizes, tensors = {}) => KINDS[kind](sizes, (name) => tensors[name]);
const run = (kind, sizes, tensors, x) => [...layer(kind, sizes, tensors)(Float32Array.from(x))];

test("dense is x W + b", () => {
  const weight = Float32Array.of(1, 2, 3, 4, 5, 6); // two inputs, three outputs
  const bias = Float32Array.of(0.5, 0, -0.5);
  assert.deepEqual(run("dense", { inputs: 2, outputs: 3 }, { weight, bias }, [10, 1]), [14.5, 25, 35.5]);
  assert.deepEqual(run("dense", { inputs: 2, outputs: 3 }, { weight }, [0, 0]), [0, 0, 0]);
});

test("dense adds up as many rows as there are, also where some are left out", () => {
  const x = Float32Array.from({ length: 11 }, (_, i) => (i % 3 ? i : 0));
  const weight = Float32Array.from({ length: 22 }, (_, i) => i);
  const wanted = [0, 1].map((j) => x.reduce((sum, value, i) => sum + value * weight[2 * i + j], 0));
  assert.deepEqual(run("dense", { inputs: 11, outputs: 2 }, { weight }, x), wanted);
});

test("affine, leaky and tanh work on each number", () => {
  const tensors = { scale: Float32Array.of(2, 3), shift: Float32Array.of(1, -1) };
  assert.deepEqual(run("affine", {}, tensors, [1, 1, 2, 2]), [3, 2, 5, 5]);
  assert.deepEqual(run("leaky", { slope: 0.5 }, {}, [-2, 0, 3]), [-1, 0, 3]);
  assert.deepEqual(run("leaky", { slope: 0 }, {}, [-2, 3]), [-0, 3]);
  assert.deepEqual(run("tanh", {}, {}, [0, 50, -50]), [0, 1, -1]);
});

test("spread with a kernel of ones writes each pixel into its square, and squares that overlap add up", () => {
  const sizes = { inputs: 1, outputs: 1, kernel: 2, stride: 2, pad: 0, from: 2, to: 4 };
  const ones = { weight: new Float32Array(4).fill(1) };
  assert.deepEqual(run("spread", sizes, ones, [1, 2, 3, 4]), [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
  assert.deepEqual(run("spread", { ...sizes, stride: 1, to: 3 }, ones, [1, 1, 1, 1]), [1, 2, 1, 2, 4, 2, 1, 2, 1]);
});

test("spread leaves out what lies beyond the edge", () => {
  const sizes = { inputs: 1, outputs: 1, kernel: 3, stride: 1, pad: 1, from: 2, to: 2 };
  const kernel = Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0); // its middle: nothing changes
  assert.deepEqual(run("spread", sizes, { weight: kernel, bias: Float32Array.of(10) }, [1, 2, 3, 4]), [11, 12, 13, 14]);
});

test("shuffle and planes only change places", () => {
  const shuffled = run("shuffle", { outputs: 1, factor: 2, from: 1, to: 2 }, {}, [1, 2, 3, 4]);
  assert.deepEqual(shuffled, [1, 2, 3, 4]);
  assert.deepEqual(run("planes", { outputs: 2, to: 2 }, {}, [1, 2, 3, 4, 5, 6, 7, 8]), [1, 5, 2, 6, 3, 7, 4, 8]);
});

test("conv sums windows that go in strides, without what lies beyond the edge", () => {
  const ones = { weight: new Float32Array(4).fill(1), bias: Float32Array.of(0.5) };
  const sizes = { inputs: 1, outputs: 1, kernel: 2, stride: 2, pad: 0, from: 4, to: 2 };
  const x = Array.from({ length: 16 }, (_, i) => i);
  assert.deepEqual(run("conv", sizes, ones, x), [10.5, 18.5, 42.5, 50.5]);
  assert.deepEqual(run("conv", { ...sizes, pad: 1, to: 3 }, ones, x), [0.5, 3.5, 3.5, 12.5, 30.5, 18.5, 12.5, 27.5, 15.5]);
});

test("conv is the adjoint of spread: the same inner product either way", () => {
  const sizes = { kernel: 3, stride: 2, pad: 1 };
  const numbers = (count, seed) => Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 7 * i));
  const weight = numbers(2 * 9 * 3, 1); // spread's [inputs 2][3][3][outputs 3]
  const turned = new Float32Array(weight.length); // conv's [3][3][inputs 3][outputs 2]
  for (let a = 0; a < 2; a++)
    for (let k = 0; k < 9; k++) for (let b = 0; b < 3; b++) turned[(k * 3 + b) * 2 + a] = weight[(a * 9 + k) * 3 + b];
  const [small, large] = [numbers(2 * 4 * 4, 2), numbers(3 * 7 * 7, 3)];
  const up = run("spread", { ...sizes, inputs: 2, outputs: 3, from: 4, to: 7 }, { weight }, small);
  const down = run("conv", { ...sizes, inputs: 3, outputs: 2, from: 7, to: 4 }, { weight: turned }, large);
  const product = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  assert.ok(Math.abs(product(up, large) - product(down, small)) < 1e-4);
});
