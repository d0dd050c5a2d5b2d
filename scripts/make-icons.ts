// Makes the PNGs and the ICO of resources/icons from the SVGs beside them: run by hand when an icon changes, and look at
// the result. Needs Chromium; nothing is fetched.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { findResourcesFolder } from '../main/platform/paths.ts';
import type { StateIcon } from '../main/shared/ipc.ts';
import { startBrowser } from '../test/rig/browser.ts';

/** Pixels at 100%; nativeImage takes the `@2x` image, twice as large, on a dense screen. */
const TRAY_SIZES = [16, 32];
/**
 * Each at least 4.5:1 against the white outline, which makes the icon readable on every panel, light, dark or coloured. The
 * shapes differ as well: the colour only repeats them.
 */
const TRAY_COLOURS: Readonly<Record<StateIcon, string>> = {
  idle: '#4a545f',
  starting: '#8f5a00',
  recording: '#c62a2f',
  suspended: '#8f5a00',
  uploading: '#1f5fc4',
  problem: '#8f5a00',
};
/** In the units of the SVGs, whose shapes fill 16; the outline is drawn outside of them. */
const OUTLINE = { width: 1.5, colour: '#ffffff' };
const APP_SIZE = 512;
/** What Windows asks for at 100% to 400%, and 256 for the large views. */
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];

const icons = join(findResourcesFolder(), 'icons');
const browser = await startBrowser();
try {
  const page = await browser.newPage('about:blank');
  const tray = join(icons, 'tray');
  for (const file of readdirSync(tray).filter((name) => name.endsWith('.svg'))) {
    const name = basename(file, '.svg') as StateIcon;
    const svg = join(tray, file);
    for (const size of TRAY_SIZES)
      for (const [pixels, suffix] of [
        [size, ''],
        [size * 2, '@2x'],
      ] as const)
        write(
          join(tray, `${name}-${size}${suffix}.png`),
          await draw(page, outlined(svg, TRAY_COLOURS[name]), pixels),
        );
  }
  const app = text(join(icons, 'app.svg'));
  write(join(icons, 'app.png'), await draw(page, app, APP_SIZE));
  const images = [];
  for (const size of ICO_SIZES) images.push({ size, png: await draw(page, app, size) });
  write(join(icons, 'app.ico'), ico(images));
} finally {
  await browser.stop();
}

function text(svgFile: string): string {
  return readFileSync(svgFile, 'utf8').replaceAll('currentColor', '#000000');
}

/** The shape in a colour, smaller, over the same shape with a wide stroke; what it encloses is filled as well. */
function outlined(svgFile: string, colour: string): string {
  const [, shape] = /<svg[^>]*>(.*)<\/svg>/su.exec(readFileSync(svgFile, 'utf8')) ?? [];
  if (shape === undefined) throw new Error(`${svgFile} is no SVG.`);
  const { width, colour: white } = OUTLINE;
  const ground = shape
    .replaceAll(/stroke-width="([\d.]+)"/gu, (_, own: string) => `stroke-width="${Number(own) + 2 * width}"`)
    .replaceAll(/fill="[^"]*"/gu, `fill="${white}"`)
    .replaceAll(/fill-rule="evenodd"/gu, '')
    .replaceAll('stroke="currentColor"', `stroke="${white}"`);
  const side = 16 + 2 * width;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-width} ${-width} ${side} ${side}">` +
    `<g stroke="${white}" stroke-width="${2 * width}" stroke-linejoin="round">${ground}</g>` +
    `${shape.replaceAll('currentColor', colour)}</svg>`
  );
}

/** An SVG as a square PNG with a transparent ground. */
async function draw(page: Page, svgText: string, size: number): Promise<Buffer> {
  const svg = Buffer.from(svgText).toString('base64');
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<body style="margin:0"><img width="${size}" height="${size}" style="display:block" src="data:image/svg+xml;base64,${svg}">`,
  );
  return page.screenshot({ omitBackground: true });
}

/** Several PNGs in one icon file (the ICONDIR structure; Windows takes PNGs in it since Vista). */
function ico(images: readonly { size: number; png: Buffer }[]): Buffer {
  const header = Buffer.alloc(6 + 16 * images.length);
  header.writeUInt16LE(1, 2); // an icon, not a cursor
  header.writeUInt16LE(images.length, 4);
  let offset = header.length;
  for (const [index, { size, png }] of images.entries()) {
    const at = 6 + 16 * index;
    header.writeUInt8(size % 256, at); // 0 stands for 256
    header.writeUInt8(size % 256, at + 1);
    header.writeUInt16LE(1, at + 4); // colour planes
    header.writeUInt16LE(32, at + 6); // bits a pixel
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  }
  return Buffer.concat([header, ...images.map(({ png }) => png)]);
}

function write(file: string, bytes: Buffer): void {
  writeFileSync(file, bytes);
  console.log(`${file} ${bytes.length}`);
}
