import assert from "node:assert/strict";
import { test } from "node:test";
import { readGenerator } from "./generator.js";

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
