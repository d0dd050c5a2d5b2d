// How far the call's audio is from the video, in the page: the tones of reviewRecording.ts, as they are heard, against the block codes,
// as they are shown. Both are read outside of the player, so its own idea of the time does not matter.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startBrowser } from './browser.ts';
import { PITCHES, TONE_MS, toneHz } from './reviewRecording.ts';
import {
  decodeStrip,
  openPlayer,
  probe,
  spread,
  spreadText,
  stripAt,
  type OpenPlayer,
  type Spread,
} from './reviewPlayer.ts';

/** A tone that was heard: when (performance.now), and its pitch. */
interface Heard {
  readonly atMs: number;
  readonly hz: number;
  readonly rate: number;
}

/** A frame that was shown: when, what it is in the video, and its block code as pixels. */
interface Shown {
  readonly atMs: number;
  readonly mediaMs: number;
  readonly rate: number;
  readonly strip: string;
}

export interface SyncFigures {
  /** Of |offset|, in ms of listening. */
  readonly offsetMs: Spread;
  readonly tones: number;
  /** Tones that no shown frame could be compared with: in slates, still parts, and at once after a seek. */
  readonly unmatched: number;
  /** The mean with its sign: positive, if the audio is late. */
  readonly bias: number;
  readonly byRate: Readonly<Record<string, { readonly tones: number; readonly offsetMs: Spread }>>;
}

/**
 * Plays a recording with tones and block codes at several speeds, with seeks, a skip and pauses. Takes about 45 s.
 * @param link of the review server: it signs in
 */
export async function measureSync(link: string): Promise<SyncFigures> {
  // Chromium begins to play sound only after a click on the page; there is one.
  const browser = await startBrowser();
  try {
    const player = await openPlayer(await browser.context.newPage(), link);
    await beginListening(player);
    const { page } = player;
    await page.keyboard.press('k');
    // From the start over the skipped suspension to the end.
    await sleep(17_500);
    for (const rate of ['2', '4', '0.5', '1.5']) {
      await page.selectOption('.player-speed', rate);
      await seekTo(page, 0);
      await playUnlessPlaying(page);
      await sleep(4000);
    }
    await page.selectOption('.player-speed', '1');
    for (const share of [0.1, 0.75, 0.02]) {
      await seekTo(page, share);
      await playUnlessPlaying(page);
      await sleep(2300);
      await page.keyboard.press('k');
      await sleep(300);
      await page.keyboard.press('k');
      await sleep(1500);
    }
    return await endListening(player);
  } finally {
    await browser.stop();
  }
}

export async function seekTo(page: Page, share: number): Promise<void> {
  const box = (await page.locator('.player-track').boundingBox())!;
  await page.mouse.click(box.x + 1 + share * (box.width - 2), box.y + box.height / 2);
}

export async function playUnlessPlaying(page: Page): Promise<void> {
  if (await page.evaluate('document.querySelector("video").paused')) await page.keyboard.press('k');
}

interface Listening {
  heard: Heard[];
  shown: Shown[];
  /** When the video was sought, or began or ended to play: frames from before say nothing about tones after. */
  breaks: number[];
}

export async function beginListening({ page, detail }: OpenPlayer): Promise<void> {
  const part = detail.manifest.runs[0]!.monitors[0]!.picture;
  await probe(page, 'listen', { part: stripAt(part), toneMs: TONE_MS });
}

export async function endListening({ page, detail }: OpenPlayer): Promise<SyncFigures> {
  const { heard, shown, breaks } = await probe<Listening>(page, 'heard');
  const startMs = Date.parse(detail.manifest.startTime);
  // Only codes of a desk that moves tell the time. The first frame after a rest is left out: Chromium shows it up to 130 ms early.
  const frames = shown.flatMap(({ atMs, mediaMs, rate, strip }, index) => {
    const code = decodeStrip(strip);
    if (mediaMs - (shown[index - 1]?.mediaMs ?? -Infinity) > 250 * Math.max(1, rate)) return [];
    if (code === null || Math.abs(startMs + mediaMs - code.timeMs) > 100) return [];
    return [{ atMs, rate, wallMs: code.timeMs }];
  });
  const offsets = heard.flatMap(({ atMs, hz, rate }) => {
    const frame = frames.findLast((one) => one.atMs <= atMs);
    if (frame === undefined || frame.rate !== rate || (atMs - frame.atMs) * rate > 450) return [];
    if (breaks.some((breakMs) => breakMs > frame.atMs && breakMs < atMs)) return [];
    const wallMs = frame.wallMs + (atMs - frame.atMs) * rate;
    const pitch = Math.round((hz - toneHz(0)) / (toneHz(1) - toneHz(0)));
    // Torn by a seek or a pause: neither pitch nor beginning are those of the tone.
    if (rate <= 2 && Math.abs(hz - toneHz(pitch)) > 60) return [];
    // Of the seconds around that have this pitch, the closest: with eight pitches up to four seconds would be noticed. Above double
    // speed a tone is too short for its pitch.
    const second =
      rate > 2 ? Math.round(wallMs / 1000) : Math.round((wallMs / 1000 - pitch) / PITCHES) * PITCHES + pitch;
    return [{ rate, offsetMs: (wallMs - second * 1000) / rate }];
  });
  const rates = [...new Set(offsets.map(({ rate }) => rate))];
  const figuresOf = (some: typeof offsets): Spread => spread(some.map(({ offsetMs }) => Math.abs(offsetMs)));
  return {
    offsetMs: figuresOf(offsets),
    ...{ tones: offsets.length, unmatched: heard.length - offsets.length },
    bias: offsets.reduce((sum, { offsetMs }) => sum + offsetMs, 0) / offsets.length,
    byRate: Object.fromEntries(
      rates.map((rate) => {
        const some = offsets.filter((one) => one.rate === rate);
        return [String(rate), { tones: some.length, offsetMs: figuresOf(some) }];
      }),
    ),
  };
}

/** Some lines for a program's output. */
export function syncLine({ offsetMs, tones, unmatched, bias, byRate }: SyncFigures): string {
  const rates = Object.entries(byRate).map(
    ([rate, figures]) => `    ${rate}x: ${figures.tones} tones, ${spreadText(figures.offsetMs)}`,
  );
  return [
    `  audio against video: ${spreadText(offsetMs)} of ${tones} tones (${unmatched} without a frame to compare), bias ${bias.toFixed(0)} ms`,
    ...rates,
  ].join('\n');
}
