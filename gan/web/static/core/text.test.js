import assert from "node:assert/strict";
import { afterEach, test } from "node:test";

import { fixed, percentOf, short, whole } from "./format.js";
import { localised, number, t, useText } from "./text.js";

afterEach(() => useText({}));

const GERMAN = {
  data: {
    pictures: { one: "{count:integer} Bild", other: "{count:integer} Bilder" },
    left: "{pictures} und {names:and} bleiben.",
    share: "{share:percent} von {size:fixed1} MB, {rate:number}, {tiny:significant3}",
  },
};

test("plural forms, numbers, lists and messages in messages are those of the language", () => {
  useText(GERMAN, "de");
  assert.equal(t("data.pictures", { count: 1 }), "1 Bild");
  assert.equal(t("data.pictures", { count: 12345 }), "12.345 Bilder");
  const values = { pictures: { key: "data.pictures", values: { count: 0 } }, names: ["a", "b", "c"] };
  assert.equal(t("data.left", values), "0 Bilder und a, b und c bleiben.");
  const numbers = { share: 0.125, size: 1234.56, rate: 0.0002, tiny: 0.000012345 };
  assert.equal(t("data.share", numbers), "13\u00a0% von 1.234,6 MB, 0,0002, 1,23e-05");
});

test("Spanish has a form of its own for millions", () => {
  useText({ data: { n: { one: "uno", many: "{count:integer} de imágenes", other: "{count:integer} imágenes" } } }, "es");
  assert.equal(t("data.n", { count: 1_000_000 }), "1.000.000 de imágenes");
  assert.equal(t("data.n", { count: 12_000 }), "12.000 imágenes");
});

test("an answer is said in the language of the page, as far as its catalogue goes; in English it is left alone", () => {
  const answer = {
    error: "1 picture",
    rows: [1, 2],
    events: [
      { step: 3, text: "x", messages: { text: { key: "data.pictures", values: { count: 1 } } } },
      { step: 4, text: "an old one" },
      { step: 5, text: "a new one", messages: { text: { key: "data.unknown", values: {} } } },
    ],
    notes: ["2 pictures", "plain"],
    messages: {
      error: { key: "data.pictures", values: { count: 1 } },
      notes: [{ key: "data.pictures", values: { count: 2 } }, null],
    },
  };
  assert.equal(localised(answer), answer);
  useText(GERMAN, "de");
  const { error, rows, events, notes } = localised(answer);
  assert.deepEqual([error, rows, notes], ["1 Bild", [1, 2], ["2 Bilder", "plain"]]);
  assert.deepEqual(
    events.map(({ text }) => text),
    ["1 Bild", "an old one", "a new one"],
  );
});

test("a message from a stranger cannot do more than be text", () => {
  useText(GERMAN, "de");
  for (const key of ["__proto__.x", "data.__proto__", "constructor.name", "toString", ""])
    assert.equal(t(key, {}, "as it was"), "as it was");
  assert.equal(t("data.pictures", { count: "<b>" }), "NaN Bilder");
});

test("numbers are written as the language does", () => {
  assert.deepEqual([whole(12345.6), short(0.00012), percentOf(0.456, 1), fixed(-1.5)], ["12,346", "1.2e-4", "45.6 %", "−1.50"]);
  useText({}, "de");
  assert.deepEqual([whole(12345.6), short(0.00012), percentOf(0.456, 1), fixed(-1.5)], ["12.346", "1,2e-4", "45,6 %", "−1,50"]);
  assert.equal(number(0.5), "0,5");
});
