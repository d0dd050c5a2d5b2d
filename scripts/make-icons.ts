// Makes the PNGs and the ICO of resources/icons from the SVGs beside them: run by hand when an icon changes, and look at
// the result. Needs Chromium; nothing is fetched.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { findResourcesFolder } from '../main/platform/paths.ts';
import { startBrowser } from '../test/rig/browser.ts';

/** Pixels at 100%; nativeImage takes the `@2x` picture, twice as large, on a dense screen. */
const TRAY_SIZES = [16, 32];
const APP_SIZE = 512;
/** What Windows asks for at 100% to 400%, and 256 for the large views. */
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];

const icons = join(findResourcesFolder(), 'icons');
const browser = await startBrowser();
try {
  const page = await browser.newPage('about:blank');
  const tray = join(icons, 'tray');
  for (const file of readdirSync(tray).filter((name) => name.endsWith('.svg'))) {
    const name = basename(file, '.svg');
    for (const size of TRAY_SIZES) {
      write(join(tray, `${name}-${size}.png`), await draw(page, join(tray, file), size));
      write(join(tray, `${name}-${size}@2x.png`), await draw(page, join(tray, file), size * 2));
    }
  }
  const app = join(icons, 'app.svg');
  write(join(icons, 'app.png'), await draw(page, app, APP_SIZE));
  const pictures = [];
  for (const size of ICO_SIZES) pictures.push({ size, png: await draw(page, app, size) });
  write(join(icons, 'app.ico'), ico(pictures));
} finally {
  await browser.stop();
}

/** An SVG as a square PNG with a transparent ground. */
async function draw(page: Page, svgFile: string, size: number): Promise<Buffer> {
  const svg = readFileSync(svgFile).toString('base64');
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(
    `<body style="margin:0"><img width="${size}" height="${size}" style="display:block" src="data:image/svg+xml;base64,${svg}">`,
  );
  return page.screenshot({ omitBackground: true });
}

/** Several PNGs in one icon file (the ICONDIR structure; Windows takes PNGs in it since Vista). */
function ico(pictures: readonly { size: number; png: Buffer }[]): Buffer {
  const header = Buffer.alloc(6 + 16 * pictures.length);
  header.writeUInt16LE(1, 2); // an icon, not a cursor
  header.writeUInt16LE(pictures.length, 4);
  let offset = header.length;
  for (const [index, { size, png }] of pictures.entries()) {
    const at = 6 + 16 * index;
    header.writeUInt8(size % 256, at); // 0 stands for 256
    header.writeUInt8(size % 256, at + 1);
    header.writeUInt16LE(1, at + 4); // colour planes
    header.writeUInt16LE(32, at + 6); // bits a pixel
    header.writeUInt32LE(png.length, at + 8);
    header.writeUInt32LE(offset, at + 12);
    offset += png.length;
  }
  return Buffer.concat([header, ...pictures.map(({ png }) => png)]);
}

function write(file: string, bytes: Buffer): void {
  writeFileSync(file, bytes);
  console.log(`${file} ${bytes.length}`);
}
