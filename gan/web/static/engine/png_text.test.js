import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { isPNG, withWords, wordsOf } from "./png_text.js";

const SIGNATURE = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);

/** Bit by bit, as annex D of the specification begins. */
function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let k = 0; k < 8; k++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}

function chunk(type, data) {
  const named = Buffer.concat([Buffer.from(type), data]);
  const ends = [Buffer.alloc(4), Buffer.alloc(4)];
  ends[0].writeUInt32BE(data.length);
  ends[1].writeUInt32BE(crc32(named));
  return Buffer.concat([ends[0], named, ends[1]]);
}

const header = chunk("IHDR", Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]));
const png = (...chunks) =>
  new Uint8Array(
    Buffer.concat([
      SIGNATURE,
      header,
      ...chunks,
      chunk("IDAT", deflateSync(Buffer.from([0, 7]))),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
const text = (keyword, words) => chunk("tEXt", Buffer.from(`${keyword}\0${words}`, "latin1"));

test("the checksum of these tests is the known one", () => assert.equal(crc32(Buffer.from("123456789")), 0xcbf43926));

test("what is written is read, and nothing else of the file changes", () => {
  const file = withWords(png(), "gan-forge", '{"seed": 7}');
  assert.equal(wordsOf(file, "gan-forge"), '{"seed": 7}');
  assert.deepEqual(file, png(text("gan-forge", '{"seed": 7}')));
});

test("another keyword, also one that begins alike, is not ours", () => {
  assert.equal(wordsOf(png(), "gan-forge"), null);
  assert.equal(wordsOf(png(text("gan-forger", "x"), text("gan", "y")), "gan-forge"), null);
});

test("two texts, or one that is too long, are refused", () => {
  assert.throws(() => wordsOf(png(text("a", "1"), text("a", "2")), "a"));
  assert.throws(() => wordsOf(png(text("a", "x".repeat((1 << 16) + 1))), "a"));
});

test("a file that is damaged anywhere is refused or not a PNG", () => {
  const whole = withWords(png(), "a", "words");
  for (let at = 0; at < whole.length; at++) {
    assert.throws(() => wordsOf(whole.subarray(0, at), "a"), `cut at ${at}`);
    const hurt = whole.slice();
    hurt[at] ^= 1;
    assert.throws(() => wordsOf(hurt, "a"), `byte ${at}`);
  }
});

test("a PNG is known by its first bytes", () => {
  assert.ok(isPNG(png()));
  assert.ok(!isPNG(new Uint8Array([137, 80])) && !isPNG(new Uint8Array()));
});
