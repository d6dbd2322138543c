import assert from "node:assert/strict";
import { test } from "node:test";
import { PAD, scales } from "./drawing.js";

const close = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a scale puts the ends at the edges, and finds the place under a pointer", () => {
  const scale = scales(400, 200, 1000, -1, 3, false);
  close(scale.x(0), PAD.left);
  close(scale.x(1000), 400 - PAD.right);
  close(scale.y(3), PAD.top);
  close(scale.y(-1), 200 - PAD.bottom);
  close(scale.y(1), (PAD.top + 200 - PAD.bottom) / 2);
  for (const place of [0, 123, 1000]) close(scale.place(scale.x(place)), place);
});

test("on a log scale equal factors are equal distances", () => {
  const { y } = scales(400, 200, 10, 0.01, 100, true);
  close(y(0.01) - y(0.1), y(10) - y(100));
  close(y(1), (y(0.01) + y(100)) / 2);
});
