// Which runs the Compare tab shows, as its address says it.

export const MOST_COMPARED = 4;

/**
 * Ids of runs, each once.
 *
 * @param {Record<string, string>} state
 */
export const comparedIn = ({ runs = "" }) => [...new Set(runs.split(",").filter(Boolean))].slice(0, MOST_COMPARED);

/**
 * The tab's state with one more run in it, as the last; the oldest makes room.
 *
 * @param {Record<string, string>} state
 * @param {string} runId
 */
export function withRun(state, runId) {
  const others = comparedIn(state).filter((id) => id !== runId);
  return { ...state, runs: [...others, runId].slice(-MOST_COMPARED).join(",") };
}
