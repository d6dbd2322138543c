import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, percentOf, short, signed, whole } from "./format.js";
import { encoded, queryOf } from "./query.js";
import { t, useText } from "./text.js";

test("whole numbers have commas", () => assert.deepEqual([0, 999.5, 1234567].map(whole), ["0", "1,000", "1,234,567"]));

test("short numbers keep three digits, very large and small ones a power of ten", () => {
  const known = [
    [0, "0"],
    [0.12345, "0.123"],
    [-12345.6, "-12300"],
    [1e5, "1.0e5"],
    [0.00012, "1.2e-4"],
    [null, "–"],
    [undefined, "–"],
    [NaN, "–"],
    [Infinity, "–"],
  ];
  for (const [value, words] of known) assert.equal(short(value), words);
});

test("durations have two units", () => {
  const known = [
    [0, "0 s"],
    [59.4, "59 s"],
    [59.6, "1 min 00 s"],
    [3599, "59 min 59 s"],
    [3660, "1 h 01 min"],
    [null, "–"],
  ];
  for (const [value, words] of known) assert.equal(duration(value), words);
});

test("shares are per cent, amounts have a sign", () => {
  assert.deepEqual([0.456, 1, null].map(percentOf), ["46 %", "100 %", "–"]);
  assert.deepEqual([0.5, 0, -1.234].map(signed), ["+0.50", "0.00", "−1.23"]);
});

test("a query says everything that is not empty, and reads back", () => {
  const values = { w: "a b", d: "0:1.5,2:-1", c: 0, none: null, nothing: undefined, empty: "", odd: "ä&=#+%" };
  const query = queryOf(values);
  assert.match(query, /d=0:1\.5,2:-1/);
  assert.deepEqual(Object.fromEntries(new URLSearchParams(query)), { w: "a b", d: "0:1.5,2:-1", c: "0", odd: "ä&=#+%" });
  assert.equal(encoded("é/?"), "%C3%A9%2F%3F");
});

test("a string takes values by name; one that is missing shows its key or what stands in for it", () => {
  useText({ train: { step: "Step {at} of {all}", odd: "{at}" } });
  assert.equal(t("train.step", { at: 1, all: "{at}" }), "Step 1 of {at}");
  assert.equal(t("train.odd"), "{at}");
  assert.equal(t("train.none"), "train.none");
  assert.equal(t("none.none", {}, "Close"), "Close");
});
