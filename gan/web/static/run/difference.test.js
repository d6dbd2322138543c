import assert from "node:assert/strict";
import { test } from "node:test";
import { changed } from "./difference.js";

test("changes come in the order of the shades before", () => {
  const before = Uint8Array.of(9, 0, 9, 200, 0);
  assert.deepEqual([...changed(before, Uint8Array.of(1, 2, 3, 4, 100))], [12, 1, 13, 44, 2]);
});

test("from black the changes are the picture, and no change leaves it as it was", () => {
  const picture = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7919) % 256);
  assert.deepEqual(changed(new Uint8Array(1000), picture), picture);
  assert.deepEqual(changed(picture, new Uint8Array(1000)), picture);
});
