import assert from "node:assert/strict";
import { test } from "node:test";
import { halfValues, KINDS, readGenerator } from "./generator.js";

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

test("half numbers are those of IEEE 754", () => {
  const values = halfValues();
  const known = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
  ];
  for (const [bits, value] of known) assert.equal(values[bits], value);
});

/** The file of a generator whose picture is one grey pixel: the sum of all that it is given. */
function file({ version = 1, classes = 0, clusters = 0, odds = [] } = {}) {
  const inputs = 1 + (classes || clusters);
  const numbers = [...new Array(inputs).fill(1), ...odds];
  const tensors = [{ name: "0.weight", type: "float32", count: inputs, at: 0 }];
  if (clusters) tensors.push({ name: "odds", type: "float32", count: clusters, at: 4 * inputs });
  tensors.push({ name: "directions", type: "float32", count: 0, at: 0 });
  const layers = [{ kind: "dense", inputs, outputs: 1 }];
  const about = { version, z_dim: 1, classes, clusters, directions: 0, channels: 1, size: 1, tensors, layers };
  const text = JSON.stringify(about);
  const header = new TextEncoder().encode(text.padEnd(text.length + (4 - (text.length % 4))));
  const data = new Uint8Array(4 + header.length + 4 * numbers.length);
  new DataView(data.buffer).setUint32(0, header.length, true);
  data.set(header, 4);
  data.set(new Uint8Array(Float32Array.from(numbers).buffer), 4 + header.length);
  return data.buffer;
}

test("a generator draws from -1, black, to 1, white; what is no number is grey", () => {
  const { draw } = readGenerator(file());
  const drawn = [-5, -1, 0, 1, 5, Number.NaN].map((z) => draw([z], null)[0]);
  assert.deepEqual(drawn, [0, 0, 128, 255, 255, 128]);
});

test("a class is one of a mixture, with a share of another", () => {
  const { condition } = readGenerator(file({ classes: 3 }));
  assert.deepEqual([...condition([0], 2)], [0, 0, 1]);
  assert.deepEqual([...condition([0], 2, [0, 0.25])], [0.25, 0, 0.75]);
});

test("where a latent chooses a cluster the shares are those of a softmax", () => {
  const { condition } = readGenerator(file({ clusters: 1, odds: [0.5] }));
  assert.deepEqual([...condition([0.3], null)], [1]);
});

test("weights of another version are refused", () => {
  assert.throws(() => readGenerator(file({ version: 2 })), /version 2/);
});
