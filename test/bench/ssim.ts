// Structural similarity of two luma planes, as ffmpeg's filter `ssim` calculates it (vf_ssim.c): windows of 8x8 pixels,
// four pixels apart. 1 is identical.

const BLOCK = 4;
const C1 = 0.01 * 0.01 * 255 * 255 * 64 + 0.5;
const C2 = 0.03 * 0.03 * 255 * 255 * 64 * 63 + 0.5;
/** Sums of a block: a, b, a² + b², ab. */
const SUMS = 4;

export function ssim(a: Uint8Array, b: Uint8Array, width: number, height: number): number {
  if (Buffer.compare(a, b) === 0) return 1;
  const columns = Math.floor(width / BLOCK);
  const rows = Math.floor(height / BLOCK);
  let above = new Float64Array(columns * SUMS);
  let below = new Float64Array(columns * SUMS);
  let total = 0;
  for (let row = 0; row < rows; row += 1) {
    sumBlocks(a, b, width, row, below);
    for (let column = 1; row > 0 && column < columns; column += 1) total += similarity(above, below, column);
    [above, below] = [below, above];
  }
  return total / ((columns - 1) * (rows - 1));
}

function sumBlocks(a: Uint8Array, b: Uint8Array, width: number, row: number, into: Float64Array): void {
  for (let block = 0; block < into.length / SUMS; block += 1) {
    let [sumA, sumB, squares, products] = [0, 0, 0, 0];
    for (let y = 0; y < BLOCK; y += 1) {
      const from = (row * BLOCK + y) * width + block * BLOCK;
      for (let x = from; x < from + BLOCK; x += 1) {
        const [p, q] = [a[x] ?? 0, b[x] ?? 0];
        sumA += p;
        sumB += q;
        squares += p * p + q * q;
        products += p * q;
      }
    }
    into[block * SUMS] = sumA;
    into[block * SUMS + 1] = sumB;
    into[block * SUMS + 2] = squares;
    into[block * SUMS + 3] = products;
  }
}

/** Of the window whose lower right block is in this column. */
function similarity(above: Float64Array, below: Float64Array, column: number): number {
  const sum = (index: number): number => {
    const [left, right] = [(column - 1) * SUMS + index, column * SUMS + index];
    return (above[left] ?? 0) + (above[right] ?? 0) + (below[left] ?? 0) + (below[right] ?? 0);
  };
  const [sumA, sumB, squares, products] = [sum(0), sum(1), sum(2), sum(3)];
  const variances = squares * 64 - sumA * sumA - sumB * sumB;
  const covariance = products * 64 - sumA * sumB;
  return (
    ((2 * sumA * sumB + C1) * (2 * covariance + C2)) / ((sumA * sumA + sumB * sumB + C1) * (variances + C2))
  );
}
