import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { read } from "../../core/storage.js";
import { Vector } from "../../engine/vector.js";
import { Catalog, MOST_SHOWN } from "./catalog.js";

const VECTOR = "ADwAwAA4AAA";
const OWN = { key: "mine", vector: new Vector(VECTOR), regroups: false };
const about = (more) => ({
  id: "x",
  measured: ["slant", "bold"],
  directions: Array(8).fill({ share: 0.1 }),
  steered: ["slant"],
  attributes: [{ title: "Eyes", values: ["two", "one"] }],
  ...more,
});
const keys = (catalog) => catalog.sorted().map(({ key }) => key);

/** As a browser keeps it, for as long as one test. */
function emptyStorage() {
  const kept = new Map();
  globalThis.localStorage = /** @type {any} */ ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => kept.set(key, text),
  });
}

beforeEach(emptyStorage);

function opened(more = {}) {
  const catalog = new Catalog(() => about(more));
  catalog.begin();
  catalog.readShown();
  return catalog;
}

test("measured directions are there before they are found, and those of the layer at once", () => {
  const catalog = opened();
  assert.deepEqual(keys(catalog), ["slant", "bold", ..."01234567"]);
  assert.deepEqual([catalog.isReady("slant"), catalog.isReady("0")], [false, true]);
  assert.deepEqual([...catalog.shown], ["slant", "bold", "0", "1", "2"]);
  assert.deepEqual([...opened({ measured: [] }).shown], [..."01234567"]);
});

test("what the server found is there, and of the measured ones nothing else", () => {
  const catalog = opened();
  catalog.take("stamp", [
    { key: "slant", kind: "measured", vector: VECTOR },
    { key: "class-3", kind: "class", vector: VECTOR, regroups: true },
  ]);
  assert.deepEqual(keys(catalog), ["slant", "class-3", ..."01234567"]);
  assert.deepEqual([catalog.isReady("slant"), catalog.isFitted("slant"), catalog.isFitted("class-3")], [true, true, false]);
  assert.deepEqual(catalog.pushOf("class-3"), {
    amount: 0,
    vector: catalog.entries.get("class-3").vector,
    regroups: true,
    at: "",
  });
  assert.equal(catalog.pushOf("3"), null);
});

test("the same weights keep what was found, others begin anew", () => {
  let weights = about();
  const catalog = new Catalog(() => weights);
  assert.equal(catalog.begin(), false);
  catalog.take("stamp", [{ key: "slant", kind: "measured", vector: VECTOR }]);
  assert.equal(catalog.begin(), true);
  assert.deepEqual([catalog.isReady("slant"), catalog.stamp], [true, "stamp"]);
  weights = about({ id: "y" });
  assert.equal(catalog.begin(), false);
  assert.deepEqual([catalog.isReady("slant"), catalog.stamp], [false, ""]);
});

test("one's own direction is kept for its weights, shown, and forgotten", () => {
  opened().save([OWN]);
  const again = opened();
  assert.deepEqual([again.own().map(({ key }) => key), again.shown.has("mine"), again.isReady("mine")], [["mine"], true, true]);
  assert.deepEqual(opened({ id: "y" }).own(), []);
  again.forget("mine");
  assert.deepEqual([opened().own(), again.shown.has("mine"), keys(again).includes("mine")], [[], false, false]);
});

test("one of the same name takes the place of the one before, and is not fitted to pictures", () => {
  const catalog = opened();
  catalog.save([OWN, { ...OWN, key: "slant" }]);
  catalog.save([{ ...OWN, regroups: true }]);
  assert.deepEqual(
    catalog.own().map(({ key, regroups }) => [key, regroups]),
    [
      ["mine", true],
      ["slant", false],
    ],
  );
  assert.equal(catalog.isFitted("slant"), false);
});

test("what is kept and spoiled is left out", () => {
  globalThis.localStorage.setItem("gan-forge-directions", JSON.stringify({ x: [{ key: 1 }, { key: "mine", vector: VECTOR }] }));
  globalThis.localStorage.setItem("gan-forge-sliders", JSON.stringify({ x: ["gone", "1"] }));
  const catalog = opened();
  assert.deepEqual([catalog.own().map(({ key }) => key), [...catalog.shown]], [["mine"], ["1"]]);
  assert.deepEqual(read("directions").y, undefined);
});

test("at first no more are shown than there is room for", () => {
  const measured = Array.from({ length: 20 }, (_, i) => `d${i}`);
  assert.equal(opened({ measured }).shown.size, MOST_SHOWN);
});

test("what a link pushes along is in the catalog, and what is known stays as it is", () => {
  const catalog = opened();
  const other = new Vector("AAAAAAAAAAA");
  catalog.take("stamp", [{ key: "slant", kind: "measured", vector: VECTOR }]);
  const push = { amount: 1, vector: other, regroups: false };
  catalog.addPushes(
    new Map([
      ["slant", push],
      ["bold", push],
      ["theirs", push],
    ]),
  );
  assert.deepEqual(
    ["slant", "theirs"].map((key) => [catalog.entries.get(key).kind, catalog.entries.get(key).vector.text]),
    [
      ["measured", VECTOR],
      ["own", other.text],
    ],
  );
});

test("directions towards attributes are found later, named by both, and shown unless a person has chosen", () => {
  const entry = { key: "attribute-0-1", kind: "attribute", vector: VECTOR };
  const catalog = opened({ measured: [] });
  catalog.take("stamp", [entry]);
  assert.deepEqual([...catalog.shown], ["attribute-0-1", "0", "1", "2"]);
  assert.match(catalog.nameOf("attribute-0-1"), /Eyes.*one|latent\.attribute/);
  assert.equal(catalog.nameOf("attribute-7-1"), "attribute-7-1");
  catalog.shown = new Set(["3"]);
  catalog.keepShown();
  const again = opened({ measured: [] });
  again.take("stamp", [entry]);
  assert.deepEqual([...again.shown], ["3"]);
});

test("a direction can become weak and sure again; it stays one, after those that are sure", () => {
  const [sure, weak] = ["attribute-0-1", "attribute-0-0"];
  const catalog = opened({ measured: [] });
  const take = (...kinds) =>
    catalog.take(
      "stamp",
      [weak, sure].map((key, i) => ({ key, kind: kinds[i], vector: VECTOR })),
    );
  take("weak", "attribute");
  const found = () => catalog.sorted().filter(({ kind }) => ["attribute", "weak"].includes(kind));
  assert.deepEqual(
    found().map(({ key }) => key),
    [sure, weak],
  );
  take("attribute", "weak");
  assert.deepEqual(
    found().map(({ key }) => key),
    [weak, sure],
  );
});

test("of told attributes only the open mouth has a slider at first, and values have the names of theirs", () => {
  const attributes = ["Eyes", "Mouth", "Hat"].map((title) => ({ title, values: ["a", "b", "c", "d", "e", "f"] }));
  const catalog = opened({ measured: [], attributes, told: true, open_mouth: "attribute-1-3" });
  const found = attributes.flatMap(({ values }, a) => values.map((_, v) => `attribute-${a}-${v}`));
  catalog.take(
    "stamp",
    found.map((key) => ({ key, kind: "attribute", vector: VECTOR, regroups: true })),
  );
  assert.deepEqual([...catalog.shown], ["attribute-1-3", "0", "1", "2"]);
  assert.deepEqual(catalog.valueOf("attribute-1-2"), { title: "Mouth", value: "c", at: 2 });
  assert.equal(catalog.valueOf("slant").value, undefined);
});
