import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ASSEMBLED, kernelFor, plain } from "./kernel.js";

const SOURCE = new URL("./kernel.wat", import.meta.url);

const wabt = await import("wabt").then(
  (found) => found.default,
  () => null,
);
const skip = !wabt && process.env.CI !== "true" && "wabt is not here: npm ci installs it";

test("the bytes in the script are kernel.wat, assembled", { skip }, async () => {
  const { parseWat } = await wabt();
  const { buffer } = parseWat("kernel.wat", readFileSync(SOURCE), { simd: true }).toBinary({});
  assert.equal(Buffer.from(buffer).toString("base64"), ASSEMBLED);
});

/** The sums of both kernels for the same numbers: fractions of small powers of two, which every order of adding gives exactly. */
function sums({ width, count, first, at, length, column }) {
  let state = width * 31 + count;
  const draw = () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return ((state >> 16) % 9) - 4; // -4 to 4, often 0
  };
  const numbers = {
    weight: Array.from({ length: width * count }, draw),
    x: Array.from({ length: first + count }, draw),
    y: Array.from({ length: at + length + 3 }, draw),
  };
  const lengths = Object.values(numbers).map((values) => values.length);
  return [kernelFor(lengths, count), plain(count)].map(({ floats, list, add }) => {
    const [weight, x, y] = Object.values(numbers).map((values) => {
      const made = floats(values.length);
      made.set(values);
      return made;
    });
    list(weight, width, x, first, count);
    add(y, at, length, column);
    add(y, at, length, column); // what is listed may be added again
    const wanted = numbers.y.map((value, j) => {
      const inside = j >= at && j < at + length;
      return (
        value +
        (inside
          ? 2 * numbers.x.slice(first).reduce((sum, f, i) => sum + f * numbers.weight[i * width + column + j - at], 0)
          : 0)
      );
    });
    return { y: [...y], wanted };
  });
}

test("both kernels add the stretches that they are asked for, and nothing else", () => {
  for (const length of [1, 2, 3, 4, 5, 31, 32, 33, 36, 67, 100])
    for (const [at, column] of [
      [0, 0],
      [3, 1],
      [5, 7],
    ])
      for (const count of [0, 1, 2, 3, 4, 5, 9])
        for (const { y, wanted } of sums({ width: column + length + 2, count, first: at, at, length, column }))
          assert.deepEqual(y, wanted, JSON.stringify({ length, at, column, count }));
});

test("there is room for all arrays that were announced, whatever their lengths", () => {
  for (const lengths of [[1], [1, 2, 3, 5], [70_000, 1, 1 << 20]]) {
    const { floats } = kernelFor(lengths, 5000);
    assert.deepEqual(
      lengths.map((count) => floats(count).length),
      lengths,
    );
  }
});
