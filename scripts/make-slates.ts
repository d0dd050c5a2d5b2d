// Makes the masks of slates and badges, resources/slates/{text,title,icons}.png with masks.json, from DejaVu Sans and the
// shapes below: run by hand when one changes, and look at the result. Needs Chromium; nothing is downloaded.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { findResourcesFolder } from '../main/platform/paths.ts';
import type { GapReason } from '../main/shared/names.ts';
import { startBrowser } from '../test/rig/browser.ts';

const bar = (x: number) =>
  `M${x + 6} 0 h18 a6 6 0 0 1 6 6 v98 a6 6 0 0 1 -6 6 h-18 a6 6 0 0 1 -6 -6 v-98 a6 6 0 0 1 6 -6 Z`;
const monitor = 'M0 8 h110 v74 h-110 Z M10 18 v54 h90 v-54 Z M35 96 h40 v10 h-40 Z';
const disc = (x: number, y: number, r: number) =>
  `M${x - r} ${y} a${r} ${r} 0 1 0 ${2 * r} 0 a${r} ${r} 0 1 0 ${-2 * r} 0 Z`;
/** SVG paths in a square of 110 pixels; overlapping parts leave a hole. */
const icons: Readonly<Record<GapReason, string>> = {
  suspended: bar(15) + bar(65),
  interrupted: 'M55 0 L110 110 L0 110 Z M49 38 L52 78 L58 78 L61 38 Z M49 86 h12 v12 h-12 Z',
  'display-changed': `${monitor} M48 28 h14 v20 h16 l-23 20 l-23 -20 h16 Z`,
  'display-unavailable': monitor,
  locked:
    'M15 48 h80 v62 h-80 Z M28 48 v-18 a27 27 0 0 1 54 0 v18 h-12 v-18 a15 15 0 0 0 -30 0 v18 Z M49 70 h12 v20 h-12 Z',
  'switched-away': `${disc(38, 28, 20)} M2 100 a36 44 0 0 1 72 0 Z ${disc(86, 36, 15)} M80 58 a28 36 0 0 1 30 42 h-28 a48 60 0 0 0 -12 -36 Z`,
  disconnected: `${monitor} M30 24 l25 16 l25 -16 l8 8 l-22 13 l22 13 l-8 8 l-25 -16 l-25 16 l-8 -8 l22 -13 l-22 -13 Z`,
  asleep: 'M70 6 a50 50 0 1 0 34 74 a42 42 0 0 1 -34 -74 Z',
  'spool-full': 'M10 20 h90 v70 h-90 Z M20 30 v30 h70 v-30 Z M70 70 h20 v10 h-20 Z',
  unreadable:
    'M10 0 h60 l30 30 v26 l-15 14 l-15 -14 l-15 14 l-15 -14 l-15 14 l-15 -14 Z M10 78 l15 14 l15 -14 l15 14 l15 -14 l15 14 l15 -14 v32 h-90 Z',
  'app-restarted': 'M55 18 a50 50 0 1 1 -43 25 l14 8 a34 34 0 1 0 29 -17 v18 l-30 -26 l30 -26 Z',
};

/** Latin, Greek and Cyrillic letters, and the marks of texts: what a page may send as a reason. */
const textCharacters = [
  ...charactersFrom(0x20, 0x7e),
  ...charactersFrom(0xa1, 0x17f),
  ...charactersFrom(0x386, 0x3ce),
  ...charactersFrom(0x400, 0x45f),
  ...Array.from('–—‘’“”•…€'),
].filter((character) => /\p{L}|\p{N}|\p{P}|\p{S}| /u.test(character));

interface SheetOrder {
  readonly em: number;
  readonly font: string;
  /** An SVG path in a square of 110 pixels for each name, or null: the name is a character of the font. */
  readonly items: Readonly<Record<string, string | null>>;
}

interface Sheet {
  readonly width: number;
  readonly height: number;
  /** The coverage of each pixel in base64. */
  readonly alpha: string;
  /** x, y and width in the sheet, and the advance; with a margin on both sides, because some letters reach beyond theirs. */
  readonly glyphs: Readonly<Record<string, readonly [number, number, number, number]>>;
}

const font = (characters: readonly string[]) => Object.fromEntries(characters.map((one) => [one, null]));
const orders: Readonly<Record<string, SheetOrder>> = {
  text: { em: 48, font: '48px "DejaVu Sans"', items: font(textCharacters) },
  title: { em: 96, font: 'bold 96px "DejaVu Sans"', items: font(charactersFrom(0x20, 0x7a)) },
  icons: { em: 220, font: '', items: icons },
};

const folder = join(findResourcesFolder(), 'slates');
const browser = await startBrowser();
try {
  const page = await browser.newPage('about:blank');
  const masks = [];
  for (const [name, order] of Object.entries(orders)) {
    const { glyphs, ...sheet } = await page.evaluate(draw, order);
    writeFileSync(join(folder, `${name}.png`), png(sheet));
    masks.push([name, { em: order.em, glyphs }] as const);
  }
  writeFileSync(join(folder, 'masks.json'), `${JSON.stringify(Object.fromEntries(masks))}\n`);
} finally {
  await browser.stop();
}

/** What `draw` uses of the browser. */
interface BrowserScope {
  readonly OffscreenCanvas: new (width: number, height: number) => { getContext(kind: '2d'): DrawingContext };
  readonly Path2D: new (path: string) => object;
}

interface DrawingContext {
  font: string;
  measureText(text: string): { readonly width: number };
  fillText(text: string, x: number, y: number): void;
  setTransform(a: number, b: number, c: number, d: number, x: number, y: number): void;
  fill(path: object, rule: 'evenodd'): void;
  getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
}

/** Runs in the browser. */
function draw({ em, font, items }: SheetOrder): Sheet {
  const { OffscreenCanvas, Path2D } = globalThis as unknown as BrowserScope;
  const [margin, lineHeight, sheetWidth] = [Math.ceil(em / 12), Math.ceil(em * 1.3), em * 24];
  const measure = new OffscreenCanvas(1, 1).getContext('2d');
  measure.font = font;
  const glyphs: Record<string, [number, number, number, number]> = {};
  let [x, y] = [0, 0];
  for (const [name, path] of Object.entries(items)) {
    const advance = path === null ? measure.measureText(name).width : em;
    const width = Math.ceil(advance) + 2 * margin;
    if (x + width > sheetWidth) [x, y] = [0, y + lineHeight];
    glyphs[name] = [x, y, width, Math.round(advance * 100) / 100];
    x += width;
  }
  const [width, height] = [y === 0 ? x : sheetWidth, y + lineHeight];
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.font = font;
  for (const [name, [left, top]] of Object.entries(glyphs)) {
    const path = items[name] ?? null;
    const scale = path === null ? 1 : em / 110;
    context.setTransform(scale, 0, 0, scale, left + margin, top);
    if (path === null) context.fillText(name, 0, em);
    else context.fill(new Path2D(path), 'evenodd');
  }
  const { data } = context.getImageData(0, 0, width, height);
  let alpha = '';
  for (let at = 3; at < data.length; at += 4) alpha += String.fromCharCode(data[at] ?? 0);
  return { width, height, alpha: btoa(alpha), glyphs };
}

function charactersFrom(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String.fromCodePoint(first + index));
}

/** An 8-bit grey PNG whose rows have no filter: what main/capture/masks.ts reads. */
function png({ width, height, alpha }: Pick<Sheet, 'width' | 'height' | 'alpha'>): Buffer {
  const pixels = Buffer.from(alpha, 'base64');
  const rows = Array.from({ length: height }, (_, row) => [
    Buffer.of(0),
    pixels.subarray(row * width, (row + 1) * width),
  ]);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows.flat()), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, content: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const box = Buffer.alloc(body.length + 8);
  box.writeUInt32BE(content.length, 0);
  body.copy(box, 4);
  box.writeUInt32BE(crc32(body), body.length + 4);
  return box;
}
