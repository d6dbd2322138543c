// The numbers of charts: smoothing, ranges, ticks, bins. Nothing here draws.

/** @typedef {(number | null)[]} Values of one line; null where there is no point */
/** @typedef {{raw: Values}} Line */

export const STRIP_BINS = 20;

/** @param {any} value @returns {value is number} */
const isNumber = (value) => Number.isFinite(value);

/** @param {number} a @param {number} b */
const ascending = (a, b) => a - b;

/**
 * Exponential running mean without the bias of its start; gaps (null) stay gaps.
 *
 * @param {Values} values
 * @param {number} weight
 * @returns {Values}
 */
export function smoothed(values, weight) {
  if (weight <= 0) return values;
  let mean = 0;
  let mass = 0;
  return values.map((value) => {
    if (!isNumber(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/**
 * Index of the entry of ascending values nearest to wanted; -1 when there are none.
 *
 * @param {number[]} values
 * @param {number} wanted
 */
export function nearest(values, wanted) {
  let low = 0;
  let high = values.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle] <= wanted) low = middle;
    else high = middle;
  }
  if (high < 0) return -1;
  return wanted - values[low] <= values[high] - wanted ? low : high;
}

/**
 * The value of a line at a place (null: at its end); NaN where the line has ended well before.
 *
 * @param {number[]} xs
 * @param {Values} values
 * @param {number | null} place
 * @param {number} last
 */
export function valueAt(xs, values, place, last) {
  if (place === null) return lastFinite(values, xs.length - 1);
  if (!xs.length || place > xs[xs.length - 1] + last / 50) return NaN;
  return lastFinite(values, nearest(xs, place));
}

/** @param {Values} values */
export const positive = (values) => values.map((value) => (value !== null && value > 0 ? value : null)); // all that a log axis can show

/** @param {Values | null | undefined} values */
export function median(values) {
  const sorted = [...(values ?? [])].filter(isNumber).sort(ascending);
  return sorted.length ? sorted[sorted.length >> 1] : NaN;
}

/**
 * @param {Values} values
 * @param {number} at
 */
function lastFinite(values, at) {
  for (let i = at; i >= 0 && i > at - 50; i--) {
    const value = values[i];
    if (isNumber(value)) return value;
  }
  return NaN;
}

/**
 * From the 1st to the 99th percentile of what is drawn, so that a single spike does not flatten the rest.
 *
 * @param {Line[]} lines
 * @returns {[low: number, high: number]}
 */
function fitted(lines) {
  const values = lines.flatMap(({ raw }) => raw.filter(isNumber)).sort(ascending);
  if (!values.length) return [0, 1];
  const low = values[Math.floor(0.01 * (values.length - 1))];
  const high = values[Math.ceil(0.99 * (values.length - 1))];
  const margin = (high - low) * 0.08 || Math.abs(high) * 0.1 || 0.5;
  return [low >= 0 && low < 0.6 * high ? 0 : low - margin, high + margin];
}

/**
 * From the 1st to the 99th percentile, never nothing.
 *
 * @param {Values} values
 * @returns {[low: number, high: number]}
 */
export function extent(values) {
  const sorted = values.filter(isNumber).sort(ascending);
  if (!sorted.length) return [0, 1];
  const [low, high] = [sorted[Math.floor(0.01 * (sorted.length - 1))], sorted[Math.ceil(0.99 * (sorted.length - 1))]];
  return high > low ? [low, high] : [low - 1, high + 1];
}

/**
 * [low, high, log] of the y axis.
 *
 * @param {Line[]} lines
 * @param {[number, number] | null} range
 * @param {boolean} log
 * @returns {[low: number, high: number, log: boolean]}
 */
export function verticals(lines, range, log) {
  if (!log) return [...(range ?? fitted(lines)), false];
  const logs = lines.map(({ raw }) => ({ raw: raw.filter(isNumber).map(Math.log10) }));
  const values = logs.flatMap(({ raw }) => raw).sort(ascending);
  if (!values.length) return [1, 10, true];
  const low = values[Math.floor(0.005 * (values.length - 1))];
  const high = values[Math.ceil(0.995 * (values.length - 1))];
  const margin = (high - low) * 0.06 || 0.15;
  return [10 ** (low - margin), 10 ** (high + margin), true];
}

/**
 * Values worth a mark on a log axis: powers of ten, with 2 and 5 between where there is room for them.
 *
 * @param {number} low
 * @param {number} high
 */
export function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const parts = decades < 1.2 ? [1, 2, 3, 5, 7] : decades < 3 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / 5));
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1)
    if (power % every === 0) found.push(...parts.map((part) => part * 10 ** power));
  return found.filter((value) => value >= low && value <= high);
}

/**
 * Round values between low and high, about `count` of them.
 *
 * @param {number} low
 * @param {number} high
 * @param {number} count
 */
export function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5].map((m) => m * power).find((s) => s >= rough) ?? 10 * power;
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-6; v += step) found.push(Math.abs(v) < step * 1e-6 ? 0 : v);
  return found;
}

/**
 * The share of the values in each bin between low and high; what lies outside counts for the outermost bins.
 *
 * @param {Values | null | undefined} values
 * @param {number} low
 * @param {number} high
 */
export function spread(values, low, high) {
  const shares = new Array(STRIP_BINS).fill(0);
  const finite = (values ?? []).filter(isNumber);
  for (const value of finite) {
    const bin = Math.floor(((value - low) / (high - low)) * STRIP_BINS);
    shares[Math.max(0, Math.min(STRIP_BINS - 1, bin))] += 1 / finite.length;
  }
  return shares;
}

/**
 * y at x on the line through the points (xs[i], ys[i]) and the origin; xs ascending. Beyond its ends: the end.
 *
 * @param {number[]} xs
 * @param {number[]} ys
 * @param {number} x
 */
export function between(xs, ys, x) {
  let high = xs.length;
  for (let low = 0; low < high; ) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  if (high === xs.length) return ys.at(-1) ?? 0;
  const [x0, y0] = high > 0 ? [xs[high - 1], ys[high - 1]] : [0, 0];
  const span = xs[high] - x0;
  return span > 0 ? y0 + ((ys[high] - y0) * (x - x0)) / span : ys[high];
}
