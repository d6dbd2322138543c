import assert from "node:assert/strict";
import { test } from "node:test";
import { between, extent, logTicks, median, nearest, smoothed, spread, ticks, valueAt, verticals } from "./numbers.js";

const random = (() => {
  let state = 1;
  return () => {
    state = (1103515245 * state + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
})();

test("smoothing leaves a constant as it is, from its first point on, and keeps gaps", () => {
  smoothed([2, 2, null, 2, 2], 0.9).forEach((value, i) => assert.ok(i === 2 ? value === null : Math.abs(value - 2) < 1e-12));
  assert.deepEqual(smoothed([1, 5], 0), [1, 5]);
  assert.equal(smoothed([1, 4], 0.5)[1], (0.25 * 1 + 0.5 * 4) / 0.75);
});

test("the nearest entry is the one that a search through all finds", () => {
  assert.equal(nearest([], 1), -1);
  for (let round = 0; round < 300; round++) {
    const values = Array.from({ length: 1 + Math.floor(20 * random()) }, () => Math.floor(50 * random())).sort((a, b) => a - b);
    const wanted = 60 * random() - 5;
    const least = Math.min(...values.map((value) => Math.abs(value - wanted)));
    assert.equal(Math.abs(values[nearest(values, wanted)] - wanted), least);
  }
});

test("between points is the straight line, before them the one from the origin, beyond them the end", () => {
  assert.equal(between([], [], 5), 0);
  assert.deepEqual(
    [0, 5, 10, 15, 20, 99].map((x) => between([10, 20], [100, 400], x)),
    [0, 50, 100, 250, 400, 400],
  );
});

test("ticks are round, inside, evenly spaced, and about as many as asked for", () => {
  for (let round = 0; round < 300; round++) {
    const low = 100 * random() - 50;
    const high = low + 10 ** (6 * random() - 3);
    const found = ticks(low, high, 4);
    assert.ok(found.length >= 1 && found.length <= 5, `${low} to ${high}: ${found}`);
    const margin = 1e-5 * (high - low);
    assert.ok(found.every((value) => value >= low - margin && value <= high + margin));
    const gaps = found.slice(1).map((value, i) => value - found[i]);
    assert.ok(gaps.every((gap) => Math.abs(gap - gaps[0]) < margin));
  }
  assert.deepEqual(ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
});

test("ticks of a log axis are powers of ten, and more only where there is room", () => {
  assert.deepEqual(logTicks(1, 10), [1, 2, 3, 5, 7, 10]);
  assert.deepEqual(logTicks(1, 1e4), [1, 10, 100, 1000, 10000]);
  assert.ok(logTicks(1e-12, 1e12).length <= 6);
});

test("bins hold all values, outliers in the outermost", () => {
  const shares = spread([-9, 0.01, 0.5, 99, NaN, null], 0, 1);
  assert.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-12);
  assert.equal(shares[0], 0.5);
  assert.equal(shares.at(-1), 0.25);
  assert.ok(spread(null, 0, 1).every((share) => share === 0));
});

test("an axis is not stretched by a single spike, and begins at nothing where that is near", () => {
  const values = Array.from({ length: 1000 }, (_, i) => 1 + (i % 10) / 10);
  const [low, high] = verticals([{ raw: [...values, 1e6, NaN, null] }], null, false);
  assert.ok(low === 0 && high < 3);
  assert.deepEqual(verticals([{ raw: [] }], null, false), [0, 1, false]);
});

test("a line has no value well after its end, the last one there is where it has gaps", () => {
  assert.equal(valueAt([1, 2, 3], [10, null, null], null, 3), 10);
  assert.equal(valueAt([1, 2, 3], [10, 20, 30], 2.2, 3), 20);
  assert.ok(Number.isNaN(valueAt([1, 2, 3], [10, 20, 30], 50, 100)));
  assert.ok(Number.isNaN(valueAt([], [], 1, 1)));
});

test("the median is the middle of what is a number", () => {
  assert.equal(median([5, null, 1, NaN, 3]), 3);
  assert.ok(Number.isNaN(median(null)));
});

test("an extent leaves out the outermost values and what is no number, and is never nothing", () => {
  const values = Array.from({ length: 201 }, (_, i) => i);
  assert.deepEqual(extent([...values, null, NaN]), [2, 198]);
  assert.deepEqual(extent([]), [0, 1]);
  assert.deepEqual(extent([3, 3]), [2, 4]);
});
