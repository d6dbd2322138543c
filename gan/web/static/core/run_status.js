// What a run's status means.

/**
 * Whether a run is under way: it trains, or can go on at once.
 *
 * @param {string | null | undefined} status
 */
export const isActive = (status) => status === "running" || status === "paused";
