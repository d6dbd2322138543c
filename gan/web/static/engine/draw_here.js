// Weights that have come to the page once, and what is drawn with them without asking the server. Every function takes the
// same query as the server's route and gives the same pixels (to 1/255), or null where only the server can draw it.

import { api } from "../core/server.js";
import { readGenerator } from "./generator.js";
import { blend, blendMixtures, pathThrough } from "./interpolation.js";
import { EDITS, latentAt, neighbourOf, SHEETS, unpack } from "./noise.js";

const REFRESH_MS = 2000; // newer weights of a run that learns are fetched at most so often
const KEPT = 4;
const BUSY_MS = 8; // so long a row of pictures may keep the page from anything else
const MOST = 10; // gan/latent/query.py, MAX_VALUE
const RING = 16;
const MOST_PUSHES = 12;
const STRIP = [-3, -2, -1, 0, 1, 2, 3]; // gan/serving/renderer.py
const PLACE = new Set(["w", "seed", "c", ...EDITS]); // what is understood here; anything else is the server's

const held = new Map(); // weights id -> {generator, at: when it came}
const coming = new Map(); // weights id -> promise

/**
 * Bring what `about` (of aboutWeights) speaks of to this page; true when other weights than before are here. Where that
 * fails the server goes on drawing, so nothing is thrown.
 */
export function bring(about) {
  const { id } = about;
  const known = held.get(id);
  const young = known && performance.now() - known.at < REFRESH_MS;
  if (about.page_refusal || young || !isStale(about, known)) return Promise.resolve(false);
  if (!coming.has(id))
    coming.set(
      id,
      fetchGenerator(id).finally(() => coming.delete(id)),
    );
  return coming.get(id);
}

const isStale = ({ stamp }, known) => known?.generator.about.stamp !== stamp;

/** Whether weights of this id are here, newest or not. */
export const holds = (id) => held.has(id);

/** What the weights of this id that are here are (gan/models/weights_file.py). */
export const digestHere = (id) => held.get(id).generator.about.digest;

/** Whether older weights than `about` speaks of are here. */
export const behind = (about) => holds(about.id) && isStale(about, held.get(about.id));

async function fetchGenerator(id) {
  try {
    const response = await api(`weights/${encodeURIComponent(id)}/page`);
    const generator = readGenerator(await response.arrayBuffer());
    held.delete(id);
    held.set(id, { generator, at: performance.now() });
    for (const older of [...held.keys()].slice(0, -KEPT)) held.delete(older);
    return true;
  } catch (error) {
    if (!error.offline) console.warn(error.message);
    return false;
  }
}

/** Whether this page can draw the query by itself. */
export const canDraw = (query) => readQuery(query) !== null;

/** As the route `pixels`. */
export function drawHere(query) {
  const found = readQuery(query);
  if (!found) return null;
  return answer(found.generator, found.generator.draw(...conditioned(found, latentOf(found))), 1);
}

/** As the route `pixels` with near, spread and ring. */
export async function drawNeighboursHere({ near, spread, ring, ...query }) {
  const found = readQuery(query);
  if (!found) return null;
  const { generator, place } = found;
  const around = (i) => neighbourOf(place, ring * RING + i, spread, ...inWhich(generator));
  const latents = [latentOf(found), ...Array.from({ length: near }, (_, i) => around(i))];
  return drawMany(
    generator,
    latents.map((latent) => conditioned(found, latent)),
  );
}

/** As the route `strips`. */
export async function drawStripsHere({ along, ...query }) {
  const found = readQuery(query);
  if (!found) return null;
  const { generator, place } = found;
  const places = along.split(",").flatMap((key) => STRIP.map((amount) => moved(place, key, amount)));
  return drawMany(
    generator,
    places.map((one) => conditioned(found, latentAt(one, ...inWhich(generator)))),
  );
}

/** The same place with another amount of one push, or of the move with this number (gan.latent.spec.along). */
function moved(place, key, amount) {
  if (/^\d+$/.test(key)) return { ...place, d: new Map([...place.d, [Number(key), amount]]) };
  return { ...place, pushes: place.pushes.map((push) => (push.key === key ? { ...push, amount } : push)) };
}

/** As the route `latent`. */
export function numbersHere(query) {
  const found = readQuery(query);
  return found && { z: Array.from(latentOf(found).z) };
}

/**
 * As the route `path`.
 *
 * @param {Record<string, any>} query
 */
export async function drawPathHere({ mode, frames, loop, w, ...query }) {
  const keyframes = readKeyframes({ w, ...query });
  return keyframes && drawMany(keyframes.generator, pathThrough(keyframes.points, mode, frames, Boolean(loop)));
}

/** As the route `sums`, of one sum and at once: [share, ...] of the keyframes. */
export function drawSumHere(query, shares) {
  const keyframes = readKeyframes(query);
  if (!keyframes) return null;
  const { generator, points } = keyframes;
  return answer(generator, generator.draw(...summed(generator, points, shares)), 1);
}

/** As the route `sums`: rows of shares, each as each of `labels` where there are any. */
export async function drawSumsHere(query, rows, labels = []) {
  const keyframes = readKeyframes(query);
  if (!keyframes) return null;
  const { generator, points } = keyframes;
  const sums = rows.map((shares) => summed(generator, points, shares));
  const asEach = ([z]) => labels.map((label) => [z, generator.condition(z, label)]);
  return drawMany(generator, labels.length ? sums.flatMap(asEach) : sums);
}

function summed({ about, condition }, points, shares) {
  const z = blend(
    points.map(([latent]) => latent),
    shares,
  );
  return [
    z,
    about.classes
      ? blendMixtures(
          points.map(([, mixture]) => mixture),
          shares,
        )
      : condition(z, null),
  ];
}

// ---- drawing ----

/** @param {any} generator @returns {[zDim: number, directions: Float32Array[], clusters: number]} */
const inWhich = ({ about: { z_dim, clusters }, directions }) => [z_dim, directions, clusters];

const latentOf = ({ generator, place }) => latentAt(place, ...inWhich(generator));

/**
 * A latent, and what the generator is conditioned on.
 *
 * @param {any} found
 * @param {import("./noise.js").Latent} latent
 * @returns {import("./interpolation.js").Point}
 */
const conditioned = ({ generator, label, mix }, { z, voting }) => [z, generator.condition(voting, label, mix)];

/** Pairs of a latent and a mixture; every few milliseconds the page may do something else. */
async function drawMany(generator, latents) {
  const parts = [];
  let since = performance.now();
  for (const [z, mixture] of latents) {
    parts.push(generator.draw(z, mixture));
    if (performance.now() - since < BUSY_MS) continue;
    await new Promise((done) => setTimeout(done));
    since = performance.now();
  }
  const pixels = new Uint8Array(parts.length * parts[0].length);
  parts.forEach((part, i) => pixels.set(part, i * part.length));
  return answer(generator, pixels, parts.length);
}

/** What fetchPixels gives. */
function answer({ about: { channels, size, stamp, step } }, pixels, count) {
  return { pixels, count, channels, size, stamp, step };
}

// ---- the query ----

/** {generator, points} of the keyframes a, b, c, ...; null where readQuery finds one that is the server's. */
function readKeyframes({ w, ...query }) {
  const letters = Object.keys(query)
    .filter((key) => key.length === 1 && !isEmpty(query[key]))
    .sort();
  const found = letters.map((letter) => {
    const [seed, c] = String(query[letter]).split(":");
    return readQuery({ w, seed, c, ...Object.fromEntries(EDITS.map((key) => [key, query[letter + key]])) });
  });
  if (!found.length || found.includes(null)) return null;
  return { generator: found[0].generator, points: found.map((keyframe) => conditioned(keyframe, latentOf(keyframe))) };
}

/** {generator, place, label}; null when these weights are not here, or when the query holds something else than they know. */
function readQuery(query) {
  const generator = held.get(query.w)?.generator;
  const strange = Object.entries(query).some(([key, value]) => !isEmpty(value) && !PLACE.has(key));
  if (!generator || strange) return null;
  const { z_dim, classes } = generator.about;
  const [m, d, z] = [
    readPairs(query.m, Infinity, 0, 1),
    readPairs(query.d, generator.directions.length, -MOST, MOST),
    readPairs(query.z, z_dim, -MOST, MOST),
  ];
  const sheet = readSheet(query.from);
  const [pushes, start] = [readVectors(query.u, z_dim), isEmpty(query.from) || sheet ? undefined : unpack(query.from)];
  const psi = isEmpty(query.psi) ? 1 : Number(query.psi);
  const mix = isEmpty(query.mix) ? undefined : readPairs(query.mix, classes, 0, 1)?.[0];
  const label = isEmpty(query.c) ? null : Number(query.c);
  const unread = !m || !d || !z || !pushes || !(psi >= 0 && psi <= 1) || (mix === undefined && !isEmpty(query.mix));
  if (unread || (start && start.length !== z_dim) || start === null || (label !== null && !(label < classes))) return null;
  const lock = new Set(isEmpty(query.lock) ? [] : query.lock.split(","));
  const place = { seed: Number(query.seed), m, d: new Map(d), z: new Map(z), from: start, sheet, psi, pushes, lock };
  return { generator, place, label, mix };
}

/**
 * [name, row] of a picture of a sheet, tile:NUMBER or study:NUMBER; null when it is none.
 *
 * @param {any} text
 * @returns {[name: string, row: number] | null}
 */
function readSheet(text) {
  const [name, row] = String(text ?? "").split(":");
  return row && Number(row) < SHEETS[name]?.latents ? [name, Number(row)] : null;
}

const vectors = new Map(); // text -> numbers: a slider sends the same vectors again and again

/** NAME:AMOUNT:VECTOR[:g],... as a list of pushes; null when one cannot be read. */
function readVectors(text, zDim) {
  const parts = isEmpty(text) ? [] : text.split(",").map((part) => part.split(":"));
  const pushes = parts.map(([key, amount, packed, flag]) => {
    if (vectors.size > 100) vectors.clear();
    if (!vectors.has(packed)) vectors.set(packed, unpack(packed ?? ""));
    const pushed = Math.min(Math.max(Number(amount), -MOST), MOST);
    return { key, amount: pushed, vector: vectors.get(packed), regroups: flag === "g" };
  });
  const right = pushes.every(({ amount, vector }) => Number.isFinite(amount) && vector?.length === zDim);
  return right && pushes.length <= MOST_PUSHES ? pushes : null;
}

const isEmpty = (value) => value === undefined || value === null || value === "";

/** Numbered values, 0:1.5,3:-2; null when one is not a number or its key is not below `keys`. */
function readPairs(text, keys, low, high) {
  const pairs = isEmpty(text) ? [] : text.split(",").map((part) => part.split(":").map(Number));
  const right = pairs.every(([key, value]) => Number.isInteger(key) && key >= 0 && key < keys && Number.isFinite(value));
  return right ? pairs.map(([key, value]) => [key, Math.min(Math.max(value, low), high)]) : null;
}
