import assert from "node:assert/strict";
import { test } from "node:test";
import { sortOut } from "./sendable.js";

const READ = { suffixes: [".png", ".jpg"], sidecars: [".json", ".csv"] };
const files = (...names) => names.map((name) => ({ name }));
const sorted = (...names) => {
  const { sent, others } = sortOut(files(...names), READ);
  return [sent.map(({ name }) => name), others];
};

test("pictures and tables are sent, in one order, the rest is named", () => {
  assert.deepEqual(sorted("b.PNG", "notes.txt", "a.jpg", "table.csv", "dataset.json", "other.json"), [
    ["a.jpg", "b.PNG", "dataset.json", "table.csv"],
    ["notes.txt", "other.json"],
  ]);
});

test("a zip is sent where there are no pictures beside it", () => {
  assert.deepEqual(sorted("all.zip"), [["all.zip"], []]);
  assert.deepEqual(sorted("all.zip", "a.png"), [["a.png"], ["all.zip"]]);
});

test("what systems leave in folders is not even named", () => {
  assert.deepEqual(sorted(".DS_Store", "__MACOSX/a.png", "x/.git/a.png", "Thumbs.db", "icon\r", "a.png"), [["a.png"], []]);
});
