// Squares in a room.

const MOST = 25; // can still be looked at from the last row
const FEWEST = 20;

/**
 * How many of `count` squares are shown, in how many columns, so that whole rows fill most of a room; and how wide they are.
 *
 * @param {number} count
 * @param {number} width of the room
 * @param {number} height
 * @param {number} gap between two
 */
export function fitted(count, width, height, gap) {
  let best = { shown: 1, columns: 1, width: 0, area: 0 };
  for (let shown = Math.min(FEWEST, count); shown <= Math.min(MOST, count); shown++) {
    for (let columns = 1; columns <= shown; columns++) {
      if (shown % columns) continue;
      const side = Math.min((width + gap) / columns, (height + gap) / (shown / columns)) - gap;
      const area = shown * Math.max(0, side) ** 2;
      if (area > best.area) best = { shown, columns, width: columns * (side + gap) - gap, area };
    }
  }
  return best;
}
