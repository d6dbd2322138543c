// Places in links: keyframes, pushes, seeds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fittedKeyframes, keyframesQuery, MOST_KEYFRAMES, nameOf, readKeyframes, withKeyframe } from "./keyframes.js";
import { lengthOf, readPushes, writePushes } from "./pushes.js";
import { MAX_SEED, readSeed } from "./seed.js";

const ABOUT = { z_dim: 4, classes: 10, directions: ["a", "b"] };
const VECTOR = "ADwAwAA4AAA"; // four numbers

test("a link without keyframes means two of its own, with classes where there are any", () => {
  assert.deepEqual(readKeyframes({}), [
    { seed: 3, c: undefined },
    { seed: 8, c: undefined },
  ]);
  assert.deepEqual(
    fittedKeyframes(readKeyframes({}), ABOUT).map(({ c }) => c),
    [3, 8],
  );
  assert.deepEqual(
    fittedKeyframes(readKeyframes({ a: "1:2" }), { ...ABOUT, classes: 0 }).map(({ c }) => c),
    [undefined, undefined],
  );
});

test("keyframes are read as they were written", () => {
  const link = { a: "1:2", am: "0:0.5", b: "9", bu: `smile:1:${VECTOR}`, c: "0:0", cfrom: "tile:3" };
  const written = Object.fromEntries(Object.entries(keyframesQuery(readKeyframes(link))).filter(([, value]) => value));
  assert.deepEqual(written, link);
});

test("a seed that is none is the one of a path without a link", () => {
  assert.deepEqual(
    readKeyframes({ a: "-1", b: "x:1", c: "2.5" }).map(({ seed }) => seed),
    [3, 8, 0],
  );
  const seeds = ["0", " 7 ", String(MAX_SEED), String(MAX_SEED + 1), "1e3", "", "-1", "99999999999"];
  assert.deepEqual(seeds.map(readSeed), [0, 7, MAX_SEED, null, null, null, null, null]);
});

test("what other weights do not know is left out, and locks with the vectors they need", () => {
  const strange = {
    seed: 1,
    c: 12,
    from: "ADwAwA",
    u: "smile:1:ADwAwA",
    lock: "smile",
    z: "4:1",
    d: "2:1",
    mix: "10:0.5",
    psi: "0.5",
  };
  assert.deepEqual(JSON.parse(JSON.stringify(fittedKeyframes([strange], ABOUT))), [{ seed: 1, c: 9, psi: "0.5" }]);
  const known = { seed: 1, c: 2, from: VECTOR, u: `smile:1:${VECTOR}`, lock: "smile", z: "3:1", d: "1:1", mix: "9:0.5" };
  assert.deepEqual(fittedKeyframes([known], ABOUT), [known]);
});

test("one more keyframe is added until there are as many as there can be", () => {
  let address = { w: "mnist" };
  for (let i = 0; i < MOST_KEYFRAMES; i++) {
    address = withKeyframe(address, { w: "mnist", seed: i });
    assert.equal(address[nameOf(i).toLowerCase()], String(i));
  }
  assert.equal(withKeyframe(address, { w: "mnist", seed: 99 }), null);
  const other = Object.entries(withKeyframe(address, { w: "other", seed: 5 })).filter(([, value]) => value);
  assert.deepEqual(Object.fromEntries(other), { w: "other", a: "5" });
});

test("pushes are read as they were written, without those of nothing", () => {
  const text = `smile:1.5:${VECTOR},round:-2:${VECTOR}:g`;
  assert.equal(
    writePushes(readPushes(text), () => false),
    text,
  );
  const none = readPushes(`flat:0:${VECTOR}`);
  assert.equal(
    writePushes(none, () => false),
    "",
  );
  assert.equal(
    writePushes(none, (key) => key === "flat"),
    `flat:0:${VECTOR}`,
  );
  assert.equal(readPushes(`3:1:${VECTOR},x,y:one:${VECTOR},:1:${VECTOR},z:1`).size, 0);
  assert.equal(lengthOf(VECTOR), 4);
});
