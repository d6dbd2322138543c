import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { RunHistory } from "./history.js";
import { Track } from "./track.js";

// A server on this machine that answers as ours does, so that nothing of the page is replaced but its document.
let server;
let answers;
const asked = [];

before(async () => {
  server = createServer((request, response) => {
    const path = request.url.replace("/gradio_api/gan/runs/it/", "").replace("/gradio_api/gan/runs/it", "");
    asked.push(path);
    const [status, body] = answers[path] ?? [404, { error: "There is no run with this address.", gone: true }];
    response.writeHead(status, { "Content-Type": "application/json" }).end(status === 204 ? "" : JSON.stringify(body));
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  globalThis.document = { baseURI: `http://127.0.0.1:${server.address().port}/` };
});

after(() => {
  server.closeAllConnections();
  server.close();
  delete globalThis.document;
});

beforeEach(() => {
  answers = {};
  asked.length = 0;
});

const COUNTS = { row_count: 2, frame_count: 1, event_count: 0, measure_count: 0, generation: 1 };
const ROWS = {
  columns: ["step", "images", "seconds"],
  rows: [
    [10, 640, 1],
    [20, 1280, 3],
  ],
};
const FRAMES = { steps: [16], verdict_fake: [[0.5]], verdict_real: null };

async function filled() {
  const history = new RunHistory("it");
  answers = { "rows?from=0": [200, ROWS], "frames?from=0": [200, FRAMES] };
  assert.deepEqual(await history.update(COUNTS), { rows: true, frames: true, events: false, measures: false });
  return history;
}

test("only what is new is asked for", async () => {
  const history = await filled();
  assert.deepEqual(history.column("images"), [640, 1280]);
  assert.deepEqual(history.verdicts.get(16), { fake: [0.5], real: null });
  asked.length = 0;
  assert.ok(!Object.values(await history.update(COUNTS)).some(Boolean));
  assert.deepEqual(asked, []);
  answers["rows?from=2"] = [200, { ...ROWS, rows: [[30, 1920, 4]] }];
  assert.ok((await history.update({ ...COUNTS, row_count: 3 })).rows);
  assert.deepEqual([asked, history.column("step")], [["rows?from=2"], [10, 20, 30]]);
});

test("what a run threw away when it went back is forgotten and read anew", async () => {
  const history = await filled();
  answers["rows?from=0"] = [200, { ...ROWS, rows: ROWS.rows.slice(0, 1) }];
  const changed = await history.update({ ...COUNTS, row_count: 1, generation: 2 });
  assert.ok(changed.rows && changed.frames && changed.measures);
  assert.deepEqual(history.column("step"), [10]);
});

test("steps and places on another axis lead to each other", async () => {
  const history = await filled();
  assert.equal(history.placeOf(15, "seconds"), 2);
  assert.equal(history.stepAt(2, "seconds"), 15);
  assert.equal(history.placeOf(5, "images"), 320);
  assert.deepEqual(history.rowAt(19), { step: 20, images: 1280, seconds: 3 });
  assert.equal(new RunHistory("it").rowAt(5), null);
});

test("columns that only a part of a run has are empty elsewhere", async () => {
  const history = await filled();
  answers["columns/signals?from=0"] = [200, { count: 1, columns: { step: [10], d_grad: [1] } }];
  assert.ok(await history.updateRecords("signals"));
  answers["columns/signals?from=1"] = [200, { count: 2, columns: { step: [20, 30], lr: [3, 4] } }];
  assert.ok(await history.updateRecords("signals"));
  assert.deepEqual(history.recorded("signals", "d_grad"), [1, null, null]);
  assert.deepEqual(history.recorded("signals", "lr"), [null, 3, 4]);
  answers["columns/signals?from=3"] = [200, { count: 0, columns: {} }];
  assert.ok(!(await history.updateRecords("signals")));
});

test("a run that is gone is asked nothing more", async () => {
  const track = new Track("it");
  assert.equal(await track.update(), true);
  assert.equal(track.status, "gone");
  asked.length = 0;
  assert.equal(await track.update(), false);
  assert.deepEqual(asked, []);
});

test("a run's state is its newest snapshot's", async () => {
  const track = new Track("it");
  answers = {
    "": [200, { id: "it", status: "paused", step: 20, events: [] }],
    "live?since=0": [200, { ...COUNTS, version: 3, status: "running", step: 25, images: 1600, seconds: 4, tiles: null }],
    "rows?from=0": [200, ROWS],
    "frames?from=0": [200, FRAMES],
    "columns/signals?from=0": [200, { count: 0, columns: {} }],
    "columns/measures?from=0": [200, { count: 0, columns: {} }],
    "live?since=3": [204, null],
  };
  await track.open();
  assert.equal(track.status, "paused");
  assert.equal(await track.update(), true);
  assert.deepEqual([track.status, track.step, track.last("seconds")], ["running", 25, 4]);
  assert.equal(await track.update(), false);
  assert.equal(asked.at(-1), "live?since=3");
});
