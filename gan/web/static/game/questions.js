// Which pictures a round shows: real ones and generated ones, of steps from the first noise to the newest, in pairs.

/**
 * real: whether it is a real one; index: its number among the pictures of the step; verdict: D's on it at that step; d: whether
 * D takes it for real.
 *
 * @typedef {{real: boolean, step: number, index: number, verdict: number, d: boolean}} Question
 */
/** @typedef {{fake: number[] | null, real: number[] | null}} Verdicts of a frame */

export const PAIRS = 10;

/** @param {number} step as in gan/web/game.py */
export const binOf = (step) => (step ? 2 ** Math.floor(Math.log2(step)) : 0);

/**
 * At most PAIRS steps of frames, one of each power of two: the first, which is noise, and of the others the last, which are harder.
 *
 * @param {number[]} steps ascending
 */
export function levels(steps) {
  const first = new Map(steps.toReversed().map((step) => [binOf(step), step]));
  const found = [...first.values()].sort((a, b) => a - b);
  if (steps.length) found[found.length - 1] = /** @type {number} */ (steps.at(-1));
  return found.length <= PAIRS ? found : [found[0], ...found.slice(1 - PAIRS)];
}

/**
 * A round, in an order drawn by chance. Of few real pictures some come twice.
 *
 * @param {number[]} steps of frames, ascending
 * @param {(step: number) => Verdicts | undefined} verdictsAt
 * @param {{probability: boolean, random?: () => number}} how probability: D's verdicts are; else scores without a scale
 * @returns {Question[]}
 */
export function questions(steps, verdictsAt, { probability, random = Math.random }) {
  const known = steps.filter((step) => verdictsAt(step)?.fake?.length && verdictsAt(step)?.real?.length);
  /** @type {Question[]} */
  const found = [];
  const real = shuffled(
    Array.from(verdictsAt(known[0])?.real ?? [], (_, i) => i),
    random,
  );
  for (const [i, step] of levels(known).entries()) {
    const { fake, real: verdicts } = /** @type {{fake: number[], real: number[]}} */ (verdictsAt(step));
    const middle = probability ? 0.5 : (mean(fake) + mean(verdicts)) / 2;
    const ask = (/** @type {boolean} */ isReal, /** @type {number} */ index) => {
      const verdict = (isReal ? verdicts : fake)[index];
      found.push({ real: isReal, step, index, verdict, d: verdict > middle });
    };
    ask(false, Math.floor(random() * fake.length));
    ask(true, real[i % real.length]);
  }
  return shuffled(found, random);
}

/** @param {number[]} values */
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * Fisher and Yates's shuffle.
 *
 * @template T
 * @param {T[]} list
 * @param {() => number} random
 */
function shuffled(list, random) {
  const mixed = [...list];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j], mixed[i]];
  }
  return mixed;
}
