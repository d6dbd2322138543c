// Pictures of a path in links: keyframes, seeds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_SEED } from "./constants.js";
import { fittedKeyframes, keyframesQuery, MOST_KEYFRAMES, nameOf, readKeyframes, withKeyframe } from "./keyframes.js";
import { LatentSpec } from "./latent_spec.js";
import { readSeed } from "./seed.js";

const ABOUT = { z_dim: 4, classes: 10, directions: ["a", "b"] };
const VECTOR = "ADwAwAA4AAA"; // four numbers

test("a link without keyframes means two of its own, with classes where there are any", () => {
  assert.deepEqual(readKeyframes({}), [new LatentSpec({ seed: 3 }), new LatentSpec({ seed: 8 })]);
  assert.deepEqual(
    fittedKeyframes(readKeyframes({}), ABOUT).map(({ label }) => label),
    [3, 8],
  );
  assert.deepEqual(
    fittedKeyframes(readKeyframes({ a: "1:2" }), { ...ABOUT, classes: 0 }).map(({ label }) => label),
    [undefined, undefined],
  );
});

test("keyframes are read as they were written", () => {
  const link = { a: "1:2", am: "0:0.5", b: "9", bu: `smile:1:${VECTOR}`, c: "0:0", cfrom: "tile:3" };
  assert.deepEqual(keyframesQuery(readKeyframes(link)), link);
});

test("a seed that is none is the one of a path without a link", () => {
  assert.deepEqual(
    readKeyframes({ a: "-1", b: "x:1", c: "2.5" }).map(({ seed }) => seed),
    [3, 8, 0],
  );
  const seeds = ["0", " 7 ", String(MAX_SEED), String(MAX_SEED + 1), "1e3", "", "-1", "99999999999"];
  assert.deepEqual(seeds.map(readSeed), [0, 7, MAX_SEED, null, null, null, null, null]);
});

test("one more keyframe is added until there are as many as there can be", () => {
  let address = { w: "mnist" };
  for (let i = 0; i < MOST_KEYFRAMES; i++) {
    address = withKeyframe(address, "mnist", new LatentSpec({ seed: i }));
    assert.equal(address[nameOf(i).toLowerCase()], String(i));
  }
  assert.equal(withKeyframe(address, "mnist", new LatentSpec({ seed: 99 })), null);
  assert.deepEqual(withKeyframe(address, "other", new LatentSpec({ seed: 5 })), { w: "other", a: "5" });
});
