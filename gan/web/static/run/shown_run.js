// The run on the screen, for the tabs that show its numbers.

let sharedRun = null;
const runListeners = new Set();

export function shareRun(runId) {
  sharedRun = runId;
  for (const listener of runListeners) listener(runId);
}

/** Call fn(run id or null) now and whenever another run is opened in the Train tab. */
export function onRun(fn) {
  runListeners.add(fn);
  fn(sharedRun);
}
