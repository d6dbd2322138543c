import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, fixed, megabytes, percentOf, rounded, short, signed, times, whole } from "./format.js";
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
  assert.deepEqual(
    [0.456, 1, -0.25, -0.001, null, NaN].map((share) => percentOf(share)),
    ["46 %", "100 %", "−25 %", "0 %", "–", "–"],
  );
  assert.deepEqual(
    [0.456, 0.0004].map((share) => percentOf(share, 1)),
    ["45.6 %", "0.0 %"],
  );
  assert.deepEqual([0.5, 0, -1.234].map(signed), ["+0.50", "0.00", "−1.23"]);
});

test("numbers have the digits that were asked for, and a real minus", () => {
  assert.deepEqual(
    [0.456, -1, -0.001, 1234.5].map((value) => fixed(value)),
    ["0.46", "−1.00", "0.00", "1,234.50"],
  );
  assert.deepEqual([1, 9.94, 12.3, 1234].map(times), ["1.0", "9.9", "12", "1,234"]);
  assert.deepEqual([rounded(0.12345, 3), rounded(2, 4)], [0.123, 2]);
  assert.equal(megabytes(3.45 * 2 ** 20), "3.5");
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
