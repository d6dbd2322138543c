import assert from "node:assert/strict";
import { test } from "node:test";
import { offeredCharts } from "./further_charts.js";

const history = (signals, measures = []) => ({
  recordedNames: (what) => ({ signals: ["step", "seconds", ...signals], measures })[what],
});

test("what both players have is one chart, then comes the strip, then single columns", () => {
  assert.deepEqual(offeredCharts(history(["d_grad", "g_grad", "twins"], ["fid"])), [
    "d_grad+g_grad",
    "verdict_strip",
    "twins",
    "fid",
  ]);
  assert.deepEqual(offeredCharts(history(["g_weights"])), ["d_weights+g_weights", "verdict_strip"]);
  assert.deepEqual(offeredCharts(history([])), ["verdict_strip"]);
});
