import assert from "node:assert/strict";
import { test } from "node:test";
import { queryOf } from "../core/query.js";
import { addressOf, pictureQuery, pictureText, readAddress } from "./state.js";

const params = (link) => Object.fromEntries(new URLSearchParams(link));

test("an address says a state and is written as it came", () => {
  for (const link of ["w=x&seed=5", "w=x&seed=5&c=3&m=0:0.5&spread=0.3&ring=4", "w=run-1&seed=0&psi=0.7"])
    assert.equal(queryOf(addressOf(readAddress(params(link)))), link);
});

test("what is beyond its limits is set to them, and what cannot be read is as usual", () => {
  const usual = readAddress({});
  assert.deepEqual([usual.w, usual.spec.seed, usual.spread, usual.ring], [undefined, 0, 0.7, 0]);
  const known = [
    ["spread=0", 0.7, 0],
    ["spread=0.001", 0.05, 0],
    ["spread=7&ring=64", 1, 0],
    ["spread=much&ring=-1", 0.7, 0],
    ["ring=67", 0.7, 3],
  ];
  for (const [link, spread, ring] of known) {
    const state = readAddress(params(link));
    assert.deepEqual([state.spread, state.ring], [spread, ring], link);
  }
  assert.deepEqual(readAddress(params("seed=1&psi=much")).spec.unread, {});
});

test("a picture depends on its weights and its spec, not on where its neighbours are looked for", () => {
  const [one, other] = ["w=x&seed=5&ring=1", "w=x&seed=5&spread=0.2"].map((link) => readAddress(params(link)));
  assert.deepEqual(pictureQuery(one), { w: "x", seed: "5" });
  assert.equal(pictureText(one), pictureText(other));
});
