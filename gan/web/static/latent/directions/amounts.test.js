import assert from "node:assert/strict";
import { test } from "node:test";
import { LatentSpec } from "../../engine/latent_spec.js";
import { Vector } from "../../engine/vector.js";
import { amountOf, isSet, moved } from "./amounts.js";

const VECTOR = new Vector("ADwAwAA4AAA");
const PUSH = { amount: 0, vector: VECTOR, regroups: false, at: "" };

test("a principal direction is moved along by its number, and forgotten at zero", () => {
  const spec = new LatentSpec().with(moved(new LatentSpec(), "2", 1.5, null));
  assert.deepEqual([...spec.principal], [[2, 1.5]]);
  assert.deepEqual([isSet(spec, "2"), isSet(spec, "3"), amountOf(spec, "2"), amountOf(spec, "3")], [true, false, 1.5, 0]);
  assert.equal(spec.with(moved(spec, "2", 0, null)).principal.size, 0);
});

test("another direction is a push; the spec's own vector counts before the catalog's", () => {
  const other = new Vector("AAAAAAAAAAA");
  const spec = new LatentSpec().with(moved(new LatentSpec(), "smile", 1, PUSH));
  assert.equal(spec.pushes.get("smile").vector, VECTOR);
  const again = spec.with(moved(spec, "smile", -1, { ...PUSH, vector: other }));
  assert.deepEqual([amountOf(again, "smile"), again.pushes.get("smile").vector], [-1, VECTOR]);
});

test("a push by nothing stays only while it is locked", () => {
  const spec = new LatentSpec();
  const locked = spec.with(moved(spec, "smile", 0, PUSH, new Set(["smile"])));
  assert.deepEqual([locked.pushes.has("smile"), isSet(locked, "smile")], [true, true]);
  const free = locked.with(moved(locked, "smile", 0, PUSH, new Set()));
  assert.deepEqual([free.pushes.size, isSet(free, "smile")], [0, false]);
});
