import assert from "node:assert/strict";
import { test } from "node:test";
import { isMuch, jpegSize, scaleOf } from "./shrink.js";

const SEGMENT = (marker, ...payload) => [0xff, marker, 0, payload.length + 2, ...payload];
const FRAME = (marker) => SEGMENT(marker, 8, 0x0b, 0xb8, 0x0f, 0xa0, 3, 1, 0x22, 0);
const jpeg = (...parts) => new Uint8Array([0xff, 0xd8, ...parts.flat(), 0xff, 0xda, 0, 8, 1, 2, 3, 4, 5, 6]);

test("the size of a JPEG is that of its frame, not of a thumbnail in its EXIF data", () => {
  const exif = SEGMENT(0xe1, 0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 10, 0, 20, 1);
  assert.deepEqual(jpegSize(jpeg(FRAME(0xc0))), [4000, 3000]);
  assert.deepEqual(jpegSize(jpeg(exif, SEGMENT(0xdb, 0), FRAME(0xc2))), [4000, 3000]);
  assert.deepEqual(jpegSize(jpeg(exif, [0xff], SEGMENT(0xc4, 1, 2), FRAME(0xc1))), [4000, 3000]);
});

test("what is no JPEG, or ends early, has none", () => {
  assert.equal(jpegSize(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13])), null);
  assert.equal(jpegSize(new Uint8Array([])), null);
  const whole = jpeg(SEGMENT(0xe1, 1, 2, 3), FRAME(0xc0));
  for (let length = 0; length < whole.length; length += 1) {
    const size = jpegSize(whole.subarray(0, length));
    assert.ok(size === null || (size[0] === 4000 && size[1] === 3000));
  }
});

test("only large photos become smaller, to 512 pixels at least", () => {
  assert.equal(scaleOf([4000, 3000]), 512 / 3000);
  assert.equal(scaleOf([1200, 1024]), 0.5);
  assert.equal(scaleOf([5000, 1000]), 1);
});

test("few photos are sent as they are", () => {
  assert.equal(isMuch(/** @type {File[]} */ ([{ size: 20e6 }, { size: 12e6 }])), false);
  assert.equal(isMuch(/** @type {File[]} */ ([{ size: 20e6 }, { size: 12e6 + 1 }])), true);
});
