import assert from "node:assert/strict";
import { test } from "node:test";
import { blend, blendMixtures, lerp, pathThrough, slerp } from "./interpolation.js";

const [A, B, C] = [Float32Array.of(3, 0, 0), Float32Array.of(0, 3, 0), Float32Array.of(0, 0, 3)];
const length = (z) => Math.hypot(...z);
const close = (found, wanted, most = 1e-5) =>
  wanted.forEach((value, i) => assert.ok(Math.abs(found[i] - value) < most, `${[...found]}, not ${[...wanted]}`));

test("both ways lead from one end to the other", () => {
  for (const way of [lerp, slerp]) {
    close(way(A, B, 0), A);
    close(way(A, B, 1), B);
  }
});

test("a line goes straight, a great circle keeps the length and equal angles", () => {
  close(lerp(A, B, 0.5), [1.5, 1.5, 0]);
  close(slerp(A, B, 1 / 3), [3 * Math.cos(Math.PI / 6), 3 * Math.sin(Math.PI / 6), 0]);
});

test("opposite latents meet half a circle away from the middle, parallel ones on their line", () => {
  const opposite = A.map((value) => -value);
  for (const t of [0.1, 0.5, 0.9]) assert.ok(Math.abs(length(slerp(A, opposite, t)) - 3) < 1e-5);
  close(
    slerp(
      A,
      A.map((value) => 2 * value),
      0.5,
    ),
    [4.5, 0, 0],
  );
});

test("a path passes its keyframes, and a closed one comes back", () => {
  const keyframes = [A, B, C].map((z) => [z, null]);
  for (const mode of ["lerp", "slerp", "smooth"]) {
    const open = pathThrough(keyframes, mode, 5, false);
    assert.equal(open.length, 9);
    for (const [i, [z]] of keyframes.entries()) close(open[4 * i][0], z);
    const closed = pathThrough(keyframes, mode, 5, true);
    assert.equal(closed.length, 12);
    for (const [i, [z]] of keyframes.entries()) close(closed[4 * i][0], z);
  }
});

test("a smooth path has no corner: before and after a keyframe it goes the same way", () => {
  const frames = 401;
  const way = pathThrough(
    [A, B, C].map((z) => [z, null]),
    "smooth",
    frames,
    false,
  ).map(([z]) => z);
  const step = (i) => way[i + 1].map((value, k) => value - way[i][k]);
  const [before, after] = [step(frames - 2), step(frames - 1)];
  const cosine = before.reduce((sum, value, i) => sum + value * after[i], 0) / length(before) / length(after);
  assert.ok(cosine > 0.999, String(cosine));
});

test("a sum with one share is that latent; equal shares are symmetric and as long", () => {
  close(blend([A, B, C], [0, 1, 0]), B);
  const middle = blend([A, B, C], [1 / 3, 1 / 3, 1 / 3]);
  assert.ok(Math.abs(length(middle) - 3) < 2e-3);
  assert.ok(middle.every((value) => value === middle[0]));
});

test("mixtures stay mixtures", () => {
  const shares = blendMixtures([Float32Array.of(1, 0), Float32Array.of(0, 1)], [1.5, -0.5]);
  assert.deepEqual([...shares], [1, 0]);
});
