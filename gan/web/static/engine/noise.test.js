import assert from "node:assert/strict";
import { test } from "node:test";
import { LatentSpec } from "./latent_spec.js";
import { latentAt, neighbourOf, normal, seedOf } from "./noise.js";

const NOWHERE = new LatentSpec({ seed: 7 });
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const close = (found, wanted, most = 1e-6) => {
  assert.equal(found.length, wanted.length);
  found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) <= most, `${i}: ${value}, not ${wanted[i]}`));
};

test("seeds are those of gan.core.seeds.seed_of", () => {
  const known = [
    [[], 0n],
    [[0], 3823739569125505706n],
    [[11, 0], 2484352668076958430n],
    [[11, 7], 8645706315385758031n],
    [[1, 2, 3], 7709887298694155262n],
    [[2 ** 31 - 1, 5], 4832653252187693456n],
  ];
  for (const [parts, seed] of known) assert.equal(seedOf(...parts), seed);
});

test("normal numbers are those of torch.randn, few and many", () => {
  close(normal(3, seedOf(11, 7)), [-2.1437482833862305, 2.3223631381988525, 0.6238229870796204]);
  const many = normal(20, seedOf(11, 7));
  close(many.slice(0, 4), [0.20843203365802765, 0.8289006352424622, 1.5481576919555664, -0.5229332447052002]);
  close(many.slice(16), [-0.5410699844360352, 0.040899015963077545, -0.8412436246871948, 0.5480802655220032]);
  close(normal(16, 1n).slice(0, 2), [-1.5255959033966064, -0.7502318024635315]);
});

test("a spec without changes is its seed's latent", () => {
  assert.deepEqual(latentAt(NOWHERE, 5, []).z, normal(5, seedOf(11, 7)));
});

test("a direction adds its amount, a number that is set stands, psi shrinks all but what votes", () => {
  const start = normal(4, seedOf(11, 7));
  const ahead = Float32Array.of(0, 0, 1, 0);
  const { z } = latentAt(NOWHERE.with({ principal: new Map([[0, 2]]), fixed: new Map([[3, 9]]) }), 4, [ahead]);
  close(z, [start[0], start[1], start[2] + 2, 9]);
  close(latentAt(NOWHERE.with({ psi: 0.5 }), 4, [], 2).z, [start[0], start[1], start[2] / 2, start[3] / 2]);
});

test("nothing moves along a locked direction", () => {
  const directions = [Float32Array.of(1, 0, 0), Float32Array.of(0.6, 0.8, 0)];
  const still = latentAt(NOWHERE, 3, directions).z;
  const { z } = latentAt(NOWHERE.with({ principal: new Map([[1, 3]]), locked: new Set(["0"]) }), 3, directions);
  close(z, [still[0], still[1] + 3 * 0.8, still[2]]);
});

test("neighbours lie on a ring: as far from the middle, opposite ones cancel", () => {
  const spread = 0.6;
  const middle = latentAt(NOWHERE, 64, []).z;
  const offset = (number) => neighbourOf(NOWHERE, number, spread, 64, []).z.map((value, i) => value - 0.8 * middle[i]);
  close(
    offset(8),
    offset(0).map((value) => -value),
    1e-5,
  );
  assert.ok(Math.abs(dot(offset(3), offset(3)) - spread ** 2 * 64) < 0.5 * spread ** 2 * 64);
  assert.notDeepEqual(offset(0), offset(16)); // of another ring
});
