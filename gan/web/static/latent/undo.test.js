import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress } from "./state.js";
import { Undo } from "./undo.js";

const at = (seed, w = "x") => readAddress({ w, seed: String(seed) });

test("undo leads back through what was shown at each rest, redo forward again", () => {
  const undo = new Undo();
  for (const seed of [1, 2, 3]) undo.remember(at(seed));
  let now = at(3);
  const seeds = [];
  for (const way of ["undo", "undo", "undo", "redo", "redo", "redo"]) {
    const there = undo[way](now);
    seeds.push(there?.spec.seed ?? null);
    now = there ?? now;
  }
  assert.deepEqual(seeds, [2, 1, null, 2, 3, null]);
});

test("a change that has not come to rest yet is undone, too", () => {
  const undo = new Undo();
  undo.remember(at(1));
  assert.equal(undo.undo(at(2)).spec.seed, 1);
  assert.equal(undo.redo(at(1)).spec.seed, 2);
});

test("a new change takes away what could be redone; resting without a change does not", () => {
  const undo = new Undo();
  for (const seed of [1, 2]) undo.remember(at(seed));
  const back = undo.undo(at(2));
  undo.remember(back);
  assert.ok(undo.canRedo);
  undo.remember(at(3));
  assert.ok(!undo.canRedo && undo.canUndo);
});

test("other weights begin anew", () => {
  const undo = new Undo();
  for (const seed of [1, 2]) undo.remember(at(seed));
  undo.remember(at(2, "y"));
  assert.ok(!undo.canUndo && !undo.canRedo);
});

test("what nobody changed by hand is no step of its own", () => {
  const undo = new Undo();
  undo.remember(at(1));
  undo.refine(at(1), at(2));
  undo.remember(at(2));
  assert.ok(!undo.canUndo);
});

test("two hundred steps are kept", () => {
  const undo = new Undo();
  for (let seed = 0; seed <= 300; seed += 1) undo.remember(at(seed));
  let [now, steps] = [at(300), 0];
  for (let there = undo.undo(now); there; there = undo.undo(now)) [now, steps] = [there, steps + 1];
  assert.deepEqual([steps, now.spec.seed], [200, 100]);
});
