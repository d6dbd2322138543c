// Where all multiplications of a generator are: sums of rows of a matrix. By WebAssembly with vector units (kernel.wat) where the
// browser has them, else by plain JavaScript. No DOM in here.

/**
 * Sums are made in two steps: `list` what is multiplied, then `add` it to as many stretches as there are.
 *
 * @typedef {object} Kernel
 * @property {(count: number) => Float32Array} floats so many zeros, where the kernel reaches them
 * @property {(weight: Float32Array, width: number, x: Float32Array, first: number, count: number) => void} list
 *   rows of `width` numbers, of which row i will be multiplied by x[first + i]; those whose factor is 0 are left out
 * @property {(y: Float32Array, at: number, length: number, column: number) => void} add
 *   y[at + j] += Σ x[first + i] · row i[column + j], for j below length
 */

const PAGE = 1 << 16; // bytes

/** kernel.wat, assembled; kernel.test.js compares. */
export const ASSEMBLED =
  "AGFzbQEAAAABDgJgBH9/f38AYAN/f38AAhABBHBhZ2UGbWVtb3J5AgABAwMCAAEGBgF/AUEACwcOAgRsaXN0AAADYWRkAAEKnwUCVgICfwF9IAIgA0ECdGoh" +
  "BQJAA0AgAiAFTw0BIAIqAgAhBiAEIAA2AgAgBCAGOAIEIAQgBkMAAAAAXEEDdGohBCAAIAFqIQAgAkEEaiECDAALCyAEJAALxQQDBH8BfQl7IwAhBCAAIAFB" +
  "AnRqIQYCQANAIABBgAFqIAZLDQEgAP0AAgAhCSAA/QACECEKIAD9AAIgIQsgAP0AAjAhDCAA/QACQCENIAD9AAJQIQ4gAP0AAmAhDyAA/QACcCEQQQAhAwJA" +
  "A0AgAyAETw0BIAMoAgAgAmohBSAD/QkCBCEIIAkgCCAF/QACAP3mAf3kASEJIAogCCAF/QACEP3mAf3kASEKIAsgCCAF/QACIP3mAf3kASELIAwgCCAF/QAC" +
  "MP3mAf3kASEMIA0gCCAF/QACQP3mAf3kASENIA4gCCAF/QACUP3mAf3kASEOIA8gCCAF/QACYP3mAf3kASEPIBAgCCAF/QACcP3mAf3kASEQIANBCGohAwwA" +
  "CwsgACAJ/QsCACAAIAr9CwIQIAAgC/0LAiAgACAM/QsCMCAAIA39CwJAIAAgDv0LAlAgACAP/QsCYCAAIBD9CwJwIABBgAFqIQAgAkGAAWohAgwACwsCQANA" +
  "IABBEGogBksNASAA/QACACEJQQAhAwJAA0AgAyAETw0BIAMoAgAgAmohBSAD/QkCBCEIIAkgCCAF/QACAP3mAf3kASEJIANBCGohAwwACwsgACAJ/QsCACAA" +
  "QRBqIQAgAkEQaiECDAALCwJAA0AgAEEEaiAGSw0BIAAqAgAhB0EAIQMCQANAIAMgBE8NASADKAIAIAJqIQUgByADKgIEIAUqAgCUkiEHIANBCGohAwwACwsg" +
  "ACAHOAIAIABBBGohACACQQRqIQIMAAsLCw==";

/** @typedef {{list: (...numbers: number[]) => void, add: (...numbers: number[]) => void}} Exports */

/** @type {WebAssembly.Module | null | undefined} null: this browser has no vector units */
let compiled;

function module() {
  if (compiled === undefined) {
    const bytes = Uint8Array.from(atob(ASSEMBLED), (letter) => letter.charCodeAt(0));
    compiled = WebAssembly.validate(bytes) ? new WebAssembly.Module(bytes) : null;
  }
  return compiled;
}

/** Each array begins at a multiple of 16 bytes. @param {number} count of its numbers */
const bytesOf = (count) => 16 * Math.ceil(count / 4);

/**
 * A kernel with room for arrays of these lengths, and for sums of at most so many rows.
 *
 * @param {number[]} counts
 * @param {number} rows
 * @returns {Kernel}
 */
export function kernelFor(counts, rows) {
  const fast = module();
  if (!fast) return plain(rows);
  const listed = bytesOf(2 * rows); // at the beginning of the memory, an address and a factor for each row
  const needed = counts.reduce((sum, count) => sum + bytesOf(count), listed);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(needed / PAGE) });
  const { list, add } = /** @type {Exports} */ (
    /** @type {unknown} */ (new WebAssembly.Instance(fast, { page: { memory } }).exports)
  );
  let free = listed;
  return {
    floats(many) {
      const at = free;
      free += bytesOf(many);
      return new Float32Array(memory.buffer, at, many);
    },
    list: (weight, width, x, first, many) => list(weight.byteOffset, 4 * width, x.byteOffset + 4 * first, many),
    add: (y, at, length, column) => add(y.byteOffset + 4 * at, length, 4 * column),
  };
}

/**
 * The same in plain JavaScript.
 *
 * @param {number} most rows of a sum
 * @returns {Kernel}
 */
export function plain(most) {
  const rows = new Uint32Array(most); // where those begin that are not left out
  const factors = new Float64Array(most);
  /** @type {Float32Array} */
  let weights = new Float32Array(0);
  let found = 0;
  return {
    floats: (count) => new Float32Array(count),
    list(weight, width, x, first, count) {
      [weights, found] = [weight, 0];
      for (let i = 0; i < count; i++) {
        rows[found] = i * width;
        factors[found] = x[first + i];
        if (factors[found]) found++;
      }
    },
    /** Four rows at a time, so that y is read and written once for four multiplications. */
    add(y, at, length, column) {
      let k = 0;
      for (; k + 4 <= found; k += 4) {
        const [a, b, c, d] = [rows[k] + column, rows[k + 1] + column, rows[k + 2] + column, rows[k + 3] + column];
        const [xa, xb, xc, xd] = [factors[k], factors[k + 1], factors[k + 2], factors[k + 3]];
        for (let j = 0; j < length; j++) {
          y[at + j] += xa * weights[a + j] + xb * weights[b + j] + xc * weights[c + j] + xd * weights[d + j];
        }
      }
      for (; k < found; k++) {
        const [factor, row] = [factors[k], rows[k] + column];
        for (let j = 0; j < length; j++) y[at + j] += factor * weights[row + j];
      }
    },
  };
}
