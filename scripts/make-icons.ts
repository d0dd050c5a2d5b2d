// Makes the PNGs, the ICO and the ICNS of resources/icons from the SVGs beside them: run by hand when an icon changes, and look at
// the result. Needs Chromium; nothing is fetched.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { findResourcesFolder } from '../main/platform/paths.ts';
import type { StateIcon } from '../main/shared/ipc.ts';
import { startBrowser } from '../test/rig/browser.ts';

/** Pixels at 100%; nativeImage takes the `@2x` picture, twice as large, on a dense screen. */
const TRAY_SIZES = [16, 32];
/**
 * On a light panel and on a dark one, each at least 4.5:1 against white or near-black. The shapes differ as well: the
 * colour only repeats what they say, and macOS is given the shapes alone (black, which it turns into what it needs).
 */
const TRAY_COLOURS: Readonly<Record<'light' | 'dark', Readonly<Record<StateIcon, string>>>> = {
  light: {
    idle: '#5b6672',
    starting: '#8f5a00',
    recording: '#c62a2f',
    suspended: '#8f5a00',
    uploading: '#1f5fc4',
    problem: '#8f5a00',
  },
  dark: {
    idle: '#b4bec9',
    starting: '#f5b73d',
    recording: '#ff6b70',
    suspended: '#f5b73d',
    uploading: '#7db4ff',
    problem: '#f5b73d',
  },
};
const APP_SIZE = 512;
/** What Windows asks for at 100% to 400%, and 256 for the large views. */
/** Apple's types for PNGs in an ICNS file, with their pixels; those from ic11 on are for dense screens. */
const ICNS_TYPES = { ic07: 128, ic08: 256, ic09: 512, ic10: 1024, ic11: 32, ic12: 64, ic13: 256, ic14: 512 };
const ICO_SIZES = [16, 24, 32, 48, 64, 128, 256];

const icons = join(findResourcesFolder(), 'icons');
const browser = await startBrowser();
try {
  const page = await browser.newPage('about:blank');
  const tray = join(icons, 'tray');
  for (const file of readdirSync(tray).filter((name) => name.endsWith('.svg'))) {
    const name = basename(file, '.svg') as StateIcon;
    const svg = join(tray, file);
    for (const theme of ['light', 'dark'] as const) {
      const colour = TRAY_COLOURS[theme][name];
      for (const size of TRAY_SIZES) {
        write(join(tray, `${name}-${theme}-${size}.png`), await draw(page, svg, size, colour));
        write(join(tray, `${name}-${theme}-${size}@2x.png`), await draw(page, svg, size * 2, colour));
      }
    }
    write(join(tray, `${name}Template.png`), await draw(page, svg, 16, '#000000'));
    write(join(tray, `${name}Template@2x.png`), await draw(page, svg, 32, '#000000'));
  }
  const app = join(icons, 'app.svg');
  write(join(icons, 'app.png'), await draw(page, app, APP_SIZE));
  const pictures = [];
  for (const size of ICO_SIZES) pictures.push({ size, png: await draw(page, app, size) });
  write(join(icons, 'app.ico'), ico(pictures));
  const apple = [];
  for (const [type, size] of Object.entries(ICNS_TYPES))
    apple.push({ type, png: await draw(page, app, size) });
  write(join(icons, 'app.icns'), icns(apple));
} finally {
  await browser.stop();
}

/** An SVG as a square PNG with a transparent ground. */
async function draw(page: Page, svgFile: string, size: number, colour = '#000000'): Promise<Buffer> {
  const text = readFileSync(svgFile, 'utf8').replaceAll('currentColor', colour);
  const svg = Buffer.from(text).toString('base64');
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

/** Several PNGs in one icon file for macOS: a type of four letters and a length before each. */
function icns(pictures: readonly { type: string; png: Buffer }[]): Buffer {
  const block = (type: string, bytes: Buffer): Buffer => {
    const head = Buffer.alloc(8);
    head.write(type, 0, 'latin1');
    head.writeUInt32BE(bytes.length + 8, 4);
    return Buffer.concat([head, bytes]);
  };
  return block('icns', Buffer.concat(pictures.map(({ type, png }) => block(type, png))));
}

function write(file: string, bytes: Buffer): void {
  writeFileSync(file, bytes);
  console.log(`${file} ${bytes.length}`);
}
