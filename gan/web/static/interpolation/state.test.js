import assert from "node:assert/strict";
import { test } from "node:test";
import { queryOf } from "../core/query.js";
import { MAX_LEG, MAX_PATH } from "../engine/constants.js";
import { addressOf, MIDDLE, mostFrames, readAddress } from "./state.js";

const read = (link) => readAddress(Object.fromEntries(new URLSearchParams(link)));

test("an address says a state and is written as it came", () => {
  for (const link of [
    "w=x&a=3&b=8&mode=slerp&frames=24",
    "w=x&a=3:1&b=8:2&c=5&am=0:0.5&mode=smooth&frames=12&loop=1&fps=30&boomerang=0&scale=4&show=map&at=0.25,0.5&grid=7",
    "w=run-1&a=3&b=8&mode=lerp&frames=24&show=grid&grid=classes",
  ])
    assert.equal(queryOf(addressOf(read(link))), link);
});

test("what cannot be read is as usual, and what is beyond its limits is set to them", () => {
  const usual = read("");
  const { mode, frames, fps, boomerang, show, at, grid, scale } = usual;
  assert.deepEqual([mode, frames, fps, boomerang, show, grid, scale], ["slerp", 24, 20, true, "walk", 5, undefined]);
  assert.equal(at, MIDDLE);
  assert.deepEqual(read("mode=up&frames=many&fps=7&show=all&at=9,9&scale=x"), usual);
  assert.deepEqual([read("frames=0").frames, read("frames=9999").frames], [2, MAX_LEG]);
});

test("a path of any length has no more pictures than the server draws", () => {
  const letters = [..."abcdefghijkl"];
  for (let count = 2; count <= letters.length; count += 1)
    for (const loop of [false, true]) {
      const keyframes = Array(count);
      const legs = loop ? count : count - 1;
      const frames = mostFrames({ keyframes, loop });
      const pictures = legs * (frames - 1) + (loop ? 0 : 1);
      assert.ok(pictures <= MAX_PATH && frames <= MAX_LEG);
      assert.ok(frames === MAX_LEG || legs * frames + (loop ? 0 : 1) > MAX_PATH);
    }
});
