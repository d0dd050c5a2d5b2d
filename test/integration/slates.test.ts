// Gaps as a viewer sees them, read back from the MP4 of a real recording: from a second on a slate that says since when and
// why, before that the last frame with a badge.
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadMasks } from '../../main/capture/masks.ts';
import type { Masks } from '../../main/capture/masks.ts';
import { slateImage } from '../../main/capture/slateImage.ts';
import { findResourcesFolder } from '../../main/platform/paths.ts';
import type { Manifest } from '../../main/shared/manifest.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { decodeFrames } from '../rig/frames.ts';
import type { DecodedFrame } from '../rig/frames.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import { decodeRaw, painted, psnr } from '../rig/rawFrames.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import { makeBadge } from '../rig/simulated.ts';

const size = { width: 1280, height: 720 };
const contactId = 'slates';
const REASON = 'card number\n<b>и</b> 漢';

let display: Display;
let painter: Painter;
let recorder: Recorder;
let page: Page;
let manifest: Manifest;
let frames: DecodedFrame[];
let raw: Buffer[];
let masks: Masks;

beforeAll(async () => {
  masks = await loadMasks(join(findResourcesFolder(), 'slates'));
  display = await startDisplay(size);
  painter = await startPainter({ display: display.display, scene: 'timecode', phase: 1 });
  recorder = await startRecorder({ display: display.display });
  page = await recorder.connect();
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  // What capture drops before a suspend and needs to start again makes gaps longer than their suspensions.
  for (const ms of [0, 0, 500, 3000]) await suspendFor(ms);
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
  const [published] = await recorder.published();
  if (published === undefined) throw new Error('nothing was published');
  ({ manifest } = published);
  frames = await decodeFrames(published.mp4);
  raw = await decodeRaw(published.mp4, size);
  // For a look at it: SIGHTLINE_KEEP=/a/folder
  const keep = process.env.SIGHTLINE_KEEP;
  if (keep !== undefined) {
    await mkdir(keep, { recursive: true });
    await copyFile(published.mp4, join(keep, 'slates.mp4'));
  }
});

async function suspendFor(ms: number): Promise<void> {
  await sleep(1500);
  await page.ask('contact.suspend', { contactId, reason: REASON });
  await painter.setPhase(2);
  await painter.showSensitive(true);
  await sleep(ms);
  await painter.showSensitive(false);
  await painter.setPhase(1);
  await page.ask('contact.resume', { contactId });
}

afterAll(async () => {
  await recorder.stop();
  await painter.stop();
  await display.stop();
});

/** The gaps with the index of the frame that begins with each. */
function gaps(isShort: boolean) {
  return manifest.gaps
    .filter(({ durationMs }) => durationMs < 1000 === isShort)
    .map((gap) => ({ gap, index: frames.findIndex(({ ptsMs }) => Math.abs(ptsMs - gap.offsetMs) < 1) }));
}

const spanOf = ({ startTime, endTime }: Manifest['gaps'][number]) => ({
  from: Date.parse(startTime),
  to: Date.parse(endTime),
});

describe('a gap', () => {
  it('of each length was recorded, and nothing of what was on the screen in it', () => {
    console.log(`gaps: ${manifest.gaps.map(({ durationMs }) => `${durationMs} ms`).join(', ')}`);
    expect(manifest.gaps).toHaveLength(4);
    expect(gaps(true).length).toBeGreaterThan(0);
    expect(gaps(false).length).toBeGreaterThan(0);
    expect(raw).toHaveLength(frames.length);
    expect(new Set(frames.flatMap(({ code }) => (code === null ? [] : [code.phase])))).toEqual(new Set([1]));
    expect(Math.max(...frames.map(({ sensitiveShare }) => sensitiveShare))).toBe(0);
  });

  it('from a second on is a slate with reason, text, time and length', () => {
    for (const { gap, index } of gaps(false)) {
      const facts = { ...gap, ...spanOf(gap), text: 'card number <b>и</b> ?' };
      expect(frames[index]?.code).toBeNull();
      expect(psnr(raw[index]!, slateImage(masks, size, facts).data)).toBeGreaterThan(38);
      expect(frames[index + 1]?.ptsMs).toBeCloseTo(gap.offsetMs + gap.durationMs, -1);
    }
  });

  it('under a second is the last frame before it, to the last sample, with a badge', async () => {
    for (const { gap, index } of gaps(true)) {
      const { image, x, y } = await makeBadge({ ...size, gaps: [{ ...gap, ...spanOf(gap) }] });
      expect(frames[index]?.code).toEqual(frames[index - 1]?.code);
      expect(raw[index]!.equals(painted(raw[index - 1]!, size, image, x, y))).toBe(true);
      expect(raw[index]!.equals(raw[index - 1]!)).toBe(false);
      expect(frames[index + 1]?.ptsMs).toBeCloseTo(gap.offsetMs + gap.durationMs, -1);
    }
  });
});
