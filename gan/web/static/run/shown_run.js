// The run on the screen, for the tabs that show its numbers, and which moment of it is looked at.

let sharedRun = null;
let sharedStep = null;
const runListeners = new Set();

export function shareRun(runId) {
  [sharedRun, sharedStep] = [runId, null];
  for (const listener of runListeners) listener(runId);
}

/** step: null is now. */
export const shareStep = (step) => (sharedStep = step);

/** {run, step}: what is looked at in the Train tab; null: no run, or now. */
export const shownMoment = () => ({ run: sharedRun, step: sharedStep });

/** Call fn(run id or null) now and whenever another run is opened in the Train tab. */
export function onRun(fn) {
  runListeners.add(fn);
  fn(sharedRun);
}
