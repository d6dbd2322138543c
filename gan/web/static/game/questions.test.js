import assert from "node:assert/strict";
import { test } from "node:test";
import { binOf, levels, PAIRS, questions } from "./questions.js";

const STEPS = [0, 1, 2, 3, 5, 8, 13, 40, 80, 160, 500, 900, 1500, 3000];
const frame = (fake, real) => ({ fake: Array(24).fill(fake), real: Array(16).fill(real) });

test("a bin is the power of two below a step", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 1023, 1024].map(binOf), [0, 1, 2, 2, 4, 512, 1024]);
});

test("levels are few, ascending, and have the first and the last step", () => {
  for (let count = 0; count <= STEPS.length; count++) {
    const steps = STEPS.slice(0, count);
    const found = levels(steps);
    assert.ok(found.length <= PAIRS && found.every((step) => steps.includes(step)));
    assert.deepEqual(
      found,
      [...new Set(found)].sort((a, b) => a - b),
    );
    if (count) assert.deepEqual([found[0], found.at(-1)], [steps[0], steps.at(-1)]);
  }
});

test("a round has as many real as generated pictures of each level, and no real one twice while there are others", () => {
  const round = questions(STEPS, () => frame(0.2, 0.9), { probability: true });
  assert.equal(round.length, 2 * PAIRS);
  for (const step of new Set(round.map(({ step }) => step)))
    assert.deepEqual(
      round
        .filter((each) => each.step === step)
        .map(({ real }) => real)
        .sort(),
      [false, true],
    );
  const shown = round.filter(({ real }) => real).map(({ index }) => index);
  assert.equal(new Set(shown).size, PAIRS);
  assert.ok(round.every(({ real, d }) => real === d));
});

test("D is asked at the middle of its scores where they have no scale", () => {
  const scores = () => ({ fake: [-8, -6], real: [-2, 0] });
  const round = questions([1, 2], scores, { probability: false, random: () => 0.99 });
  assert.ok(round.length === 4 && round.every(({ real, d }) => real === d));
  const blind = questions([1, 2], () => frame(0.5, 0.5), { probability: true });
  assert.ok(blind.every(({ d }) => d === false)); // what it does not take for real, it takes for generated
});

test("frames without verdicts are left out", () => {
  const known = (step) => (step === 2 ? { fake: null, real: null } : frame(0.1, 0.8));
  assert.deepEqual(new Set(questions([1, 2], known, { probability: true }).map(({ step }) => step)), new Set([1]));
  assert.deepEqual(questions([], known, { probability: true }), []);
});
