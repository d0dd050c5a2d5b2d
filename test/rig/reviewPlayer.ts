// The player in a real browser, and what it shows and plays: which frame, by its block code, and when the call's audio sounds. The
// recordings are those of reviewRecording.ts. What is measured is compared with the wall clock, not with the player's own times.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Manifest } from '../../main/shared/manifest.ts';
import type { PlacedMonitor } from '../../main/shared/names.ts';
import type { Activity, RecordingDetail, RecordingPage } from '../../review/contract.ts';
import { frameAt, frameSpan } from '../../review/page/src/player/model/frames.ts';
import { startBrowser } from './browser.ts';
import { decodeRecording, type RecordingFrame } from './recordingFrames.ts';
import { decodeTimecode, STRIP, type Rect, type Timecode } from './timecode.ts';

export interface OpenPlayer {
  readonly page: Page;
  readonly detail: RecordingDetail;
  readonly activity: Activity;
  /** What ffmpeg sees in each frame, in order: the truth. */
  readonly frames: readonly RecordingFrame[];
}

/** Signs in by the link, if the page is not signed in yet, and opens a recording; the first one unless told. */
export async function openPlayer(page: Page, link: string, contactId?: string): Promise<OpenPlayer> {
  await page.goto(link);
  await page.waitForSelector('.top-bar');
  const get = async <T>(path: string): Promise<T> => {
    const answer = await page.context().request.get(new URL(`/api/${path}`, page.url()).href);
    return (await answer.json()) as T;
  };
  const rows = await rowsWhenIndexed(page, get);
  const row = rows.find((one) => contactId === undefined || one.contactId === contactId);
  if (row === undefined) throw new Error(`the library has no recording of ${contactId ?? 'any contact'}`);
  const [detail, activity] = await Promise.all([
    get<RecordingDetail>(`recordings/${row.id}`),
    get<Activity>(`recordings/${row.id}/activity`),
  ]);
  const frames = await framesOf(page, detail);
  await page.evaluate(`location.hash = '#/recordings/${row.id}'`);
  await page.waitForSelector('.player-graph path[d^="M"]', { state: 'attached' });
  // Not waitForFunction: the page's policy forbids what it does with a text.
  await page.evaluate(await readFile(new URL('reviewProbe.js', import.meta.url), 'utf8'));
  await probe(page, 'loaded');
  return { page, detail, activity, frames };
}

async function framesOf(page: Page, { row, manifest }: RecordingDetail): Promise<RecordingFrame[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  try {
    const file = join(folder, 'video.mp4');
    const address = new URL(`/api/recordings/${row.id}/video`, page.url()).href;
    await writeFile(file, await (await page.context().request.get(address)).body());
    return await decodeRecording(file, manifest);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function rowsWhenIndexed(
  page: Page,
  get: <T>(path: string) => Promise<T>,
): Promise<RecordingPage['rows']> {
  for (;;) {
    const { rows, index } = await get<RecordingPage>('recordings');
    if (index.state === 'ready' || index.state === 'failed') return rows;
    await page.waitForTimeout(50);
  }
}

/** Calls a function of reviewProbe.js. */
export function probe<T>(page: Page, name: string, argument: object = {}): Promise<T> {
  return page.evaluate(`reviewProbe.${name}(${JSON.stringify(argument)})`);
}

/** The block code that the <video> shows within a part of the picture; null: none can be read. */
export async function shownCode(page: Page, part: Rect): Promise<Timecode | null> {
  return decodeStrip(await probe<string>(page, 'strip', stripAt(part)));
}

export function stripAt({ x, y }: Rect): Rect {
  return { x, y, width: STRIP.x + STRIP.width, height: STRIP.y + STRIP.height };
}

export function decodeStrip(base64: string): Timecode | null {
  const { x: _, y: __, width, height } = stripAt({ x: 0, y: 0, width: 0, height: 0 });
  return decodeTimecode({ data: Buffer.from(base64, 'base64'), width, height }, 1);
}

export interface SeekFigures {
  readonly count: number;
  /** Shown frames that are not those of the moment clicked. 0 is the promise. */
  readonly wrongFrames: number;
  /** Of the frames shown, in ms: how far the code's time is from the frame's. */
  readonly clockMs: Spread;
  /** From the press of the pointer to the frame on the screen. */
  readonly shownAfterMs: Spread;
  /** For messages: what was wrong. */
  readonly problems: readonly string[];
}

export interface Spread {
  readonly mean: number;
  readonly p95: number;
  readonly max: number;
}

/**
 * Clicks all over the timeline of a recording with block codes.
 * @param link of the review server: it signs in
 */
export async function measureSeeks(link: string, clicks = 100): Promise<SeekFigures> {
  const browser = await startBrowser();
  try {
    const player = await openPlayer(await browser.context.newPage(), link);
    return await clickEverywhere(player, clicks);
  } finally {
    await browser.stop();
  }
}

/** As measureSeeks, with a player that is open. */
export async function clickEverywhere(player: OpenPlayer, clicks: number): Promise<SeekFigures> {
  const { page, detail } = player;
  const box = (await page.locator('.player-track').boundingBox())!;
  const inner = box.width - 2;
  const times: number[] = [];
  const clocks: number[] = [];
  const problems: string[] = [];
  for (let index = 0; index < clicks; index += 1) {
    // The golden ratio visits everything, in no order that a cache could like.
    const share = (0.5 + index * 0.618_033_988_75) % 1;
    const x = box.x + 1 + Math.round(share * inner);
    await probe(page, 'watchSeek');
    await page.mouse.click(x, box.y + box.height / 2);
    times.push(await probe<number>(page, 'shownAfter'));
    const atMs = ((x - box.x - 1) / inner) * detail.manifest.durationMs;
    const { problem, clockMs } = await checkFrame(player, atMs);
    if (problem !== null) problems.push(problem);
    if (clockMs !== null) clocks.push(clockMs);
  }
  return {
    ...{ count: clicks, wrongFrames: problems.length, problems },
    ...{ clockMs: spread(clocks), shownAfterMs: spread(times) },
  };
}

/** One line for a program's output. */
export function seekLine({ count, wrongFrames, shownAfterMs, clockMs }: SeekFigures): string {
  return `  ${count} clicks, ${wrongFrames} wrong frames; shown after ${spreadText(shownAfterMs)}; code against clock ${spreadText(clockMs)}`;
}

export function spreadText({ mean, p95, max }: Spread): string {
  return `mean ${mean.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, max ${max.toFixed(0)} ms`;
}

/** Whether the frame of a moment is shown: the one that ffmpeg finds there. A slate has no code. */
export async function checkFrame(
  { page, detail, activity, frames }: OpenPlayer,
  atMs: number,
): Promise<{ problem: string | null; clockMs: number | null }> {
  await probe(page, 'settled');
  const { manifest } = detail;
  const index = frameAt(activity.timesMs, atMs);
  const { fromMs, toMs } = frameSpan(activity.timesMs, index, manifest.durationMs);
  const at = `at ${atMs.toFixed(0)} ms (frame ${index}, ${fromMs.toFixed(0)} to ${toMs.toFixed(0)} ms)`;
  const first = firstCode(frames[index]);
  const part = monitorOf(manifest, frames[index])?.picture ?? { x: 0, y: 0, width: 0, height: 0 };
  const code = await shownCode(page, part);
  const startMs = Date.parse(manifest.startTime);
  const shown = code === null ? 'no code' : `the screen of ${code.timeMs - startMs} ms`;
  if (code?.timeMs !== first?.timeMs) return { problem: `${at}: ${shown} is shown`, clockMs: null };
  // While the desk stands still the code is as old as its last change: then it says nothing about the clock.
  const isFresh = code !== null && code.timeMs !== firstCode(frames[index - 1])?.timeMs;
  return { problem: null, clockMs: isFresh ? Math.abs(startMs + fromMs - code.timeMs) : null };
}

function firstCode(frame: RecordingFrame | undefined): Timecode | null {
  return frame === undefined ? null : ([...frame.codes.values()][0] ?? null);
}

function monitorOf({ runs }: Manifest, frame: RecordingFrame | undefined): PlacedMonitor | undefined {
  const piece = frame?.piece;
  if (piece?.kind !== 'run') return undefined;
  return runs.find(({ runId }) => runId === piece.runId)?.monitors[0];
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
  return { mean: sorted.reduce((a, b) => a + b, 0) / sorted.length, p95: at(0.95), max: at(1) };
}
