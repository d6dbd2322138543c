// How loud a sound is, as people hear it. No DOM in here.

const [QUIET, LOUD] = [-50, -14]; // decibels below the loudest there is: a quiet room, and somebody who speaks up
const [RISE, FALL] = [0.6, 0.15]; // the share of the way that is gone with each frame

/**
 * From 0, a quiet room, to 1.
 *
 * @param {ArrayLike<number>} samples from -1 to 1
 */
export function loudness(samples) {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] ** 2;
  const decibels = 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12);
  return Math.min(1, Math.max(0, (decibels - QUIET) / (LOUD - QUIET)));
}

/**
 * What is shown next: it rises at once and falls slowly, as a mouth does.
 *
 * @param {number} before
 * @param {number} now
 */
export const followed = (before, now) => before + (now > before ? RISE : FALL) * (now - before);
