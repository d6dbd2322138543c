import assert from "node:assert/strict";
import { test } from "node:test";
import { isMissing, sharesOf } from "./attribute_bars.js";

const attribute = (...values) => ({ title: "", values, shares: values.map(() => 0) });

test("shares are of the pictures, attribute by attribute", () => {
  assert.deepEqual(sharesOf([1, 3, 2, 2, 0], [attribute("a", "b"), attribute("c", "d", "e")]), [0.25, 0.75, 0.5, 0.5, 0]);
  assert.deepEqual(sharesOf([0, 0], [attribute("a", "b")]), [0, 0]);
});

test("what is common and hardly drawn is missing, what is rare is not", () => {
  assert.deepEqual([isMissing(0.01, 0.1), isMissing(0.05, 0.1), isMissing(0, 0.01)], [true, false, false]);
});
