// How legible known text is to tesseract: lines are cut out of a frame, enlarged and read as one block.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, FFMPEG_HINT, runOrThrow } from '../rig/process.ts';
import type { TextSize } from './desk/day.ts';
import { MONITOR, type ShownLine } from './desk/stage.ts';

/** Tesseract wants capitals of 20 to 40 pixels. */
const ENLARGED = 4;

/** Characters that were read and characters that differ, so that frames can be added up. */
export interface OcrScore {
  readonly characters: number;
  readonly errors: number;
}

export async function readLines(
  luma: Uint8Array,
  lines: readonly ShownLine[],
  size: TextSize,
): Promise<OcrScore> {
  const ofSize = lines.filter((line) => line.size === size);
  if (ofSize.length === 0) return { characters: 0, errors: 0 };
  const expected = ofSize.map(({ text }) => text).join('\n');
  const folder = await mkdtemp(join(tmpdir(), 'sightline-ocr-'));
  try {
    const [small, large] = [join(folder, 'small.pgm'), join(folder, 'large.png')];
    await writeFile(small, cutOut(luma, ofSize));
    const enlarge = `scale=iw*${ENLARGED}:ih*${ENLARGED}:flags=bicubic`;
    await runOrThrow(findTool(['ffmpeg'], FFMPEG_HINT), [
      '-v',
      'error',
      '-y',
      '-i',
      small,
      '-vf',
      enlarge,
      large,
    ]);
    const tesseract = findTool(['tesseract'], 'Install it (on Debian: apt install tesseract-ocr).');
    const { stdout } = await runOrThrow(tesseract, [large, '-', '--psm', '6', '-l', 'eng'], {
      env: { ...process.env, OMP_THREAD_LIMIT: '1' },
    });
    const read = stdout
      .toString()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '')
      .join('\n');
    return { characters: expected.length, errors: Math.min(expected.length, editDistance(read, expected)) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The lines below one another, on white, as a portable grey map. */
function cutOut(luma: Uint8Array, lines: readonly ShownLine[]): Buffer {
  const margin = 10;
  const width = Math.max(...lines.map((line) => line.width)) + 2 * margin;
  const height = lines.reduce((sum, line) => sum + line.height, 2 * margin);
  const pixels = Buffer.alloc(width * height, 255);
  let top = margin;
  for (const { x, y, width: length, height: rows } of lines) {
    for (let row = 0; row < rows; row += 1) {
      const from = (y + row) * MONITOR.width + x;
      pixels.set(luma.subarray(from, from + length), (top + row) * width + margin);
    }
    top += rows;
  }
  return Buffer.concat([Buffer.from(`P5 ${width} ${height} 255\n`), pixels]);
}

/** Levenshtein: insertions, deletions and replacements. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
