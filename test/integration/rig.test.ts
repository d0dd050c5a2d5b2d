// What the rig says of a picture must be what was on the screen, or every test that uses it proves nothing. The rig's other
// tests are in test/full.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import { decodeFrames, frameClockErrors, type DecodedFrame } from '../rig/frames.ts';
import { startPainter, type Painter, type Shown } from '../rig/painter.ts';
import { capture, CAPTURE_FPS, withCode, type Capture } from '../rig/plainCapture.ts';

const FRAME_MS = 1000 / CAPTURE_FPS;

let folder: string;
let display: Display;
let painter: Painter;
let recording: Capture;
let frames: DecodedFrame[];
const shown: Partial<Record<'phase' | 'on' | 'off', Shown>> = {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-rig-'));
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'timecode', monitor: 3, phase: 7 });
  recording = await capture(display.display, join(folder, 'timecode.mp4'), 3 * CAPTURE_FPS, {
    onFrame: async (frame) => {
      if (frame >= 20) shown.phase ??= await painter.setPhase(8);
      if (frame >= 35) shown.on ??= await painter.showSensitive(true);
      if (frame >= 55) shown.off ??= await painter.showSensitive(false);
    },
  });
  frames = await decodeFrames(recording.file);
});

afterAll(async () => {
  await painter.stop();
  await display.stop();
  await rm(folder, { recursive: true, force: true });
});

it('has a code on every frame, and time runs forward', () => {
  expect(frames).toHaveLength(3 * CAPTURE_FPS);
  expect(withCode(frames)).toHaveLength(frames.length);
  for (const [i, { ptsMs, code }] of withCode(frames).entries()) {
    expect(code.monitor).toBe(3);
    if (i === 0) continue;
    expect(ptsMs).toBeGreaterThan(frames[i - 1]!.ptsMs);
    expect(code.timeMs).toBeGreaterThanOrEqual(frames[i - 1]!.code!.timeMs);
  }
});

it('agrees with the clock: no picture is older than the longest the painter left it standing', async () => {
  const errors = frameClockErrors(frames, recording.startTimeMs);
  const { longestGapMs } = await painter.stats();
  console.log('rig clock', errors, { longestGapMs });
  expect(errors.count).toBe(frames.length);
  expect(errors.maxMs).toBeLessThanOrEqual(longestGapMs + FRAME_MS);
  const [first, last] = [frames[0]!, frames.at(-1)!];
  const drift = last.ptsMs - first.ptsMs - (last.code!.timeMs - first.code!.timeMs);
  expect(Math.abs(drift)).toBeLessThanOrEqual(longestGapMs + FRAME_MS);
});

it('dates a phase and the sensitive pattern to the frame', () => {
  const [phase, on, off] = [shown.phase!, shown.on!, shown.off!];
  let sensitiveFrames = 0;
  for (const { code, sensitiveShare } of withCode(frames)) {
    expect(code.phase).toBe(code.timeMs >= phase.paintedAtMs ? 8 : 7);
    const sensitive = code.timeMs >= on.paintedAtMs && code.timeMs < off.paintedAtMs;
    expect(code.sensitive).toBe(sensitive);
    if (sensitive) {
      sensitiveFrames++;
      expect(sensitiveShare).toBeGreaterThan(0.8);
    } else {
      expect(sensitiveShare).toBe(0);
    }
  }
  expect(sensitiveFrames).toBeGreaterThan(5);
  expect(sensitiveFrames).toBeLessThan(40);
});
