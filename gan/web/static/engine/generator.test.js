import assert from "node:assert/strict";
import { test } from "node:test";
import { readGenerator } from "./generator.js";

/** The file of a generator whose picture is one grey pixel: the sum of all that it is given. */
function file({ version = 2, z_dim = 1, classes = 0, codes = [], unseen = 0, odds = [] } = {}) {
  const inputs = z_dim - unseen + (classes || odds.length);
  const numbers = [...new Array(inputs).fill(1), ...odds];
  const tensors = [{ name: "0.weight", type: "float32", count: inputs, at: 0 }];
  if (odds.length) tensors.push({ name: "odds", type: "float32", count: odds.length, at: 4 * inputs });
  tensors.push({ name: "directions", type: "float32", count: 0, at: 0 });
  const layers = [{ kind: "dense", inputs, outputs: 1 }];
  const about = { version, z_dim, classes, codes, unseen, directions: 0, channels: 1, size: 1, tensors, layers };
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
  const { condition } = readGenerator(file({ codes: [1], odds: [0.5] }));
  assert.deepEqual([...condition([0.3], null)], [1]);
});

test("each attribute has a vote of its own, and numbers that only vote draw nothing", () => {
  const { condition, draw } = readGenerator(file({ z_dim: 6, codes: [2, 3], unseen: 5, odds: [0, 0.5, 0, 0, 0] }));
  const z = [0.3, 0.1, -1, 2, 1, -2];
  assert.deepEqual([...condition(z, null)], [0, 1, 0, 1, 0]);
  assert.equal(draw(z, [0, 1, 0, 0, 0])[0], 0); // the only number that is seen, -2, and one for what it is told
  assert.equal(draw([9, 9, 9, 9, 9, -2], [0, 1, 0, 1, 0])[0], 128);
});

test("weights of another version are refused", () => {
  assert.throws(() => readGenerator(file({ version: 3 })), /version 3/);
});
