// Anti-aliased letters for the rig's scenes: ffmpeg's drawtext draws each letter once, the picture is cut up, and the
// X server gets the pieces as a glyph set. So the scenes look like software of today although a bare X server has
// only bitmap fonts, and a line of text costs one small request.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FFMPEG_HINT, findTool, runOrThrow } from './process.ts';

export interface FontSpec {
  /** A fontconfig family; drawtext can ask for no more than that, so bold is made here. */
  family: 'DejaVu Sans' | 'DejaVu Sans Mono';
  bold?: boolean;
  /** Pixels per em. */
  size: number;
  /** Letters to have; ASCII and a few signs unless told. The fewer, the faster. */
  letters?: string;
}

export interface Letter {
  /** Coverage, `width * height` bytes; empty for a space. */
  image: Buffer;
  width: number;
  height: number;
  /** From the pen to the image's left edge. */
  left: number;
  /** From the baseline up to the image's top edge. */
  top: number;
  /** Pen movement to the next letter. */
  advance: number;
}

const ASCII = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
const ALL_LETTERS = `${ASCII}·–…●▲▼✓€éüö`;
/** The tallest of all letters: its ink tells where a line is, and how far the letter before it moved the pen. */
const BAR = '|';
const INK = 32;

/** Draws the letters of all fonts in one run of ffmpeg (about 0.1 s). */
export async function drawFonts(fonts: readonly FontSpec[]): Promise<Map<string, Letter>[]> {
  const columns = fonts.map(({ letters = ALL_LETTERS, ...font }) => ({
    ...font,
    // H marks the baseline.
    letters: Array.from(new Set(`${letters}H${BAR}`)),
    width: Math.ceil(font.size * 5),
  }));
  const width = columns.reduce((sum, column) => sum + column.width, 0);
  const height = Math.max(
    ...columns.map(({ size, letters }) => Math.ceil(size * 2.6) * (letters.length + 2)),
  );
  const folder = await mkdtemp(join(tmpdir(), 'sightline-font-'));
  try {
    const filters: string[] = [];
    let left = 0;
    for (const [i, column] of columns.entries()) {
      // One letter a line, three times side by side: a bar, the letter, the letter and a bar.
      const texts = [() => BAR, (letter: string) => letter, (letter: string) => letter + BAR];
      for (const [j, text] of texts.entries()) {
        const file = `${i}-${j}.txt`;
        // All three hold the same set of letters in their last line, since line height and baseline depend on it.
        const lines = [...column.letters.map(text), column.letters.join('')];
        await writeFile(join(folder, file), lines.join('\n'));
        const x = left + partX(column.size, j);
        filters.push(
          `drawtext=font='${column.family}':fontsize=${column.size}:fontcolor=white` +
            `:textfile=${file}:expansion=none:line_spacing=${column.size}:x=${x}:y=2`,
        );
      }
      left += column.width;
      // The last line runs far to the right; what it draws there must not touch the next font's letters.
      filters.push(`drawbox=x=${left}:y=0:w=iw:h=ih:color=black:t=fill`);
    }
    const { stdout } = await runOrThrow(
      findTool(['ffmpeg'], FFMPEG_HINT),
      [
        ...['-v', 'error', '-f', 'lavfi', '-i', `color=black:s=${width}x${height},format=gray`],
        ...['-vf', filters.join(','), '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
      ],
      { cwd: folder },
    );
    const sheet = { data: stdout, width, height };
    let x = 0;
    return columns.map((column) => {
      const letters = cutUp(sheet, x, column.size, column.letters);
      x += column.width;
      if (column.bold)
        for (const letter of letters.values()) embolden(letter, Math.max(1, Math.round(column.size / 18)));
      return letters;
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Sheet {
  data: Buffer;
  width: number;
  height: number;
}

/** Left edges of a column's three parts: bar, letter, letter and bar. */
function partX(size: number, part: number): number {
  return Math.ceil([0.3, 1.1, 2.9][part]! * size);
}

function cutUp(sheet: Sheet, x: number, size: number, letters: readonly string[]): Map<string, Letter> {
  const [barX, letterX, pairX] = [x + partX(size, 0), x + partX(size, 1), x + partX(size, 2)];
  const bars: { top: number; bottom: number }[] = [];
  let open: { top: number; bottom: number } | undefined;
  for (let y = 0; y < sheet.height && bars.length <= letters.length; y++) {
    if (inkIn(sheet, barX, barX + size * 0.6, y, y + 1)) {
      if (open) open.bottom = y + 1;
      else bars.push((open = { top: y, bottom: y + 1 }));
    } else {
      open = undefined;
    }
  }
  if (bars.length < letters.length) {
    throw new Error(
      `ffmpeg drew ${bars.length} of ${letters.length} letters: install a font (on Debian: apt install fonts-dejavu-core)`,
    );
  }
  const barInk = inkIn(sheet, barX, barX + size * 0.6, bars[0]!.top, bars[0]!.bottom)!;
  const boxOf = (index: number): Box | undefined => {
    const bar = bars[index]!;
    const slack = Math.round(size * 0.2);
    return inkIn(sheet, letterX - size * 0.4, letterX + size * 1.3, bar.top - slack, bar.bottom + slack);
  };
  const baseline = boxOf(letters.indexOf('H'))!.bottom - bars[letters.indexOf('H')]!.top;
  const result = new Map<string, Letter>();
  letters.forEach((letter, i) => {
    const bar = bars[i]!;
    const pair = inkIn(sheet, pairX - size * 0.4, x + size * 5, bar.top, bar.bottom)!;
    const box = boxOf(i) ?? { left: letterX, right: letterX, top: bar.top, bottom: bar.top };
    const rows: Buffer[] = [];
    for (let y = box.top; y < box.bottom; y++) {
      rows.push(sheet.data.subarray(y * sheet.width + box.left, y * sheet.width + box.right));
    }
    result.set(letter, {
      image: Buffer.concat(rows),
      width: box.right - box.left,
      height: box.bottom - box.top,
      left: box.left - letterX,
      top: bar.top + baseline - box.top,
      advance: pair.right - pairX - (barInk.right - barX),
    });
  });
  return result;
}

/** Draws the letter over itself, `by` pixels to the right. */
function embolden(letter: Letter, by: number): void {
  const width = letter.width === 0 ? 0 : letter.width + by;
  const image = Buffer.alloc(width * letter.height);
  for (let y = 0; y < letter.height; y++) {
    for (let x = 0; x < letter.width; x++) {
      const level = letter.image[y * letter.width + x]!;
      for (let i = y * width + x; i <= y * width + x + by; i++) image[i] = Math.max(image[i]!, level);
    }
  }
  Object.assign(letter, { image, width, advance: letter.advance + Math.ceil(by / 2) });
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** The smallest box around all ink in the given area; undefined if there is none. */
function inkIn(sheet: Sheet, fromX: number, toX: number, fromY: number, toY: number): Box | undefined {
  let box: Box | undefined;
  const [left, right] = [Math.max(0, Math.floor(fromX)), Math.min(sheet.width, Math.floor(toX))];
  for (let y = Math.max(0, fromY); y < Math.min(sheet.height, toY); y++) {
    for (let x = left; x < right; x++) {
      if (sheet.data[y * sheet.width + x]! <= INK) continue;
      box ??= { left: x, right: x + 1, top: y, bottom: y + 1 };
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.bottom = y + 1;
    }
  }
  return box;
}
