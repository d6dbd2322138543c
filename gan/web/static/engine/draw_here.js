// Weights that have come to the page once, and what is drawn with them without asking the server. Every function takes the
// id of weights and specs (LatentSpec) and gives the same pixels (to 1/255) as the server's route, or null where only the
// server can draw it.

import { api } from "../core/server.js";
import { RING, STRIP } from "./constants.js";
import { partsOf, readGenerator, votesOf } from "./generator.js";
import { blend, blendMixtures, pathThrough } from "./interpolation.js";
import { latentAt, neighbourOf } from "./noise.js";

/** @typedef {import("./latent_spec.js").LatentSpec} LatentSpec */
/** @typedef {import("./latent_spec.js").Weights} Weights */
/** @typedef {import("./generator.js").Generator} Generator */
/** @typedef {import("./interpolation.js").Point} Point */
/** @typedef {{id: string, stamp: string, page_refusal?: string | null}} About what is used of aboutWeights */
/** @typedef {{generator: Generator, known: Weights, at: number}} Held known: what specs must fit to; at: when it came */

const REFRESH_MS = 2000; // newer weights of a run that learns are fetched at most so often
const KEPT = 4;
const BUSY_MS = 8; // so long a row of pictures may keep the page from anything else

/** @type {Map<string, Held>} */
const held = new Map(); // by the weights' id
/** @type {Map<string, Promise<boolean>>} */
const coming = new Map();

/**
 * Bring what `about` (of aboutWeights) speaks of to this page; true when other weights than before are here. Where that
 * fails the server goes on drawing, so nothing is thrown.
 *
 * @param {About} about
 * @returns {Promise<boolean>}
 */
export function bring(about) {
  const { id } = about;
  const known = held.get(id);
  const young = known && performance.now() - known.at < REFRESH_MS;
  if (about.page_refusal || young || !isStale(about, known)) return Promise.resolve(false);
  const here = coming.get(id) ?? fetchGenerator(id).finally(() => coming.delete(id));
  coming.set(id, here);
  return here;
}

/** @param {About} about @param {Held | undefined} known */
const isStale = ({ stamp }, known) => known?.generator.about.stamp !== stamp;

/**
 * Whether weights of this id are here, newest or not.
 *
 * @param {string} id
 */
export const holds = (id) => held.has(id);

/**
 * What the weights of this id that are here are (gan/models/weights_file.py).
 *
 * @param {string} id
 */
export const digestHere = (id) => held.get(id)?.generator.about.digest;

/**
 * Whether older weights than `about` speaks of are here.
 *
 * @param {About} about
 */
export const behind = (about) => holds(about.id) && isStale(about, held.get(about.id));

/** @param {string} id */
async function fetchGenerator(id) {
  try {
    const response = await api(`weights/${encodeURIComponent(id)}/page`);
    const generator = readGenerator(await response.arrayBuffer());
    held.delete(id);
    const known = { ...generator.about, directions: generator.directions };
    held.set(id, { generator, known, at: performance.now() });
    for (const older of [...held.keys()].slice(0, -KEPT)) held.delete(older);
    return true;
  } catch (error) {
    if (!error.offline) console.warn(error.message);
    return false;
  }
}

/**
 * Whether this page can draw the spec by itself.
 *
 * @param {string} id
 * @param {LatentSpec} spec
 */
export const canDraw = (id, spec) => generatorFor(id, [spec]) !== null;

/**
 * As the route `pixels`.
 *
 * @param {string} id
 * @param {LatentSpec} spec
 */
export function drawHere(id, spec) {
  const generator = generatorFor(id, [spec]);
  return generator && answer(generator, generator.draw(...pointOf(generator, spec)), 1);
}

/**
 * As the route `pixels` with near, spread and ring.
 *
 * @param {string} id
 * @param {LatentSpec} spec
 * @param {{near: number, spread: number, ring: number}} around
 */
export async function drawNeighboursHere(id, spec, { near, spread, ring }) {
  const generator = generatorFor(id, [spec]);
  if (!generator) return null;
  const around = (/** @type {number} */ i) => neighbourOf(spec, ring * RING + i, spread, ...inWhich(generator));
  const latents = [latentOf(generator, spec), ...Array.from({ length: near }, (_, i) => around(i))];
  return drawMany(
    generator,
    latents.map((latent) => conditioned(generator, spec, latent)),
  );
}

/**
 * As the route `strips`, along the directions of these names and numbers.
 *
 * @param {string} id
 * @param {LatentSpec} spec
 * @param {string[]} keys
 */
export async function drawStripsHere(id, spec, keys) {
  const generator = generatorFor(id, [spec]);
  if (!generator) return null;
  const specs = keys.flatMap((key) => STRIP.map((amount) => spec.along(key, amount)));
  return drawMany(
    generator,
    specs.map((one) => pointOf(generator, one)),
  );
}

/**
 * As the route `latent`.
 *
 * @param {string} id
 * @param {LatentSpec} spec
 */
export function numbersHere(id, spec) {
  const generator = generatorFor(id, [spec]);
  return generator && { z: Array.from(latentOf(generator, spec).z) };
}

/**
 * Which value of each code the latent chooses.
 *
 * @param {string} id
 * @param {LatentSpec} spec
 */
export function valuesHere(id, spec) {
  const generator = generatorFor(id, [spec]);
  if (!generator) return null;
  const told = Float32Array.from(pointOf(generator, spec)[1] ?? []);
  return partsOf(told, generator.about.codes).map((shares) => shares.indexOf(Math.max(...shares)));
}

/**
 * As the route `path`.
 *
 * @param {string} id
 * @param {LatentSpec[]} keyframes
 * @param {{mode: string, frames: number, loop?: boolean}} way
 */
export async function drawPathHere(id, keyframes, { mode, frames, loop = false }) {
  const generator = generatorFor(id, keyframes);
  return generator && drawMany(generator, pathThrough(pointsOf(generator, keyframes), mode, frames, loop));
}

/**
 * As the route `sums`, of one sum and at once: [share, ...] of the keyframes.
 *
 * @param {string} id
 * @param {LatentSpec[]} keyframes
 * @param {number[]} shares
 */
export function drawSumHere(id, keyframes, shares) {
  const generator = generatorFor(id, keyframes);
  return generator && answer(generator, generator.draw(...summed(generator, pointsOf(generator, keyframes), shares)), 1);
}

/**
 * As the route `sums`: rows of shares, each as each of `labels` where there are any.
 *
 * @param {string} id
 * @param {LatentSpec[]} keyframes
 * @param {number[][]} rows
 * @param {number[]} [labels]
 */
export async function drawSumsHere(id, keyframes, rows, labels = []) {
  const generator = generatorFor(id, keyframes);
  if (!generator) return null;
  const points = pointsOf(generator, keyframes);
  const sums = rows.map((shares) => summed(generator, points, shares));
  const asEach = (/** @type {Point[0]} */ z) => labels.map((label) => pointAs(generator, z, label));
  return drawMany(generator, labels.length ? sums.flatMap(([z]) => asEach(z)) : sums);
}

/**
 * @param {Generator} generator
 * @param {Point[0]} z
 * @param {number} label
 * @returns {Point}
 */
const pointAs = (generator, z, label) => [z, generator.condition(z, label)];

/**
 * @param {Generator} generator
 * @param {Point[]} points
 * @param {number[]} shares
 * @returns {Point}
 */
function summed({ about, condition }, points, shares) {
  const latents = points.map(([latent]) => latent);
  const mixtures = points.map(([, mixture]) => mixture);
  const z = blend(latents, shares);
  return [z, about.classes ? blendMixtures(mixtures, shares) : condition(z)];
}

// ---- drawing ----

/**
 * The generator of these weights; null when it is not here, or when a spec holds something that it does not know.
 *
 * @param {string} id
 * @param {LatentSpec[]} specs
 */
function generatorFor(id, specs) {
  const entry = held.get(id);
  return entry && specs.every((spec) => spec.fits(entry.known)) ? entry.generator : null;
}

/** @param {Generator} generator @returns {[zDim: number, directions: Float32Array[], votes: number]} */
const inWhich = ({ about: { z_dim, codes }, directions }) => [z_dim, directions, votesOf(codes)];

/** @param {Generator} generator @param {LatentSpec} spec */
const latentOf = (generator, spec) => latentAt(spec, ...inWhich(generator));

/**
 * A latent, and what the generator is conditioned on.
 *
 * @param {Generator} generator
 * @param {LatentSpec} spec
 * @param {import("./noise.js").Latent} latent
 * @returns {Point}
 */
const conditioned = (generator, { label, mix }, { z, voting }) => [z, generator.condition(voting, label, mix ?? undefined)];

/** @param {Generator} generator @param {LatentSpec} spec */
const pointOf = (generator, spec) => conditioned(generator, spec, latentOf(generator, spec));

/** @type {WeakMap<LatentSpec, {generator: Generator, point: Point}>} */
const points = new WeakMap(); // a hand moves about between the same keyframes

/** @param {Generator} generator @param {LatentSpec[]} keyframes */
const pointsOf = (generator, keyframes) => keyframes.map((keyframe) => keptPoint(generator, keyframe));

/** @param {Generator} generator @param {LatentSpec} keyframe */
function keptPoint(generator, keyframe) {
  const known = points.get(keyframe);
  if (known?.generator === generator) return known.point;
  const point = pointOf(generator, keyframe);
  points.set(keyframe, { generator, point });
  return point;
}

/**
 * Every few milliseconds the page may do something else.
 *
 * @param {Generator} generator
 * @param {Point[]} latents
 */
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

/**
 * What fetchPixels gives.
 *
 * @param {Generator} generator
 * @param {import("../core/canvas.js").Pixels} pixels
 * @param {number} count
 */
function answer({ about: { channels, size, stamp, step } }, pixels, count) {
  return { pixels, count, channels, size, stamp, step };
}
