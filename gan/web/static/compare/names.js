// What the compared runs are called, and their colours.

export const colorOf = (i) => `--gf-run-${i + 1}`;

/** What sets a run's title apart from that of the run it was forked from, where both are shown. */
export function shortTitle(track, tracks) {
  const bases = tracks.map(({ meta }) => `${meta.title} · `).filter((base) => track.meta.title.startsWith(base));
  const longest = bases.sort((a, b) => b.length - a.length)[0] ?? "";
  return track.meta.title.slice(longest.length);
}

/** The id in a link to a run, or the id itself; null when it is neither. */
export function runIdIn(text) {
  const found = /[?&]runs?=([A-Za-z0-9_-]+)/.exec(text)?.[1] ?? text.trim();
  return /^([A-Za-z0-9_-]{12}|recorded(-[a-z0-9-]+)?)$/.test(found) ? found : null;
}
