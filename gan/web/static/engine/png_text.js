// Words inside a PNG: its tEXt chunks (PNG specification, third edition, 11.3.3.2), read and written without decoding the
// picture. Compressed text (zTXt, iTXt) is not read: a few bytes of it may stand for gigabytes. No DOM in here.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const FRAME = 12; // bytes of a chunk besides its data: length, type, checksum
const MOST = 1 << 16; // bytes of a text that is read

/**
 * Whether a file begins as a PNG does.
 *
 * @param {Uint8Array} bytes
 */
export const isPNG = (bytes) => SIGNATURE.every((value, i) => bytes[i] === value);

/**
 * The text with this keyword, or null when the file has none. Throws an Error when the file is damaged: cut off, a wrong
 * checksum, a chunk that is longer than the file, two texts of this name, or one that is too long to be ours.
 *
 * @param {Uint8Array} bytes
 * @param {string} keyword
 */
export function wordsOf(bytes, keyword) {
  const texts = chunksOf(bytes)
    .filter(({ type }) => type === "tEXt")
    .map(({ data }) => data);
  const ours = texts.filter(
    (data) => data.indexOf(0) === keyword.length && latin1(data.subarray(0, keyword.length)) === keyword,
  );
  if (!ours.length) return null;
  if (ours.length > 1 || ours[0].length > MOST) throw new Error("the text is not one that was written here");
  return latin1(ours[0].subarray(keyword.length + 1));
}

/**
 * The same file with a text (ASCII) after its header.
 *
 * @param {Uint8Array} bytes
 * @param {string} keyword
 * @param {string} text
 */
export function withWords(bytes, keyword, text) {
  const header = SIGNATURE.length + FRAME + 13;
  const data = ascii(`tEXt${keyword}\0${text}`);
  const chunk = new Uint8Array(data.length + 8);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length - 4);
  chunk.set(data, 4);
  view.setUint32(data.length + 4, checksum(data));
  const file = new Uint8Array(bytes.length + chunk.length);
  file.set(bytes.subarray(0, header));
  file.set(chunk, header);
  file.set(bytes.subarray(header), header + chunk.length);
  return file;
}

/** @param {Uint8Array} bytes */
function chunksOf(bytes) {
  if (!isPNG(bytes)) throw new Error("the file does not begin as a PNG does");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks = [];
  let at = SIGNATURE.length;
  while (chunks.at(-1)?.type !== "IEND") {
    if (at + FRAME > bytes.length) throw new Error("the file is cut off");
    const length = view.getUint32(at);
    const end = at + FRAME + length;
    if (end > bytes.length) throw new Error("a chunk is longer than the file");
    const named = bytes.subarray(at + 4, end - 4); // type and data
    if (checksum(named) !== view.getUint32(end - 4)) throw new Error("a checksum is wrong");
    chunks.push({ type: latin1(named.subarray(0, 4)), data: named.subarray(4) });
    at = end;
  }
  if (chunks[0].type !== "IHDR") throw new Error("the header is missing");
  return chunks;
}

/**
 * In pieces that String.fromCharCode can take.
 *
 * @param {Uint8Array} bytes
 */
function latin1(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return text;
}

/** @param {string} text */
const ascii = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0x7f);

// ---- CRC-32 (PNG specification, annex D) ----

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
  let rest = value;
  for (let k = 0; k < 8; k++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** @param {Uint8Array} bytes */
function checksum(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = TABLE[(rest ^ byte) & 0xff] ^ (rest >>> 8);
  return (rest ^ 0xffffffff) >>> 0;
}
