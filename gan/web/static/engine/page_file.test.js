import assert from "node:assert/strict";
import { test } from "node:test";
import { halfValues } from "./page_file.js";

test("half numbers are those of IEEE 754", () => {
  const values = halfValues();
  const known = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
  ];
  for (const [bits, value] of known) assert.equal(values[bits], value);
});
