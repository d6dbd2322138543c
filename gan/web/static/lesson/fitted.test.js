import assert from "node:assert/strict";
import { test } from "node:test";
import { fitted } from "./fitted.js";

test("whole rows fill most of a room, and nothing lies outside it", () => {
  for (const count of [1, 9, 16, 24, 40, 64])
    for (const [width, height] of [
      [1200, 1000],
      [620, 740],
      [1900, 300],
    ]) {
      const { shown, columns, width: wide } = fitted(count, width, height, 4);
      const side = (wide + 4) / columns - 4;
      assert.ok(shown <= count && shown % columns === 0 && side > 0);
      assert.ok(wide <= width + 1e-9 && (side + 4) * (shown / columns) - 4 <= height + 1e-9);
    }
  const { shown, columns } = fitted(40, 1000, 1000, 4);
  assert.deepEqual([shown, columns], [25, 5]);
});

test("where there is no room, nothing is wide", () => {
  assert.equal(fitted(40, 0, 0, 4).width, 0);
});
