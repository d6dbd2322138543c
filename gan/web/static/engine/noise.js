// Places in latent space, as gan/latent/spec.py has them: seeds, walks, pushes. No DOM in here.
//
// A seed's numbers are those of torch's generator on a processor: a Mersenne Twister and its normal transform. They agree
// to the last digits of a float32; those digits differ between processors in torch itself.

import { RING, SHEETS, STREAMS } from "./constants.js";

/** @typedef {import("./latent_spec.js").LatentSpec} LatentSpec */
/** @typedef {{z: Float32Array, voting: Float32Array}} Latent */

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;
const f32 = Math.fround;

/**
 * The latent of a spec (LatentSpec): {z, voting}, where `voting` is the one whose group the picture is of. The first `votes`
 * numbers vote.
 *
 * @param {LatentSpec} spec
 * @param {number} zDim
 * @param {Float32Array[]} directions
 * @param {number} [votes]
 * @returns {Latent}
 */
export function latentAt(spec, zDim, directions, votes = 0) {
  return moved(baseOf(spec, zDim), spec, directions, votes);
}

/**
 * Neighbour `number` of a spec, likewise.
 *
 * @param {LatentSpec} spec
 * @param {number} number
 * @param {number} spread
 * @param {number} zDim
 * @param {Float32Array[]} directions
 * @param {number} [votes]
 * @returns {Latent}
 */
export function neighbourOf(spec, number, spread, zDim, directions, votes = 0) {
  const near = neighbour(baseOf(spec, zDim), number, spread, seedOf(spec.seed, spec.walk.length));
  return moved(near, spec, directions, votes);
}

/**
 * gan.latent.spec.cluster_latents and gan.latent.spec.final_latents.
 *
 * @param {Float32Array} base
 * @param {LatentSpec} spec
 * @param {Float32Array[]} directions
 * @param {number} votes
 * @returns {Latent}
 */
function moved(base, spec, directions, votes) {
  const { principal, fixed, psi } = spec;
  const freed = freedFrom(spec, directions);
  const pushes = [...spec.pushes].map(([key, push]) => ({ key, ...push }));
  const voting = base.map((value, i) => (i < votes ? value : psi * value));
  for (const [k, amount] of [...principal].sort(([a], [b]) => a - b)) add(voting, amount, freed(String(k), directions[k]));
  for (const { key, amount, vector, regroups } of pushes) if (regroups) add(voting, amount, freed(key, numbersOf(vector)));
  for (const [i, value] of fixed) voting[i] = value;
  const z = voting.slice();
  for (const { key, amount, vector, regroups } of pushes) if (!regroups) add(z, amount, freed(key, numbersOf(vector)));
  for (const [i, value] of fixed) z[i] = value;
  return { z, voting };
}

/** Of a vector that can be read: others never come here (LatentSpec.fits). @param {import("./vector.js").Vector} vector */
const numbersOf = (vector) => /** @type {Float32Array} */ (vector.numbers);

/**
 * @param {Float32Array} z
 * @param {number} amount
 * @param {Float32Array} direction
 */
function add(z, amount, direction) {
  const factor = f32(amount);
  if (factor !== 0) for (let i = 0; i < z.length; i++) z[i] += f32(factor * direction[i]);
}

/**
 * A function that takes from a vector what lies along locked ones, unless it is one of them (gan.latent.spec.without).
 *
 * @param {LatentSpec} spec
 * @param {Float32Array[]} directions
 * @returns {(key: string, vector: Float32Array) => Float32Array}
 */
function freedFrom({ pushes, locked }, directions) {
  if (!locked.size) return (_, vector) => vector;
  const found = [...locked].map((key) => pushes.get(key)?.vector.numbers ?? directions[Number(key)]);
  const basis = orthonormal(found.filter((vector) => vector));
  return (key, vector) => (locked.has(key) ? vector : Float32Array.from(lessAlong(basis, vector)));
}

/**
 * Gram and Schmidt, twice, so that rounding leaves nothing along the earlier ones.
 *
 * @param {Float32Array[]} vectors
 */
function orthonormal(vectors) {
  /** @type {Float64Array[]} */
  const basis = [];
  for (const vector of vectors) {
    const rest = lessAlong(basis, lessAlong(basis, vector));
    const length = Math.sqrt(dot(rest, rest));
    if (length > 1e-6) basis.push(rest.map((value) => value / length));
  }
  return basis;
}

/**
 * @param {Float64Array[]} basis
 * @param {Float32Array | Float64Array} vector
 * @returns {Float64Array}
 */
function lessAlong(basis, vector) {
  return basis.reduce((rest, axis) => {
    const along = dot(axis, rest);
    return rest.map((value, i) => value - along * axis[i]);
  }, Float64Array.from(vector));
}

/** @type {Pick<LatentSpec, "seed" | "walk" | "base" | "sheet"> & {zDim: number, z: Float32Array} | null} */
let last = null; // a slider moves away from the same base again and again

/**
 * @param {LatentSpec} spec
 * @param {number} zDim
 * @returns {Float32Array}
 */
function baseOf({ seed, walk, base, sheet }, zDim) {
  const same = last?.seed === seed && last.walk === walk && last.base === base && last.sheet === sheet;
  if (last && same && last.zDim === zDim) return last.z;
  const start = base?.numbers ?? (sheet ? sheetLatent(sheet, seed, zDim) : normal(zDim, seedOf(STREAMS.latent, seed)));
  const z = walk.reduce((at, [number, spread], done) => neighbour(at, number, spread, seedOf(seed, done)), start);
  last = { seed, walk, base, sheet, zDim, z };
  return z;
}

/**
 * All latents of a sheet are one draw, whose last numbers depend on how many there are.
 *
 * @param {NonNullable<LatentSpec["sheet"]>} picture
 * @param {number} seed
 * @param {number} zDim
 * @returns {Float32Array}
 */
function sheetLatent([name, row], seed, zDim) {
  const { stream, latents } = SHEETS[name];
  return normal(latents * zDim, seedOf(stream, seed)).subarray(row * zDim, (row + 1) * zDim);
}

/**
 * @param {Float32Array} z
 * @param {number} number
 * @param {number} spread
 * @param {bigint} seed
 * @returns {Float32Array}
 */
function neighbour(z, number, spread, seed) {
  const circle = Math.floor(number / RING);
  const angle = (2 * Math.PI * (number % RING)) / RING;
  const [u, v] = [0, 1].map((axis) => normal(z.length, seedOf(STREAMS.neighbour, seed, circle, axis)));
  const [keep, add, cos, sin] = [Math.sqrt(1 - spread ** 2), spread, Math.cos(angle), Math.sin(angle)].map(f32);
  return z.map((value, i) => f32(keep * value) + f32(add * f32(f32(cos * u[i]) + f32(sin * v[i]))));
}

/** @param {Float64Array} a @param {Float64Array} b */
const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);

// ---- random numbers ----

/**
 * gan.core.seeds.seed_of: 63 bits from every part and their order.
 *
 * @param {...(number | bigint)} parts
 */
export function seedOf(...parts) {
  let state = BigInt(parts.length);
  for (const part of parts) {
    state = mix((state + GOLDEN) & MASK) ^ mix((BigInt(part) + GOLDEN) & MASK);
    state = mix((state * 3n + 1n) & MASK);
  }
  return state >> 1n;
}

/** @param {bigint} x */
function mix(x) {
  x = ((x ^ (x >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  x = ((x ^ (x >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return x ^ (x >> 31n);
}

/**
 * torch.randn(count, generator=manual_seed(seed)), Float32Array.
 *
 * @param {number} count
 * @param {bigint} seed
 */
export function normal(count, seed) {
  const draw = twister(Number(seed & 0xffffffffn)); // torch keeps the low half
  return count < 16 ? fewNormals(count, draw) : manyNormals(count, draw);
}

/**
 * Uniform numbers of 24 bits, in sixteens: eight radii, then eight angles. The last sixteen are drawn anew where they overlap.
 *
 * @param {number} count
 * @param {() => number} draw
 */
function manyNormals(count, draw) {
  const z = Float32Array.from({ length: count }, () => uniform(draw));
  for (let at = 0; at + 16 <= count; at += 16) boxMuller(z.subarray(at, at + 16));
  if (count % 16) {
    const last = z.subarray(count - 16);
    last.forEach((_, i) => (last[i] = uniform(draw)));
    boxMuller(last);
  }
  return z;
}

/** @param {() => number} draw */
const uniform = (draw) => (draw() & 0xffffff) / 2 ** 24;

/** @param {Float32Array} z */
function boxMuller(z) {
  for (let i = 0; i < 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - z[i]));
    const angle = 2 * Math.PI * z[i + 8];
    z[i] = radius * Math.cos(angle);
    z[i + 8] = radius * Math.sin(angle);
  }
}

/**
 * Fewer than 16 are made in pairs from uniform numbers of 53 bits.
 *
 * @param {number} count
 * @param {() => number} draw
 */
function fewNormals(count, draw) {
  const pairs = Array.from({ length: Math.ceil(count / 2) }, () => {
    const [angle, share] = [2 * Math.PI * fineUniform(draw), fineUniform(draw)];
    const radius = Math.sqrt(-2 * Math.log1p(-share));
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
  return Float32Array.from(pairs.flat().slice(0, count));
}

/** @param {() => number} draw */
function fineUniform(draw) {
  const high = draw() & 0x1fffff;
  return (high * 2 ** 32 + draw()) / 2 ** 53;
}

/**
 * MT19937 (Matsumoto & Nishimura 1998): a function that returns the next 32 bits.
 *
 * @param {number} seed
 * @returns {() => number}
 */
function twister(seed) {
  const state = new Uint32Array(624);
  state[0] = seed;
  for (let i = 1; i < 624; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
  let next = 624;

  function refill() {
    for (let i = 0; i < 624; i++) {
      const bits = (state[i] & 0x80000000) | (state[(i + 1) % 624] & 0x7fffffff);
      state[i] = state[(i + 397) % 624] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    next = 0;
  }

  return () => {
    if (next === 624) refill();
    let x = state[next++];
    x ^= x >>> 11;
    x ^= (x << 7) & 0x9d2c5680;
    x ^= (x << 15) & 0xefc60000;
    return (x ^ (x >>> 18)) >>> 0;
  };
}
