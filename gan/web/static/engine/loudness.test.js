import assert from "node:assert/strict";
import { test } from "node:test";
import { followed, loudness } from "./loudness.js";

const tone = (height) => Float32Array.from({ length: 2048 }, (_, i) => height * Math.sin(i / 5));

test("silence is 0, a shout is 1, and twice as high is louder by the same each time", () => {
  assert.equal(loudness(new Float32Array(2048)), 0);
  assert.equal(loudness(new Float32Array(0)), 0);
  assert.equal(loudness(tone(1)), 1);
  const [a, b, c] = [0.02, 0.04, 0.08].map((height) => loudness(tone(height)));
  assert.ok(a > 0 && c < 1 && Math.abs(c - b - (b - a)) < 1e-6);
  assert.ok(Math.abs(b - a - (20 * Math.log10(2)) / 36) < 1e-6);
});

test("it rises at once and falls slowly, and comes to rest", () => {
  assert.ok(followed(0, 1) > 0.5 && followed(1, 0) > 0.8);
  let level = 1;
  for (let i = 0; i < 200; i++) level = followed(level, 0.25);
  assert.ok(Math.abs(level - 0.25) < 1e-9);
});
