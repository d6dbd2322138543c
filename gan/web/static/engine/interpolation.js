// Between latents, as gan/latent/interpolation.py has them: lines, great circles, splines through keyframes, weighted sums. No DOM in here.
//
// A point is a latent and its condition, [z, mixture]; the mixture may be null.

/** @typedef {Float32Array | Float64Array} Vector */
/** @typedef {Float32Array | number[]} Mixture of classes, or of the values of each code */
/** @typedef {[z: Vector, mixture: any]} Point */
/** @typedef {{u: Float64Array, p: Float64Array}} Corner a direction, and the latent itself */

const TINY = 1e-6; // radians between vectors that count as parallel, or from opposite ones

/**
 * gan.latent.interpolation.path: every point on the way through the keyframes.
 *
 * @param {Point[]} keyframes
 * @param {string} mode
 * @param {number} frames from one keyframe to the next, both counted
 * @param {boolean} loop
 * @returns {Point[]}
 */
export function pathThrough(keyframes, mode, frames, loop) {
  const curves =
    mode === "smooth"
      ? spline(
          keyframes.map(([z]) => z),
          loop,
        )
      : null;
  const between = mode === "lerp" ? lerp : slerp;
  const last = keyframes.length - 1;
  /** @type {Point[]} */
  const way = [];
  for (let i = 0; i < (loop ? last + 1 : last); i++) {
    const j = (i + 1) % keyframes.length;
    const [[a, c], [b, d]] = [keyframes[i], keyframes[j]];
    for (let k = 0; k < frames - 1; k++) {
      const t = k / (frames - 1);
      const share = curves ? eased(t, !loop && i === 0, !loop && j === last) : t;
      way.push([curves ? curves[i](t) : between(a, b, t), c && lerp(c, d, share)]);
    }
  }
  return loop ? way : [...way, keyframes[last]];
}

/**
 * The point t (0 to 1) of the straight line from a to b.
 *
 * @param {Vector} a
 * @param {Vector} b
 * @param {number} t
 * @returns {any} of the same kind
 */
export const lerp = (a, b, t) => combined(1 - t, a, t, b);

/**
 * The point t of the great circle from a to b (gan.latent.interpolation.slerp, where the limits are explained).
 *
 * @param {Vector} a
 * @param {Vector} b
 * @param {number} t
 * @returns {any} of the same kind
 */
export function slerp(a, b, t) {
  const lengths = norm(a) * norm(b);
  const omega = Math.acos(Math.max(-1, Math.min(1, lengths > 0 ? dot(a, b) / lengths : 1)));
  if (omega < TINY) return lerp(a, b, t);
  if (Math.PI - omega < TINY) return halfCircle(a, b, t);
  if (t === 1) return b.slice();
  return combined(Math.sin((1 - t) * omega) / Math.sin(omega), a, Math.sin(t * omega) / Math.sin(omega), b);
}

/**
 * @param {Vector} a
 * @param {Vector} b
 * @param {number} t
 * @returns {any} of the same kind
 */
function halfCircle(a, b, t) {
  if (t === 0 || t === 1) return (t ? b : a).slice();
  const u = scaled(1 / norm(a), a);
  const length = (1 - t) * norm(a) + t * norm(b);
  return combined(length * Math.cos(t * Math.PI), u, length * Math.sin(t * Math.PI), perpendicular(u));
}

/**
 * A unit vector at a right angle to a unit vector, towards the axis that is least along it.
 *
 * @param {Vector} u
 * @returns {any} of the same kind
 */
function perpendicular(u) {
  const least = /** @type {any} */ (u).reduce(
    (/** @type {number} */ best, /** @type {number} */ value, /** @type {number} */ i) =>
      Math.abs(value) < Math.abs(u[best]) ? i : best,
    0,
  );
  const side = u.map((value, i) => Number(i === least) - u[least] * value);
  return scaled(1 / norm(side), side);
}

/** @param {Vector} a @param {Vector} b */
function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** @param {Vector} a */
const norm = (a) => Math.sqrt(dot(a, a));

/** @param {number} x @param {Vector} a @returns {any} of the same kind */
const scaled = (x, a) => a.map((value) => x * value);

/** @param {number} x @param {Vector} a @param {number} y @param {Vector} b @returns {any} of the same kind */
const combined = (x, a, y, b) => a.map((value, i) => x * value + y * b[i]);

// ---- smooth: gan.latent.interpolation._spline, where it is explained ----

/**
 * For each leg a function of t that gives its latent. Corners are pairs of a direction u and the latent p itself.
 *
 * @param {Vector[]} latents
 * @param {boolean} loop
 * @returns {((t: number) => Vector)[]}
 */
function spline(latents, loop) {
  const corners = latents.map((z) => {
    const p = Float64Array.from(z);
    return { u: scaled(1 / Math.max(norm(p), 1e-12), p), p };
  });
  const next = (/** @type {number} */ i) => corners[(i + 1) % corners.length];
  const tangents = corners.map((corner, i) => {
    const ahead = loop || i < corners.length - 1 ? way(corner, next(i)) : null;
    const behind = loop || i > 0 ? way(corner, corners[(i + corners.length - 1) % corners.length]) : null;
    if (!behind) return /** @type {Corner} */ (ahead);
    if (!ahead) return both(-1, behind, 0, behind);
    return both(0.5, ahead, -0.5, behind);
  });
  return corners.slice(0, loop ? undefined : -1).map((corner, i) => {
    const [end, leaving, coming] = [next(i), tangents[i], tangents[(i + 1) % corners.length]];
    const row = [corner, moved(corner, leaving, 1 / 3), moved(end, coming, -1 / 3), end];
    return (t) => (t === 0 ? latents[i] : casteljau(row, t).p);
  });
}

/**
 * @param {Corner[]} row
 * @param {number} t
 * @returns {Corner}
 */
function casteljau(row, t) {
  if (row.length === 1) return row[0];
  return casteljau(
    row.slice(1).map((b, i) => turned(row[i], b, t)),
    t,
  );
}

/**
 * @param {number} x
 * @param {Corner} a
 * @param {number} y
 * @param {Corner} b
 * @returns {Corner}
 */
const both = (x, a, y, b) => ({ u: combined(x, a.u, y, b.u), p: combined(x, a.p, y, b.p) });

/**
 * The velocity with which the great circle from a leads to b in one unit of time.
 *
 * @param {Corner} a
 * @param {Corner} b
 * @returns {Corner}
 */
function way(a, b) {
  const omega = angle(a, b);
  if (omega < TINY) return both(1, b, -1, a);
  if (Math.PI - omega < TINY) {
    const side = perpendicular(a.u);
    return { u: scaled(Math.PI, side), p: scaled(Math.PI * norm(a.p), side) };
  }
  const factor = omega / Math.sin(omega);
  return both(factor, b, -factor * Math.cos(omega), a);
}

/**
 * Where `share` of a velocity leads from a.
 *
 * @param {Corner} a
 * @param {Corner} velocity
 * @param {number} share
 * @returns {Corner}
 */
function moved(a, velocity, share) {
  const omega = Math.abs(share) * norm(velocity.u);
  return omega < TINY ? both(1, a, share, velocity) : both(Math.cos(omega), a, (share * Math.sin(omega)) / omega, velocity);
}

/**
 * @param {Corner} a
 * @param {Corner} b
 * @param {number} t
 * @returns {Corner}
 */
function turned(a, b, t) {
  const omega = angle(a, b);
  const sine = Math.sin(omega);
  if (sine < TINY) return both(1 - t, a, t, b);
  return both(Math.sin((1 - t) * omega) / sine, a, Math.sin(t * omega) / sine, b);
}

/**
 * @param {Corner} a
 * @param {Corner} b
 */
function angle(a, b) {
  const [lengthA, lengthB] = [norm(a.u), norm(b.u)];
  if (lengthA * lengthB < 1e-12) return 0;
  const [u, v] = [scaled(1 / lengthA, a.u), scaled(1 / lengthB, b.u)];
  return 2 * Math.atan2(norm(combined(1, u, -1, v)), norm(combined(1, u, 1, v)));
}

/**
 * 0 to 1 like t, but standing still at keyframes, except at the two ends of a path.
 *
 * @param {number} t
 * @param {boolean} fromStart
 * @param {boolean} toEnd
 */
const eased = (t, fromStart, toEnd) => t * t * (3 - 2 * t) + (fromStart ? t * (1 - t) ** 2 : 0) + (toEnd ? t * t * (t - 1) : 0);

// ---- weighted sums ----

/**
 * gan.latent.interpolation.blend, one sum: as long as the weighted sum of lengths, and rounded as links hold latents.
 *
 * @param {Vector[]} latents
 * @param {number[]} shares
 */
export function blend(latents, shares) {
  const lengths = latents.map(norm);
  const sum = weighted(
    latents.map((z) => Float64Array.from(z)),
    shares,
  );
  const wanted = lengths.reduce((all, length, i) => all + shares[i] * length, 0);
  const length = Math.min(Math.max(wanted, Math.min(...lengths)), Math.max(...lengths));
  const now = norm(sum);
  return Float32Array.from(now > TINY * Math.max(...lengths) ? scaled(length / now, sum) : sum, toHalf);
}

/**
 * gan.latent.interpolation.blend_mixtures: what is less than nothing of a class is nothing.
 *
 * @param {Float32Array[]} mixtures
 * @param {number[]} shares
 */
export function blendMixtures(mixtures, shares) {
  const sums = Float64Array.from(weighted(mixtures, shares), (value) => Math.max(0, value));
  return scaled(1 / sums.reduce((a, b) => a + b, 0), sums);
}

/**
 * @param {Vector[]} vectors
 * @param {number[]} shares
 * @returns {any} of the same kind
 */
const weighted = (vectors, shares) =>
  vectors.slice(1).reduce((sum, vector, i) => combined(1, sum, shares[i + 1], vector), scaled(shares[0], vectors[0]));

/**
 * The nearest number with the 11 digits of a float16, the even one of two.
 *
 * @param {number} value
 */
function toHalf(value) {
  const step = 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), -14) - 10);
  if (!(step > 0)) return 0;
  const steps = value / step;
  const low = Math.floor(steps);
  const up = steps - low > 0.5 || (steps - low === 0.5 && low % 2 !== 0) ? 1 : 0;
  return (low + up) * step;
}
