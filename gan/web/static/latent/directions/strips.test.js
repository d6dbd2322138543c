import assert from "node:assert/strict";
import { test } from "node:test";
import { amountAt, LIMIT } from "./strips.js";

test("a click on a strip means the amount that the picture there was drawn with", () => {
  const canvas = { getBoundingClientRect: () => ({ left: 100, width: 70 }) };
  const amounts = [100, 109, 135, 169, 170, 90].map((clientX) => amountAt(canvas, { clientX }));
  assert.deepEqual(amounts, [-LIMIT, -LIMIT, 0, LIMIT, LIMIT, -LIMIT]);
});
