import assert from "node:assert/strict";
import { test } from "node:test";
import { placeName, unitOf } from "./axis.js";

test("an axis of seconds is marked in the unit that fits its end", () => {
  const marked = [
    [90, 30, "30 s"],
    [600, 300, "5 min"],
    [4 * 3600, 5400, "1.5 h"],
  ];
  for (const [last, value, words] of marked) assert.equal(unitOf("seconds", last).mark(value), words);
});

test("counts are short where that is exact", () => {
  const { mark } = unitOf("step", 1e6);
  assert.deepEqual([512, 9000, 20000, 20500, 1_250_000].map(mark), ["512", "9,000", "20k", "20,500", "1.25M"]);
});

test("a place in time is a duration", () => {
  assert.equal(placeName("seconds", 2.5), "2.5 s");
  assert.equal(placeName("seconds", 75), "1 min 15 s");
});
