// The page as `sightline review` serves it, over a recording that the recorder itself has made: list, thumbnail of its H.264, audit log,
// sign-out, all under the server's own policy.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startPainter } from '../rig/painter.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';
import { openReviewPage, rowsShownMs } from '../rig/reviewPage.ts';
import { startReview, type ReviewProgram } from '../rig/reviewProgram.ts';

const contactId = 'a1b2c3d4-0001-4000-8000-00000000c0de';
const RECORDED_MS = 1500;

let folder: string;
let display: Display;
let recorder: Recorder;
let review: ReviewProgram;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-review-page-'));
  [display, browser] = await Promise.all([startDisplay({ width: 1280, height: 720 }), startBrowser()]);
  const painter = await startPainter({ display: display.display, scene: 'timecode', phase: 1 });
  recorder = await startRecorder({ display: display.display });
  const page = await recorder.connect();
  const about = { contactId, channel: 'VOICE', queue: 'Sales' };
  await page.ask('contact.start', about);
  await sleep(RECORDED_MS);
  await page.ask('contact.stop', { contactId });
  await vi.waitFor(async () => expect(await recorder.published()).toHaveLength(1), {
    timeout: 30_000,
    interval: 100,
  });
  await painter.stop();
  review = await startReview(folder, [recorder.sinkFolder]);
});
afterAll(async () => {
  await browser.stop();
  await review.stop();
  await recorder.stop();
  await display.stop();
  await rm(folder, { recursive: true, force: true });
});

it('lists the recording with a picture of its screen, writes what was seen to the audit log, and signs out', async () => {
  const { page, complaints } = await openReviewPage(browser, review.link.href);
  await rowsShownMs(page);
  const row = page.locator('[data-recording]');
  await expect.poll(() => row.textContent()).toContain(contactId);
  expect(await row.textContent()).toContain('Sales');
  const image = row.locator('.thumbnail img');
  await image.waitFor();
  // The painter's blocks: no empty picture.
  const size = await image.evaluate((element) => {
    const { naturalWidth, naturalHeight } = element as unknown as Record<string, number>;
    return { naturalWidth, naturalHeight };
  });
  expect(size).toEqual({ naturalWidth: 320, naturalHeight: 180 });
  expect((await image.screenshot()).byteLength).toBeGreaterThan(300);

  const id = await row.getAttribute('data-recording');
  await page.keyboard.press('Enter');
  await expect.poll(() => new URL(page.url()).hash).toBe(`#/recordings/${id}`);
  await page.goto(new URL('#/audit', page.url()).href);
  await page.locator('tbody tr').first().waitFor();
  const actions = await page.locator('tbody tr td:nth-child(5)').allTextContents();
  expect(actions).toEqual(expect.arrayContaining(['Signed in', 'Listed', 'Viewed']));
  await page.getByText('The chain of entries is intact').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
  expect(complaints).toEqual([]);
});
