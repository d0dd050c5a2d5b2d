// `npm run pictures:review`: the list of the review tool in its states, light and dark, small and large, into docs/pictures/review. The page is
// the built one; its recordings are generated, because a year of a contact center cannot be recorded for a picture. Their thumbnails are
// decoded from real frames: pictures of docs/.

import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startBrowser } from '../test/rig/browser.ts';
import { keyFrameOf } from '../test/rig/reviewKeyFrames.ts';
import { openReviewPage } from '../test/rig/reviewPage.ts';
import { startReviewStandIn, type ReviewStandIn } from '../test/rig/reviewStandIn.ts';
import { toPalette } from '../test/rig/trayDesk.ts';

const docs = fileURLToPath(new URL('../docs/pictures', import.meta.url));
const folder = join(docs, 'review');
const MAX_BYTES = 150_000;
const screens = [
  'ccp/demo-recording',
  'ccp/demo-payment',
  'ccp/demo-several',
  'app/recording-window',
  'app/suspended',
];
const NOW = new Date('2026-03-02T15:00:00.000Z');
const both = ['light', 'dark'] as const;
const laptop = { width: 1366, height: 768 };

interface Scene {
  readonly name: string;
  readonly hash?: string;
  readonly size?: { readonly width: number; readonly height: number };
  readonly colors?: readonly ('light' | 'dark')[];
  readonly prepare?: (state: ReviewStandIn['state']) => void;
  /** Until the page shows what the picture is of. */
  readonly show: (page: Page) => Promise<void>;
}

const details = async (page: Page): Promise<void> => {
  await pictures(page);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Space');
  await page.locator('.details img').waitFor();
};
const scenes: readonly Scene[] = [
  { name: 'list', show: pictures },
  { name: 'details', hash: '#/?problem=any&suspended=true', show: details },
  {
    name: 'indexing',
    colors: ['light'],
    prepare: (state) => {
      state.rows = state.rows.slice(0, 3150);
      state.index = { state: 'reading', indexed: 3150, total: 10_000, updatedAt: null };
    },
    show: pictures,
  },
  {
    name: 'failed',
    colors: ['dark'],
    prepare: (state) => {
      const message =
        'The bucket acme-recordings refuses to be listed (AccessDenied). Check that the credentials of the review server allow s3:ListBucket.';
      state.index = { ...state.index, state: 'failed', problem: { code: 'LIBRARY_UNAVAILABLE', message } };
    },
    show: pictures,
  },
  { name: 'audit', hash: '#/audit', show: (page) => page.locator('tbody tr').first().waitFor() },
  {
    name: 'help',
    show: async (page) => {
      await pictures(page);
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  },
  { name: 'small', size: { width: 720, height: 640 }, colors: ['light'], show: pictures },
  { name: 'large', size: { width: 2560, height: 1440 }, colors: ['dark'], show: pictures },
];

await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const keyFrames = await Promise.all(screens.map((name) => keyFrameOf(join(docs, `${name}.png`))));
const server = await startReviewStandIn({ keyFrames, role: 'admin', now: NOW });
const initial = { ...server.state };
const browser = await startBrowser();
try {
  for (const { name, hash = '', size = laptop, colors = both, prepare, show } of scenes) {
    for (const colorScheme of colors) {
      Object.assign(server.state, initial);
      prepare?.(server.state);
      const { page, complaints } = await openReviewPage(browser, 'about:blank');
      await page.clock.setFixedTime(NOW);
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.goto(`${server.origin}/${hash}`);
      await show(page);
      await save(page, colors.length === 1 ? name : `${name}-${colorScheme}`);
      const own = complaints.filter((one) => !one.startsWith('request'));
      if (own.length > 0) throw new Error(own.join('\n'));
      await page.close();
    }
  }
} finally {
  await browser.stop();
  await server.stop();
}

async function pictures(page: Page): Promise<void> {
  await page.locator('.table .thumbnail img').nth(8).waitFor();
  // Rows without a video have none.
  await page.waitForFunction(
    () => performance.now() - (performance.getEntriesByType('resource').at(-1)?.startTime ?? 0) > 400,
  );
}

async function save(page: Page, name: string): Promise<void> {
  const file = join(folder, `${name}.png`);
  await writeFile(`${file}.whole.png`, await page.screenshot());
  await toPalette(`${file}.whole.png`, file);
  await rm(`${file}.whole.png`);
  const { size } = await stat(file);
  console.log(`${name}: ${Math.round(size / 1000)} kB`);
  if (size > MAX_BYTES) throw new Error(`${name}.png is larger than ${MAX_BYTES} bytes.`);
}
