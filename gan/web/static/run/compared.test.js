import assert from "node:assert/strict";
import { test } from "node:test";
import { comparedIn, withRun } from "./compared.js";

test("one more run is the last, is there once, and the oldest makes room", () => {
  assert.equal(withRun({}, "a").runs, "a");
  assert.deepEqual(withRun({ runs: "a,b", x: "seconds" }, "a"), { runs: "b,a", x: "seconds" });
  assert.equal(withRun({ runs: "a,b,c,d" }, "e").runs, "b,c,d,e");
});

test("an address names each run once, and no more than are shown", () => {
  assert.deepEqual(comparedIn({ runs: "a,,b,a" }), ["a", "b"]);
  assert.deepEqual(comparedIn({ runs: "a,b,c,d,e" }), ["a", "b", "c", "d"]);
  assert.deepEqual(comparedIn({}), []);
});
