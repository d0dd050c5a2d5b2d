// The main job, end to end: a contact is recorded from a real display by the real program, and the MP4 is judged by
// what can be read back from its pixels.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalJson } from '../../main/shared/canonicalJson.ts';
import type { Manifest } from '../../main/shared/manifest.ts';
import type { StatusEvent } from '../../main/shared/statusEvent.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import type { DecodedFrame } from '../rig/frames.ts';
import { decodeFrames, frameClockErrors } from '../rig/frames.ts';
import { lateCodesOf, type LateCodes } from '../rig/lateCodes.ts';
import { decodesCleanly, probe, topLevelBoxes } from '../rig/mp4.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import { FFMPEG_HINT, findTool, runOrThrow } from '../rig/process.ts';
import { host } from '../rig/program.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

const FRAME_MS = 200;
const contactId = 'a1b2c3d4-0001-4000-8000-000000000001';
const phases = {
  first: 1,
  duringFirstSuspension: 2,
  second: 3,
  duringSecondSuspension: 4,
  third: 5,
} as const;

let display: Display;
let painter: Painter;
let late: LateCodes;
let recorder: Recorder;
let page: Page;
let startTime: number;
let endTime: number;
let suspensions: { at: number; resumed: number }[] = [];
let mp4: string;
let manifest: Manifest;
let manifestFile: Buffer;
let frames: DecodedFrame[];
let events: StatusEvent[];

beforeAll(async () => {
  display = await startDisplay({ width: 1280, height: 720 });
  painter = await startPainter({ display: display.display, scene: 'timecode', phase: phases.first });
  recorder = await startRecorder({ display: display.display });
  page = await recorder.connect();

  const started = await page.ask<{ startTime: string }>('contact.start', {
    contactId,
    channel: 'VOICE',
    queue: 'Sales',
    attributes: { customer: '4711' },
  });
  startTime = Date.parse(started.startTime);
  await sleep(2500);
  suspensions = [
    await suspendFor(1700, phases.duringFirstSuspension, phases.second),
    await suspendFor(1100, phases.duringSecondSuspension, phases.third),
  ];
  const stopped = await page.ask<{ endTime: string }>('contact.stop', { contactId });
  endTime = Date.parse(stopped.endTime);
  await page.event(contactId, 'PUBLISHED');

  const [published] = await recorder.published();
  if (published === undefined) throw new Error('nothing was published');
  ({ mp4, manifest } = published);
  manifestFile = await readFile(published.manifestPath);
  frames = await decodeFrames(mp4);
  late = await lateCodesOf([painter]);
  events = await recorder.events();
});

async function suspendFor(
  ms: number,
  during: number,
  after: number,
): Promise<{ at: number; resumed: number }> {
  const suspended = await page.ask<{ suspendedAt: string }>('contact.suspend', {
    contactId,
    reason: 'payment',
  });
  await painter.setPhase(during);
  await painter.showSensitive(true);
  await sleep(ms);
  await painter.showSensitive(false);
  await painter.setPhase(after);
  const resumed = await page.ask<{ resumedAt: string }>('contact.resume', { contactId });
  await sleep(2300);
  return { at: Date.parse(suspended.suspendedAt), resumed: Date.parse(resumed.resumedAt) };
}

afterAll(async () => {
  await recorder.stop();
  await painter.stop();
  await display.stop();
});

describe('the MP4', () => {
  it('is as long as the contact, to within one frame', async () => {
    const { durationMs } = await probe(mp4);
    expect(Math.abs(durationMs - (endTime - startTime))).toBeLessThanOrEqual(FRAME_MS);
    expect(manifest.durationMs).toBe(endTime - startTime);
  });

  it('decodes to its end without an error', async () => {
    expect(await decodesCleanly(mp4)).toBe('');
  });

  it('has chapters for its runs and gaps, which begin where they do', async () => {
    const { stdout } = await runOrThrow(findTool(['ffprobe'], FFMPEG_HINT), [
      ...['-v', 'error', '-show_chapters', '-of', 'json', mp4],
    ]);
    const { chapters } = JSON.parse(String(stdout)) as {
      chapters: { start_time: string; tags: { title: string } }[];
    };
    const pieces = [...manifest.runs, ...manifest.gaps].sort((one, other) => one.offsetMs - other.offsetMs);
    expect(chapters.map(({ start_time }) => Math.round(Number(start_time) * 1000))).toEqual(
      pieces.map(({ offsetMs }) => offsetMs),
    );
    const texts = chapters.map(({ tags }) => tags.title.replace(/^.*UTC /, '').replace(/[\d.]+ s/, '? s'));
    const suspended = 'Recording suspended, ? s. Suspended by the page: payment';
    expect(texts).toEqual(['Recorded', suspended, 'Recorded', suspended, 'Recorded']);
  });

  it('has one H.264 track, the moov box first, and HD colours', async () => {
    const boxes = await topLevelBoxes(mp4);
    expect(boxes.indexOf('moov')).toBeLessThan(boxes.indexOf('mdat'));
    expect(await probe(mp4)).toMatchObject({
      codec: 'h264',
      width: 1280,
      height: 720,
      pixFmt: 'yuv420p',
      colorRange: 'tv',
      colorSpace: 'bt709',
      colorPrimaries: 'bt709',
      colorTransfer: 'bt709',
      startTimeMs: 0,
    });
  });

  it('shows at time t what was on the screen at startTime + t', () => {
    const errors = frameClockErrors(frames, startTime, manifest.gaps, late);
    console.log(
      `clock: ${errors.count} frames, max ${errors.maxMs.toFixed(1)} ms, p99 ${errors.p99Ms.toFixed(1)} ms`,
    );
    expect(errors.count).toBeGreaterThan(30);
    expect(errors.maxMs).toBeLessThanOrEqual(FRAME_MS);
  });

  it('shows every part of the contact and nothing of the suspensions', () => {
    const seen = new Set(frames.flatMap((frame) => (frame.code === null ? [] : [frame.code.phase])));
    expect([...seen].sort()).toEqual([phases.first, phases.second, phases.third]);
    expect(frames.every((frame) => frame.code?.sensitive !== true)).toBe(true);
    expect(Math.max(...frames.map((frame) => frame.sensitiveShare))).toBe(0);
  });

  it('shows one slate for each suspension, for as long as it lasted', () => {
    const slates = frames.flatMap((frame, index) =>
      frame.code === null ? [{ frame, next: frames[index + 1] }] : [],
    );
    expect(slates).toHaveLength(2);
    slates.forEach(({ frame, next }, index) => {
      const { at, resumed } = suspensions[index]!;
      // The slate may come a little early (what ffmpeg had not delivered yet is dropped), never late.
      expect(frame.ptsMs).toBeLessThanOrEqual(at - startTime + 1);
      expect(frame.ptsMs).toBeGreaterThan(at - startTime - 2 * FRAME_MS);
      expect(next?.ptsMs).toBeCloseTo(resumed - startTime, -1);
    });
  });

  it('has no frame from before the start or after the end', () => {
    for (const { code } of frames) {
      if (code === null) continue;
      expect(code.timeMs).toBeGreaterThan(startTime - FRAME_MS);
      expect(code.timeMs).toBeLessThanOrEqual(endTime);
    }
  });
});

describe('what lies beside it', () => {
  it('the manifest says what is in the file', async () => {
    const bytes = await readFile(mp4);
    expect(manifest.video).toMatchObject({
      file: mp4.split('/').at(-1),
      sizeBytes: (await stat(mp4)).size,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      width: 1280,
      height: 720,
      fps: 5,
      encoder: 'libopenh264',
      frames: frames.length,
    });
    expect(manifest.contact).toEqual({
      contactId,
      channel: 'VOICE',
      queue: 'Sales',
      attributes: { customer: '4711' },
    });
    expect(manifest.agent.username).toBe('alice');
    expect(manifest.instance.alias).toBe('acme');
    expect(manifest.runs).toHaveLength(3);
    expect(manifest.runs[0]?.monitors).toEqual([
      {
        ...{ name: host.platform === 'win32' ? 'DISPLAY1' : 'screen' },
        ...{ x: 0, y: 0, width: 1280, height: 720, primary: true },
        picture: { x: 0, y: 0, width: 1280, height: 720 },
      },
    ]);
    expect(manifest.gaps.map((gap) => gap.reason)).toEqual(['suspended', 'suspended']);
    expect(manifest.suspensions.map((one) => Date.parse(one.suspendedAt))).toEqual(
      suspensions.map((one) => one.at),
    );
    expect(manifest.suspensions.every((one) => one.reason === 'payment')).toBe(true);
    expect(manifest.endCause).toBe('stopped');
  });

  it('has a digest of its own content, which a changed manifest does not match', () => {
    const { contentSha256, ...content } = JSON.parse(String(manifestFile)) as Manifest;
    const digestOf = (value: unknown) => createHash('sha256').update(canonicalJson(value)).digest('hex');
    expect(contentSha256).toBe(digestOf(content));
    expect(contentSha256).not.toBe(digestOf({ ...content, gaps: content.gaps.slice(1) }));
  });

  it('lies where AWS would have put it', () => {
    const [year, month, day] = manifest.startTime.slice(0, 10).split('-');
    const compact = `${manifest.startTime.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
    expect(mp4).toBe(
      `${recorder.sinkFolder}/connect/acme/ScreenRecordings/${year!}/${month!}/${day!}/${contactId}_${compact}.mp4`,
    );
  });

  it('the status events tell the story in order, in AWS shape, to the file and to the page alike', () => {
    expect(events.map((event) => event.detail.recordingStatus)).toEqual([
      'INITIATED',
      'COMPLETED',
      'PUBLISHED',
    ]);
    const pushed = page.pushes.flatMap((push) => (push.type === 'recording.status' ? [push.event] : []));
    expect(pushed).toEqual(events);
    const published = events[2]!.detail;
    expect(published).toMatchObject({
      recordingInfo: {
        startTime: manifest.startTime,
        endTime: manifest.endTime,
        durationInMillis: manifest.durationMs,
        sizeInBytes: manifest.video.sizeBytes,
        manifestSha256: createHash('sha256').update(manifestFile).digest('hex'),
        location: host.url(mp4),
      },
      clientInfo: {
        appVersion: manifest.app.version,
        browser: 'the test rig',
        monitors: 1,
        encoder: 'libopenh264',
      },
    });
    expect(events[0]).toMatchObject({ account: '123456789012', region: 'eu-central-1' });
  });

  it('the pushes rise by one and follow the capture', () => {
    const revisions = page.pushes.map((push) => push.rev);
    expect(revisions).toEqual(revisions.map((_, index) => revisions[0]! + index));
    const states = page.pushes.flatMap((push) => (push.type === 'app.state' ? [push.state] : []));
    const changes = states.filter((state, index) => state !== states[index - 1]);
    expect(changes).toEqual([
      ...['idle', 'starting', 'recording', 'suspended', 'starting', 'recording'],
      ...['suspended', 'starting', 'recording', 'idle'],
    ]);
  });

  it('nothing of the contact is left in the spool', async () => {
    const { readdir } = await import('node:fs/promises');
    expect(await readdir(`${recorder.dataDir}/spool`)).toEqual([]);
  });
});
