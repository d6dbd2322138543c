import assert from "node:assert/strict";
import { test } from "node:test";
import { LatentSpec } from "../../engine/latent_spec.js";
import { Vector } from "../../engine/vector.js";
import { pictureBefore, placed, refitted } from "./fitting.js";

const [OLD, NEW] = [new Vector("ADwAwAA4AAA"), new Vector("AAAAAAAAAAA")];
const push = (more) => ({ amount: 1, vector: OLD, regroups: false, ...more });
const state = (pushes, more = {}) => ({
  w: "x",
  spec: new LatentSpec({ seed: 5, pushes: new Map(pushes), ...more }),
  spread: 0.7,
  ring: 0,
});

test("a fit belongs to the picture before the pushes that keep its group", () => {
  const plain = pictureBefore(state([]));
  assert.equal(plain, "w=x&seed=5");
  assert.equal(pictureBefore(state([["slant", push({})]])), plain);
  assert.notEqual(pictureBefore(state([["slant", push({ regroups: true })]])), plain);
});

test("what a link holds belongs to its picture; what has one keeps it", () => {
  const found = placed(
    state([
      ["slant", push({})],
      ["bold", push({ at: "elsewhere" })],
    ]),
  );
  assert.deepEqual(
    [...found.values()].map(({ at }) => at),
    ["w=x&seed=5", "elsewhere"],
  );
  assert.equal(placed(state([["slant", push({ at: "" })]])), null);
});

test("a new fit replaces what was fitted to another picture, unless it is locked", () => {
  const pushes = [
    ["slant", push({ at: "before" })],
    ["bold", push({ at: "before" })],
    ["here", push({ at: "now" })],
  ];
  const { spec } = state(pushes, { locked: new Set(["bold"]) });
  const directions = ["slant", "bold", "here", "absent"].map((key) => ({ key, vector: NEW }));
  const found = refitted(spec, { at: "now", directions });
  assert.deepEqual(
    [...found].map(([key, { vector, at, amount }]) => [key, vector, at, amount]),
    [
      ["slant", NEW, "now", 1],
      ["bold", OLD, "before", 1],
      ["here", OLD, "now", 1],
    ],
  );
});
