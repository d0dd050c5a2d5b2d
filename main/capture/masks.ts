// The letters and icons of slates and badges: three images with their coverage, made by scripts/make-slates.ts. ffmpeg
// cannot draw text, because ours has no font renderer.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { z } from 'zod';
import { parseJson } from '../shared/json.ts';
import type { Mask } from '../media/yuvImage.ts';

const sheetSchema = z.object({
  /** Size for which the glyphs are drawn, in pixels. */
  em: z.number().positive(),
  /** For each character or icon: x, y and width in the image, and the advance. */
  glyphs: z.record(z.string(), z.tuple([z.number(), z.number(), z.number(), z.number()])),
});
const masksSchema = z.object({ text: sheetSchema, title: sheetSchema, icons: sheetSchema });

export type Masks = Readonly<Record<keyof z.infer<typeof masksSchema>, MaskSheet>>;

export class MaskSheet {
  private readonly margin: number;
  private readonly lineHeight: number;

  constructor(
    private readonly sheet: z.infer<typeof sheetSchema>,
    private readonly image: Mask,
  ) {
    // As in scripts/make-slates.ts.
    this.margin = Math.ceil(sheet.em / 12);
    this.lineHeight = Math.ceil(sheet.em * 1.3);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.sheet.glyphs, name);
  }

  /**
   * One line.
   * @param names characters or icons; unknown ones are left out
   * @param size of the letters in pixels; smaller if the line would be wider than `maxWidth`
   */
  line(names: readonly string[], size: number, maxWidth: number): Mask {
    const glyphs = names.flatMap((name) => (this.has(name) ? [this.sheet.glyphs[name] ?? []] : []));
    const { margin, lineHeight } = this;
    const width = Math.ceil(glyphs.reduce((sum, [, , , advance = 0]) => sum + advance, 2 * margin));
    const data = new Uint8Array(width * lineHeight);
    let pen = 0;
    for (const [x = 0, y = 0, glyphWidth = 0, advance = 0] of glyphs) {
      const left = Math.round(pen);
      for (let row = 0; row < lineHeight; row += 1) {
        for (let column = 0; column < Math.min(glyphWidth, width - left); column += 1) {
          const at = row * width + left + column;
          // The margins of neighbours overlap.
          data[at] = Math.max(data[at] ?? 0, this.image.data[(y + row) * this.image.width + x + column] ?? 0);
        }
      }
      pen += advance;
    }
    return scaled({ width, height: lineHeight, data }, Math.min(size / this.sheet.em, maxWidth / width));
  }
}

/** @throws Error when a file is missing or damaged */
export async function loadMasks(folder: string): Promise<Masks> {
  const { text, title, icons } = masksSchema.parse(
    parseJson(await readFile(join(folder, 'masks.json'), 'utf8')),
  );
  const load = async (name: keyof Masks): Promise<Mask> =>
    readPng(await readFile(join(folder, `${name}.png`)));
  return {
    text: new MaskSheet(text, await load('text')),
    title: new MaskSheet(title, await load('title')),
    icons: new MaskSheet(icons, await load('icons')),
  };
}

/** An 8-bit grey PNG whose rows have no filter (make-slates.ts writes no other). */
function readPng(png: Buffer): Mask {
  const data: Buffer[] = [];
  for (let at = 8; at + 12 <= png.byteLength; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  const rows = inflateSync(Buffer.concat(data));
  if (png[24] !== 8 || png[25] !== 0 || rows.byteLength !== (width + 1) * height)
    throw new Error('An image of the slates is not as scripts/make-slates.ts writes it.');
  const pixels = new Uint8Array(width * height);
  // Each row begins with the number of its filter.
  for (let row = 0; row < height; row += 1)
    pixels.set(rows.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)), row * width);
  return { width, height, data: pixels };
}

/** More points would not show in a mask that is this much smaller. */
const MAX_POINTS = 16;

/** Bilinear; each pixel of a smaller mask is the mean of several points. */
function scaled(mask: Mask, factor: number): Mask {
  const width = Math.max(1, Math.round(mask.width * factor));
  const height = Math.max(1, Math.round(mask.height * factor));
  const points = Math.min(MAX_POINTS, Math.max(1, Math.round(1 / factor)));
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      let sum = 0;
      for (let point = 0; point < points * points; point += 1) {
        const across = x + ((point % points) + 0.5) / points;
        const down = y + (Math.floor(point / points) + 0.5) / points;
        sum += sample(mask, (across * mask.width) / width - 0.5, (down * mask.height) / height - 0.5);
      }
      data[y * width + x] = sum / (points * points);
    }
  }
  return { width, height, data };
}

function sample({ width, height, data }: Mask, x: number, y: number): number {
  const left = Math.max(0, Math.min(width - 2, Math.floor(x)));
  const top = Math.max(0, Math.min(height - 2, Math.floor(y)));
  const [right, below] = [Math.min(1, Math.max(0, x - left)), Math.min(1, Math.max(0, y - top))];
  const at = top * width + left;
  const above = (data[at] ?? 0) * (1 - right) + (data[at + 1] ?? 0) * right;
  const under = (data[at + width] ?? 0) * (1 - right) + (data[at + width + 1] ?? 0) * right;
  return above * (1 - below) + under * below;
}
