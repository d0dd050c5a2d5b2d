// The player in a real Chromium over a real recording, served by the real `sightline review`: which frame a click shows, what playing
// leaves out, when the call's audio sounds, and what leaves the page.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { frameAt } from '../../review/page/src/player/model/frames.ts';
import { stillStretches } from '../../review/page/src/player/model/stillness.ts';
import type { Notes } from '../../review/contract.ts';
import { startBrowser, type Browser } from '../rig/browser.ts';
import { startReview, type ReviewProgram } from '../rig/reviewProgram.ts';
import { checkFrame, clickEverywhere, openPlayer, probe, type OpenPlayer } from '../rig/reviewPlayer.ts';
import { recordForReview, type ReviewRecording } from '../rig/reviewRecording.ts';
import { beginListening, endListening, seekTo } from '../rig/reviewSync.ts';

let home: string;
let recording: ReviewRecording;
let review: ReviewProgram;
let browser: Browser;
let page: Page;
let player: OpenPlayer;
const complaints: string[] = [];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-player-'));
  recording = await recordForReview(home);
  review = await startReview(home, [recording.folder, '--audio', recording.audioFolder]);
  browser = await startBrowser();
  page = await browser.context.newPage();
  page.on('pageerror', (error) => complaints.push(String(error)));
  // The policy's refusals are among them.
  page.on('console', (message) => {
    if (/Content Security Policy|Refused/.test(message.text())) complaints.push(message.text());
  });
  player = await openPlayer(page, review.link.href);
});
afterAll(async () => {
  await browser.stop();
  await review.stop();
  await rm(home, { recursive: true, force: true });
});
beforeEach(async () => {
  if ((await page.getByRole('button', { name: 'Pause' }).count()) > 0) await page.keyboard.press('k');
});

const positionMs = async (): Promise<number> =>
  (await page.evaluate<number>('document.querySelector("video").currentTime')) * 1000;
const shares = (ms: number): number => ms / player.detail.manifest.durationMs;

it('a click shows the frame of the moment clicked, within 200 ms', async () => {
  const figures = await clickEverywhere(player, 25);
  console.log(JSON.stringify(figures));
  expect(figures.problems).toEqual([]);
  expect(figures.clockMs.max).toBeLessThanOrEqual(200);
  expect(figures.shownAfterMs.p95).toBeLessThanOrEqual(200);
});

it('steps go from frame to frame, however long each is shown', async () => {
  const { timesMs } = player.activity;
  await seekTo(page, shares(3000));
  const first = frameAt(timesMs, await positionMs());
  for (let step = 1; step <= 8; step += 1) {
    await page.keyboard.press('.');
    await probe(page, 'settled');
    expect(frameAt(timesMs, await positionMs())).toBe(first + step);
    expect((await checkFrame(player, await positionMs())).problem).toBeNull();
  }
  await page.keyboard.press(',');
  await probe(page, 'settled');
  expect(frameAt(timesMs, await positionMs())).toBe(first + 7);
});

it('finds where nothing changed on the desk, and nothing else', () => {
  const { manifest } = player.detail;
  const startMs = Date.parse(manifest.startTime);
  const still = stillStretches(player.activity, manifest.video, manifest.durationMs);
  const [from, to] = [recording.still.fromMs - startMs, recording.still.toMs - startMs];
  const within = still.filter(({ fromMs, toMs }) => fromMs >= from && toMs <= to + 200);
  expect(within).toHaveLength(1);
  expect(within[0]!.toMs - within[0]!.fromMs).toBeGreaterThan(1500);
  // The others are slates.
  const slate = manifest.gaps[0]!;
  for (const { fromMs, toMs } of still.filter((one) => one !== within[0])) {
    expect(fromMs).toBeGreaterThanOrEqual(slate.offsetMs);
    expect(toMs).toBeLessThanOrEqual(slate.offsetMs + slate.durationMs);
  }
});

it('playing leaves out the suspension and what does not change, and says so', async () => {
  await page.getByLabel('Play only what changes').check();
  await seekTo(page, shares(2500));
  await probe(page, 'settled');
  await page.evaluate(
    `globalThis.seen = []; document.querySelector('video').addEventListener('seeking', () => seen.push(document.querySelector('video').currentTime * 1000))`,
  );
  await page.selectOption('.player-speed', '2');
  await page.keyboard.press('k');
  await page.getByText(/Skipped .* without a change/).waitFor();
  await page.getByText(/Skipped a suspension of/).waitFor();
  await page.keyboard.press('k');
  const [afterStill, afterSuspension] = await page.evaluate<number[]>('seen');
  const slate = player.detail.manifest.gaps[0]!;
  const resumedMs = recording.still.toMs - Date.parse(player.detail.manifest.startTime);
  expect(Math.abs(afterStill! - resumedMs)).toBeLessThan(700);
  expect(afterSuspension! - (slate.offsetMs + slate.durationMs)).toBeGreaterThanOrEqual(0);
  expect(afterSuspension! - (slate.offsetMs + slate.durationMs)).toBeLessThan(200);
  await page.selectOption('.player-speed', '1');
  await page.getByLabel('Play only what changes').uncheck();
  // Gone to by the reviewer, the slate is shown.
  await page.getByRole('button', { name: /Suspended/ }).click();
  await page.keyboard.press('k');
  await expect.poll(positionMs).toBeGreaterThan(slate.offsetMs + 800);
  await page.keyboard.press('k');
});

it("the call's audio sounds when the video shows the moment", { retry: 2 }, async () => {
  await player.page.reload();
  player = await openPlayer(page, page.url());
  await beginListening(player);
  await seekTo(page, 0.01);
  await page.keyboard.press('k');
  await expect.poll(positionMs).toBeGreaterThan(3600);
  await page.keyboard.press('k');
  await page.selectOption('.player-speed', '2');
  await seekTo(page, 0.01);
  await page.keyboard.press('k');
  await expect.poll(positionMs).toBeGreaterThan(3600);
  await page.keyboard.press('k');
  await page.selectOption('.player-speed', '1');
  const figures = await endListening(player);
  console.log(JSON.stringify(figures));
  expect(figures.tones).toBeGreaterThanOrEqual(3);
  expect(figures.offsetMs.p95).toBeLessThanOrEqual(100);
});

it('the timeline describes itself, and the keys work', async () => {
  const slider = page.getByRole('slider', { name: 'Timeline' });
  await slider.focus();
  await page.keyboard.press('Home');
  expect(await slider.getAttribute('aria-valuenow')).toBe('0');
  await page.keyboard.press('l');
  expect(await slider.getAttribute('aria-valuenow')).toBe('10');
  const { offsetMs } = player.detail.manifest.gaps[0]!;
  await page.keyboard.press('Home');
  await page.keyboard.press('PageDown');
  await expect.poll(async () => Math.abs((await positionMs()) - offsetMs)).toBeLessThan(20);
  expect(await slider.getAttribute('aria-valuetext')).toMatch(/Suspended .* by the page \(“card number”\)/);
  await page.keyboard.press('5');
  expect(Number(await slider.getAttribute('aria-valuenow'))).toBe(
    Math.floor(player.detail.manifest.durationMs / 2000),
  );
  await page.keyboard.press('>');
  await expect.poll(() => page.locator('.player-speed').inputValue()).toBe('1.25');
  await page.keyboard.press('<');
  // Text in a field is text.
  await page.getByRole('tab', { name: 'Transcript' }).click();
  await page.getByRole('searchbox').fill('');
  await page.getByRole('searchbox').press('k');
  expect(await page.getByRole('button', { name: 'Play', exact: true }).count()).toBe(1);
});

it('a line of the transcript jumps to its moment', async () => {
  await page.getByRole('tab', { name: 'Transcript' }).click();
  await page.getByRole('searchbox').fill('new label');
  expect(await page.locator('mark').allTextContents()).toEqual(['new label']);
  await page.getByRole('button', { name: /A new label is printed/ }).click();
  const beginMs = recording.audioStartMs - Date.parse(player.detail.manifest.startTime) + 8000;
  await expect.poll(async () => Math.abs((await positionMs()) - beginMs)).toBeLessThan(20);
  await expect
    .poll(() => page.locator('.player-transcript [aria-current]').textContent())
    .toContain('new label');
});

it('a snapshot has the moment burnt in; where it cannot be logged it is not made', async () => {
  await page.route('**/actions', (route) =>
    route.fulfill({ status: 503, json: { code: 'AUDIT_UNAVAILABLE', message: 'No log.' } }),
  );
  const downloads: string[] = [];
  page.on('download', (one) => downloads.push(one.suggestedFilename()));
  await page.getByRole('button', { name: 'Save snapshot' }).click();
  await page.getByText('No log.').waitFor();
  expect(downloads).toEqual([]);
  await page.unroute('**/actions');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save snapshot' }).click(),
  ]);
  const png = await readFile(await download.path());
  const { width, height } = player.detail.manifest.video;
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height + 32]);
  expect(download.suggestedFilename()).toContain(recording.contactId);
});

it('notes of two reviewers are merged; the same note is a choice; text survives a reload', async () => {
  const other = await browser.context.newPage();
  await other.goto(page.url());
  for (const one of [page, other]) await one.getByRole('tab', { name: 'Notes' }).click();
  const write = async (on: Page, text: string): Promise<void> => {
    await on.getByRole('button', { name: 'Add note here' }).click();
    await (await noteOf(on, '')).fill(text);
  };
  await write(page, 'of one');
  await page.getByRole('button', { name: 'Save notes' }).click();
  await page.getByText('Notes saved.').waitFor();
  await write(other, 'of the other');
  await other.getByRole('button', { name: 'Save notes' }).click();
  await other.getByText('Notes saved.').waitFor();
  expect((await notesTexts()).sort()).toEqual(['of one', 'of the other']);

  await (await noteOf(page, 'of one')).fill('changed here');
  await page.reload();
  await page.getByRole('tab', { name: 'Notes' }).click();
  await noteOf(page, 'changed here');
  await (await noteOf(other, 'of one')).fill('changed there');
  await other.getByRole('button', { name: 'Save notes' }).click();
  await other.getByText('Notes saved.').waitFor();
  await page.getByRole('button', { name: 'Save notes' }).click();
  await page.getByRole('button', { name: 'Keep both' }).click();
  await page.getByRole('button', { name: 'Save notes' }).click();
  await page.getByText('Notes saved.').waitFor();
  expect((await notesTexts()).sort()).toEqual(['changed here', 'changed there', 'of the other']);
  await other.close();
});

/** The field of the note that has this text; waits for it. */
async function noteOf(on: Page, text: string): Promise<Locator> {
  const fields = on.getByRole('textbox', { name: 'Note', exact: true });
  let index = -1;
  await expect
    .poll(async () => {
      const values = await Promise.all((await fields.all()).map((field) => field.inputValue()));
      return (index = values.indexOf(text));
    })
    .toBeGreaterThanOrEqual(0);
  return fields.nth(index);
}

async function notesTexts(): Promise<string[]> {
  const address = new URL(`/api/recordings/${player.detail.row.id}/notes`, page.url()).href;
  const notes = (await (await page.context().request.get(address)).json()) as Notes;
  return notes.entries.map(({ text }) => text);
}

it('verifies on request, and nothing of the page breaks its policy', async () => {
  await page.getByRole('tab', { name: 'Integrity' }).click();
  await page.getByRole('button', { name: 'Verify recording' }).click();
  await page.getByText('Intact: the video is what was recorded.').waitFor();
  expect(complaints).toEqual([]);
});

it('is accessible in both colour schemes', async () => {
  await page.evaluate(axe.source);
  const check = async (what: string, within: string): Promise<void> => {
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      `axe.run(${within})`,
    );
    expect(violations.map(({ id, nodes }) => `${what}: ${id} ${nodes[0]?.html ?? ''}`)).toEqual([]);
  };
  for (const name of ['Events', 'Transcript', 'Notes', 'Integrity']) {
    await page.getByRole('tab', { name }).click();
    await check(name, "'.player-side'");
  }
  await check('light', 'document');
  await page.emulateMedia({ colorScheme: 'dark' });
  await check('dark', 'document');
});
