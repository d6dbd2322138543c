// A drawing as MNIST has its digits: `centred` of gan/latent/inversion.py. No DOM in here.

const INK = 0.2; // what is darker is paper

/**
 * A square drawing, bright on dark, uint8 [y][x] -> uint8 [size][size], or null where there is no ink. The ink is scaled into a box,
 * keeping its proportions, and its centre of mass put into the middle (LeCun et al. 1998, section III A).
 *
 * @param {Uint8Array} drawing
 * @param {number} side
 * @param {number} [size]
 * @param {number} [box]
 */
export function centred(drawing, side, size = 28, box = 20) {
  const found = bounds(drawing, side);
  if (!found) return null;
  const { top, left, rows, columns } = found;
  const scale = box / Math.max(rows, columns);
  const [high, wide] = [rows, columns].map((count) => Math.max(1, halfEven(count * scale)));
  const ink = Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return drawing[(top + row) * side + left + column] / 255;
  });
  return placed(shrunk(shrunk(ink, rows, columns, wide), wide, rows, high), high, wide, size);
}

/** @param {Uint8Array} drawing @param {number} side */
function bounds(drawing, side) {
  let [top, bottom, left, right] = [side, -1, side, -1];
  for (let i = 0; i < drawing.length; i++) {
    if (drawing[i] <= 255 * INK) continue;
    const [row, column] = [Math.floor(i / side), i % side];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
    [left, right] = [Math.min(left, column), Math.max(right, column)];
  }
  return bottom < 0 ? null : { top, left, rows: bottom - top + 1, columns: right - left + 1 };
}

/**
 * [rows][columns] -> [to][rows]: the columns by a triangle filter as wide as what becomes one (torch's bilinear with antialias), and
 * turned, so that doing it twice does both axes.
 *
 * @param {Float32Array} x
 * @param {number} rows
 * @param {number} columns
 * @param {number} to
 */
function shrunk(x, rows, columns, to) {
  const scale = columns / to;
  const support = Math.max(1, scale);
  const y = new Float32Array(to * rows);
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(columns, Math.trunc(centre + support + 0.5));
    const weights = Array.from({ length: last - first }, (_, j) =>
      Math.max(0, 1 - Math.abs((first + j + 0.5 - centre) / support)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    for (let row = 0; row < rows; row++) {
      y[i * rows + row] = weights.reduce((total, weight, j) => total + (weight / sum) * x[row * columns + first + j], 0);
    }
  }
  return y;
}

/**
 * A small picture on a dark square, its centre of mass in the middle as far as it fits.
 *
 * @param {Float32Array} small [high][wide]
 * @param {number} high
 * @param {number} wide
 * @param {number} size
 */
function placed(small, high, wide, size) {
  let [mass, down, across] = [0, 0, 0];
  small.forEach((value, i) => {
    mass += value;
    down += value * (Math.floor(i / wide) + 0.5);
    across += value * ((i % wide) + 0.5);
  });
  const corner = (/** @type {number} */ middle, /** @type {number} */ length) =>
    Math.min(Math.max(0, halfEven(size / 2 - middle)), size - length);
  const [top, left] = [down, across]
    .map((sum) => sum / Math.max(mass, 1e-6))
    .map((middle, axis) => corner(middle, axis ? wide : high));
  const page = new Uint8ClampedArray(size * size); // it rounds, half to even
  small.forEach((value, i) => {
    page[(top + Math.floor(i / wide)) * size + left + (i % wide)] = value * 255;
  });
  return page;
}

/** As Python rounds. @param {number} value */
function halfEven(value) {
  const down = Math.floor(value);
  return value - down === 0.5 ? down + (down % 2) : Math.round(value);
}
