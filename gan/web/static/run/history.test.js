import assert from "node:assert/strict";
import { test } from "node:test";
import { RunHistory } from "./history.js";

const ROWS = { step: [10, 20], images: [640, 1280], seconds: [1, 3] };

function filled() {
  const history = new RunHistory("it");
  const frames = { step: [16], fake: [[0.5]] };
  assert.deepEqual(history.append({ rows: structuredClone(ROWS), frames }), ["rows", "frames"]);
  return history;
}

test("what is new comes below what is known", () => {
  const history = filled();
  history.append({ rows: { step: [30], images: [1920], seconds: [4] } });
  assert.deepEqual(
    [history.column("step"), history.column("images")],
    [
      [10, 20, 30],
      [640, 1280, 1920],
    ],
  );
  assert.deepEqual(history.lastRow, { step: 30, images: 1920, seconds: 4 });
  assert.deepEqual([history.frameSteps, history.verdicts.get(16)], [[16], { fake: [0.5], real: null }]);
});

test("a very long run is taken over at once", () => {
  const history = new RunHistory("it");
  const step = Array.from({ length: 300_000 }, (_, i) => i);
  history.append({ rows: { step }, events: { step, kind: step, text: step } });
  assert.deepEqual([history.column("step").length, history.events.length], [300_000, 300_000]);
});

test("steps and places on another axis lead to each other", () => {
  const history = filled();
  assert.equal(history.placeOf(15, "seconds"), 2);
  assert.equal(history.stepAt(2, "seconds"), 15);
  assert.equal(history.placeOf(5, "images"), 320);
  assert.deepEqual(history.rowAt(19), { step: 20, images: 1280, seconds: 3 });
  assert.equal(new RunHistory("it").rowAt(5), null);
  assert.equal(new RunHistory("it").lastRow, null);
});

test("columns that only a part of a run has are empty elsewhere", () => {
  const history = filled();
  history.append({ signals: { step: [10], d_grad: [1] } });
  history.append({ signals: { step: [20, 30], lr: [3, 4] } });
  assert.deepEqual(history.recorded("signals", "d_grad"), [1, null, null]);
  assert.deepEqual(history.recorded("signals", "lr"), [null, 3, 4]);
});

test("what a run began with is no measure of it", () => {
  const history = new RunHistory("run");
  history.append({ measures: { step: [0], fid: [900], histogram: [[8, 0]] } });
  assert.deepEqual([history.measures, history.recorded("measures", "fid")], [[], []]);
  history.append({
    measures: {
      step: [5, 9],
      fid: [9.5, 8],
      histogram: [
        [1, 2],
        [2, 2],
      ],
    },
  });
  assert.deepEqual(history.recorded("measures", "fid"), [9.5, 8]);
  assert.deepEqual(
    history.measures.map(({ step }) => step),
    [5, 9],
  );
});

test("only numbers are curves; events and measures come whole", () => {
  const history = filled();
  history.append({
    events: { step: [3], kind: ["lr"], text: ["slower"] },
    measures: { step: [5], fid: [9.5], histogram: [[1, 2]] },
  });
  assert.deepEqual(history.recordedNames("measures"), ["step", "fid"]);
  assert.deepEqual(history.measures, [{ step: 5, fid: 9.5, histogram: [1, 2] }]);
  assert.deepEqual(history.events, [{ step: 3, kind: "lr", text: "slower" }]);
  history.clear();
  assert.deepEqual([history.kinds, history.events, history.measures, history.frameSteps], [[], [], [], []]);
});
