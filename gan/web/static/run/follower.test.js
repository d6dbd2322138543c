import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { Track } from "../compare/track.js";
import { followerOf } from "./follower.js";

// A server on this machine that answers as ours does, so that nothing of the page is replaced but what a browser has.
let server;
let asked = []; // cursors
let run; // what the server would tell: {answers: cursor -> [answer, picture]}, or null: it is gone
const page = { tab: "train" };
const subscribed = [];

before(async () => {
  server = createServer((request, response) => {
    const cursor = request.url.split("since=")[1] ?? "description";
    asked.push(cursor);
    if (!run) return response.writeHead(404).end('{"error": "There is no run with this address.", "gone": true}');
    if (run.broken) return response.writeHead(500).end('{"error": "It broke."}');
    const found = run.answers[cursor];
    if (!found) return response.writeHead(204).end();
    if (cursor === "description") return response.end(JSON.stringify(found));
    return response.end(Buffer.concat([Buffer.from(`${JSON.stringify(found[0])}\n`), Buffer.from(found[1] ?? [])]));
  }).listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  const events = { addEventListener() {}, removeEventListener() {} };
  globalThis.document = {
    ...events,
    hidden: false,
    baseURI: `http://127.0.0.1:${server.address().port}/`,
    querySelector: () => ({ dataset: { tabId: page.tab } }),
  };
  globalThis.window = events;
  globalThis.ImageData = class {
    constructor(width, height) {
      this.data = new Uint8ClampedArray(4 * width * height);
    }
  };
  globalThis.createImageBitmap = async ({ data }) => ({ shades: data.filter((_, i) => i % 4 === 0), close() {} });
});

after(() => {
  server.closeAllConnections();
  server.close();
  for (const name of ["document", "window", "ImageData", "createImageBitmap"]) delete globalThis[name];
});

beforeEach(() => {
  page.tab = "train";
  const picture = { ...PICTURE, difference: false };
  run = { answers: { "": [{ cursor: "a", again: true, run: RUN, snapshot: moment(1), picture, records: ROWS }, [9, 2, 5]] } };
  asked = [];
});

afterEach(() => {
  for (const [follower, subscriber] of subscribed.splice(0)) follower.unsubscribe(subscriber);
});

const RUN = { id: "it", title: "It", status: "running", recorded: false, needs: "" };
const PICTURE = { width: 3, height: 1, channels: 1, difference: true };
const ROWS = { rows: { step: [1, 2], d_loss: [0.5, 0.25] } };
const moment = (version, status = "running") => ({ version, status, step: version, message: "" });

/** Somebody who shows the run in a tab, and writes down what is new; what there is has been told. */
async function showing(follower, tab, more = {}) {
  const heard = [];
  const subscriber = { tab, changed: (change) => heard.push([...change].sort()), ...more };
  subscribed.push([follower, subscriber]);
  follower.subscribe(subscriber);
  await new Promise(setImmediate);
  return { heard, subscriber };
}

/** The server is asked once more, and what it says is told. */
async function next(follower) {
  follower.due = 0;
  await follower.tick();
}

test("the first answer has all of the run, and who comes later is told all of it", async () => {
  const follower = await followerOf("it");
  assert.deepEqual([follower.meta, follower.status, [...follower.sheet.shades]], [RUN, "running", [9, 2, 5]]);
  assert.deepEqual(follower.history.column("d_loss"), [0.5, 0.25]);
  const { heard } = await showing(follower, "train");
  assert.deepEqual([heard, asked], [[["picture", "rows", "snapshot"]], [""]]);
});

test("the server is asked for what is new, and nothing is known twice", async () => {
  const follower = await followerOf("it");
  const { heard } = await showing(follower, "train");
  run.answers.a = [{ cursor: "b", again: false, snapshot: moment(2, "paused"), records: { rows: { step: [3], d_loss: [1] } } }];
  await next(follower);
  await next(follower);
  assert.deepEqual(asked, ["", "a", "b"]);
  assert.deepEqual(follower.history.column("step"), [1, 2, 3]);
  assert.deepEqual(heard.slice(1), [["rows", "snapshot", "status"], []]);
  assert.deepEqual([...follower.sheet.shades], [9, 2, 5]); // the pictures are still those
});

test("new pictures are the old ones and what has changed", async () => {
  const follower = await followerOf("it");
  await showing(follower, "train");
  const changes = [1, 0, 250]; // of the shades 2, 5 and 9
  run.answers.a = [{ cursor: "b", again: false, snapshot: moment(2), picture: PICTURE, records: {} }, changes];
  await next(follower);
  assert.deepEqual([...follower.sheet.shades], [3, 3, 5]);
});

test("what a run has taken back is forgotten, and its kinds count as new", async () => {
  const follower = await followerOf("it");
  const { heard } = await showing(follower, "train");
  run.answers.a = [{ cursor: "b", again: true, snapshot: moment(2), records: { events: { step: [1], text: ["back"] } } }];
  await next(follower);
  assert.deepEqual([follower.history.column("step"), follower.history.events], [[], [{ step: 1, text: "back" }]]);
  assert.deepEqual(heard[1], ["again", "events", "rows", "snapshot"]);
});

test("two tabs that show a run share its follower, and only the open one is told", async () => {
  const [follower, same] = await Promise.all([followerOf("it"), followerOf("it")]);
  const train = await showing(follower, "train");
  const compare = await showing(same, "compare");
  assert.equal(follower, same);
  assert.equal(follower, await followerOf("it"));
  run.answers.a = [{ cursor: "b", again: false, snapshot: moment(2), records: {} }];
  await next(follower);
  assert.deepEqual(asked, ["", "a"]);
  assert.deepEqual([train.heard.at(-1), compare.heard], [["snapshot"], []]);
  page.tab = "compare";
  await follower.tick(); // nothing is due: what is known is told
  assert.deepEqual(compare.heard, [["picture", "rows", "snapshot"]]);
});

test("nobody asks while no tab that shows the run is open", async () => {
  const follower = await followerOf("it");
  const { subscriber } = await showing(follower, "train");
  page.tab = "how";
  await next(follower);
  assert.deepEqual(asked, [""]);
  follower.unsubscribe(subscriber);
  assert.equal(follower.poll, null);
  assert.notEqual(await followerOf("it"), follower); // whoever comes now begins anew
});

test("how often the server is asked", async () => {
  const follower = await followerOf("it");
  await showing(follower, "train", { eager: true });
  assert.equal(follower.pace(), 1000); // a watcher's
  follower.take({ cursor: "b", again: false, snapshot: moment(2, "paused"), records: {} });
  assert.equal(follower.pace(), 1500);
  follower.take({ cursor: "c", again: false, run: { ...RUN, recorded: true }, records: {} });
  assert.equal(follower.pace(), 60_000);
});

test("an answer that did not come is asked for again from where one was", async () => {
  const follower = await followerOf("it");
  const { heard } = await showing(follower, "train");
  run.broken = true;
  await assert.rejects(next(follower), /It broke/);
  run.broken = false;
  await next(follower);
  assert.deepEqual([asked, heard.length], [["", "a", "a"], 2]);
});

test("a run that is gone stays as it was seen, and is asked nothing more", async () => {
  const follower = await followerOf("it");
  const { heard } = await showing(follower, "train");
  run = null;
  await next(follower);
  assert.deepEqual([follower.status, follower.meta.title, heard.at(-1)], ["gone", "It", ["gone"]]);
  await next(follower);
  assert.deepEqual(asked, ["", "a"]);
  await assert.rejects(followerOf("it"), /no run with this address/);
});

test("who is not looking when a run goes is told later", async () => {
  const follower = await followerOf("it");
  const { heard } = await showing(follower, "train");
  const how = await showing(follower, "how");
  page.tab = "how";
  run = null;
  await next(follower);
  follower.unsubscribe(how.subscriber);
  assert.deepEqual([heard.flat().includes("gone"), how.heard.at(-1).includes("gone")], [false, true]);
  page.tab = "train";
  await follower.tick();
  assert.deepEqual(heard.at(-1), ["gone"]);
});

test("a description that was asked for alone keeps what only it says", async () => {
  const follower = await followerOf("it");
  const { heard } = await showing(follower, "train");
  run.answers.description = { ...RUN, pictures_bytes: 5 };
  await follower.describe();
  follower.take({ cursor: "b", again: false, run: { ...RUN, status: "paused" }, records: {} });
  assert.deepEqual([follower.meta.pictures_bytes, follower.meta.status, heard.at(-1)], [5, "paused", ["run"]]);
});

test("a run that is compared says where it has come to", async () => {
  const track = new Track(await followerOf("it"), () => {});
  assert.deepEqual([track.status, track.step, track.last("step")], ["running", 1, 2]);
  assert.equal(track.at(null, "step").sheet, track.follower.sheet);
});
