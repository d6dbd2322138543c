// Photos are far larger than what networks see: two hundred of a phone are a gigabyte. Where all together are much to send, they
// are made smaller here before.

import { encoded } from "../core/canvas.js";
import { t } from "../core/text.js";

const MUCH_BYTES = 32e6; // of all files together; what is less is sent as it is
const LARGE = 1024; // pixels of the shorter side; what is smaller is sent as it is
const SIDE = 512; // pixels of the shorter side of what is sent instead; the page prepares pictures of 64 at most
const QUALITY = 0.95;
const [AT_ONCE, HUGE] = [3, 24e6]; // a decoded photo of 12 megapixels takes 50 MB; with larger ones it is one at a time
const HEAD_BYTES = 1 << 18; // in which EXIF data end, and the size stands

/**
 * Width and height of a JPEG as it is stored, from its first bytes (ITU-T T.81, B.2.2); null for other files.
 *
 * @param {Uint8Array} bytes
 * @returns {[number, number] | null}
 */
export function jpegSize(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 9 < bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1];
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2); // a 0xff more may stand before a marker
  }
  return null;
}

/**
 * By how much a photo of these sides is made smaller; 1 where it is sent as it is.
 *
 * @param {[number, number]} size
 */
export function scaleOf(size) {
  const shorter = Math.min(...size);
  return shorter >= LARGE ? SIDE / shorter : 1;
}

/**
 * Whether so many files are made smaller at all.
 *
 * @param {File[]} files
 */
export const isMuch = (files) => files.reduce((sum, { size }) => sum + size, 0) > MUCH_BYTES;

/**
 * What is sent instead of large photos: upright, in sRGB. One that this browser cannot read is left to the server.
 *
 * @param {File[]} files
 * @param {(words: string) => void} say
 * @param {AbortSignal} signal
 * @returns {Promise<Map<File, Blob>>} rejects with one sentence when it is cancelled (`cancelled` is set then)
 */
export async function shrunk(files, say, signal) {
  /** @type {Map<File, Blob>} */
  const smaller = new Map();
  const photos = readsBack() ? await largePhotos(files) : [];
  const queue = photos.values();
  let done = 0;
  const work = async () => {
    for (const { file, size } of queue) {
      if (signal.aborted) return;
      const blob = await smallerOf(file, size).catch(() => null);
      if (signal.aborted) return;
      if (blob) smaller.set(file, blob);
      done += 1;
      say(t("train.own_shrinking", { done, count: photos.length }));
    }
  };
  const alone = photos.some(({ size: [width, height] }) => width * height > HUGE);
  await Promise.all(Array.from({ length: alone ? 1 : AT_ONCE }, work));
  if (signal.aborted) throw Object.assign(new Error(t("common.cancelled")), { cancelled: true });
  return smaller;
}

/** Whether a canvas gives back what was drawn: browsers that hide who reads it give noise instead. */
function readsBack() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  if (!context) return false;
  context.fillStyle = "rgb(40, 80, 120)";
  context.fillRect(0, 0, 8, 8);
  const { data } = context.getImageData(0, 0, 8, 8);
  return data.every((value, at) => value === [40, 80, 120, 255][at % 4]);
}

/** @param {File[]} files */
async function largePhotos(files) {
  const photos = [];
  for (const file of files) {
    const size = jpegSize(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
    if (size && scaleOf(size) < 1) photos.push({ file, size });
  }
  return photos;
}

/**
 * @param {File} file
 * @param {[number, number]} size
 * @returns {Promise<Blob | null>} null where this browser has no room to draw it
 */
async function smallerOf(file, size) {
  // The camera may lie on its side: which of both is the width is not known before. Half again as much is small enough, too.
  const resizeWidth = Math.round(scaleOf(size) * Math.max(...size));
  const bitmap = await createImageBitmap(file, { resizeWidth, resizeQuality: "high" });
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d");
  context?.drawImage(bitmap, 0, 0);
  bitmap.close();
  const blob = context && (await encoded(canvas, "image/jpeg", QUALITY));
  canvas.width = canvas.height = 0; // phones count the memory of all canvases together
  return blob;
}
