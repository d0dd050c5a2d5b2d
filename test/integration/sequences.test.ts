// Lists of things that contacts and pages do, up to five contacts at a time, in any order: drawn at random (the reducer's
// property test draws thousands; these few run against the real recorder), each recording judged by its pictures.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Manifest } from '../../main/shared/manifest.ts';
import type { Desk } from '../rig/desk.ts';
import { oneMonitor, startDesk } from '../rig/desk.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';
import type { RecordingFrame } from '../rig/recordingFrames.ts';
import { decodeRecording, recordingClock } from '../rig/recordingFrames.ts';
import { Dice } from '../soak/common.ts';

const FRAME_MS = 200;
const CONTACTS = 5;
const STEPS = 18;

type Step = readonly ['start' | 'stop' | 'suspend' | 'resume', number] | readonly ['page'];

let desk: Desk;
let recorder: Recorder;
let page: Page;
let lists = 0;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
  recorder = await startRecorder({ display: desk.display });
  page = await recorder.connect();
});
afterAll(async () => {
  await recorder.stop();
  await desk.stop();
});

/** Only what makes sense in its place: the senseless is for the reducer's own tests. */
function draw(dice: Dice): Step[] {
  const open = new Set<number>();
  const suspended = new Set<number>();
  const steps: Step[] = [];
  while (steps.length < STEPS) {
    const contact = Math.floor(dice.next() * CONTACTS);
    const chance = dice.next();
    if (chance < 0.08) steps.push(['page']);
    else if (!open.has(contact)) {
      steps.push(['start', contact]);
      open.add(contact);
    } else if (suspended.has(contact)) {
      steps.push([chance < 0.8 ? 'resume' : 'stop', contact]);
      suspended.delete(contact);
      if (chance >= 0.8) open.delete(contact);
    } else if (chance < 0.35) {
      steps.push(['suspend', contact]);
      suspended.add(contact);
    } else if (chance < 0.65) {
      steps.push(['stop', contact]);
      open.delete(contact);
    }
  }
  return [...steps, ...[...open].map((contact) => ['stop', contact] as const)];
}

interface Held {
  readonly from: number;
  to: number;
}

interface Played {
  /** Times in which no pixel may have been captured, by anyone's suspension. */
  readonly held: Held[];
  readonly recordings: Map<string, { startTime: string; endTime: string; askedAt: number }>;
}

async function play(steps: readonly Step[], dice: Dice): Promise<Played> {
  lists += 1;
  const prefix = `list${lists}`;
  const played: Played = { held: [], recordings: new Map() };
  const holding = new Map<number, Held>();
  const runningOn = new Map<number, string>();
  let count = 0;
  for (const step of steps) {
    await sleep(dice.between(50, 900));
    if (step[0] === 'page') {
      page.socket.terminate();
      await sleep(dice.between(20, 500));
      page = await recorder.connect();
      continue;
    }
    const [kind, contact] = step;
    if (kind === 'start') runningOn.set(contact, `${prefix}-${contact}-${(count += 1)}`);
    const contactId = runningOn.get(contact) ?? '';
    const askedAt = Date.now();
    switch (kind) {
      case 'start': {
        const { startTime } = await page.ask<{ startTime: string }>('contact.start', {
          contactId,
          channel: 'CHAT',
        });
        played.recordings.set(contactId, { startTime, endTime: '', askedAt });
        break;
      }
      case 'suspend': {
        const { suspendedAt } = await page.ask<{ suspendedAt: string }>('contact.suspend', { contactId });
        holding.set(contact, { from: Date.parse(suspendedAt), to: Infinity });
        played.held.push(holding.get(contact)!);
        break;
      }
      case 'resume':
      case 'stop': {
        const held = holding.get(contact);
        if (held !== undefined) held.to = askedAt;
        holding.delete(contact);
        const reply = await page.ask<{ endTime: string }>(`contact.${kind}`, { contactId });
        if (kind === 'stop') played.recordings.get(contactId)!.endTime = reply.endTime;
      }
    }
  }
  for (const contactId of played.recordings.keys()) {
    while (!(await publishedOf(contactId))) await sleep(50);
  }
  return played;
}

async function publishedOf(contactId: string) {
  return (await recorder.published()).find(({ manifest }) => manifest.contact.contactId === contactId);
}

async function judge({ held, recordings }: Played): Promise<string> {
  let maxError = 0;
  let maxHole = 0;
  let maxWait = 0;
  let frameCount = 0;
  for (const [contactId, { startTime, endTime, askedAt }] of recordings) {
    const { mp4, manifest } = (await publishedOf(contactId))!;
    expect([manifest.startTime, manifest.endTime], contactId).toEqual([startTime, endTime]);
    expect(manifest.durationMs).toBe(Date.parse(endTime) - Date.parse(startTime));
    expect(await decodesCleanly(mp4), contactId).toBe('');
    expect(Math.abs((await probe(mp4)).durationMs - manifest.durationMs), contactId).toBeLessThanOrEqual(
      FRAME_MS,
    );
    expect(
      manifest.gaps.every(({ reason }) => reason === 'suspended'),
      `${contactId}: ${JSON.stringify(manifest.gaps)}`,
    ).toBe(true);
    const frames = await decodeRecording(mp4, manifest);
    frameCount += frames.length;
    const clock = recordingClock(frames, manifest);
    if (clock.count > 0) maxError = Math.max(maxError, clock.maxMs);
    expect(clock.unread, contactId).toBe(0);
    judgeTimes(frames, manifest, held);
    maxHole = Math.max(maxHole, holeIn(frames));
    if (manifest.gaps[0]?.offsetMs !== 0) maxWait = Math.max(maxWait, Date.parse(startTime) - askedAt);
  }
  expect(maxError).toBeLessThanOrEqual(FRAME_MS);
  // A rotation costs no more than one frame.
  expect(maxHole).toBeLessThanOrEqual(2 * FRAME_MS);
  return `${recordings.size} recordings, ${frameCount} frames, clock max ${maxError.toFixed(0)} ms, longest hole ${maxHole.toFixed(0)} ms, start to first frame max ${maxWait} ms`;
}

function judgeTimes(frames: readonly RecordingFrame[], manifest: Manifest, held: readonly Held[]): void {
  for (const { codes, gapCodes } of frames) {
    for (const code of [...codes.values(), ...gapCodes]) {
      if (code === null) continue;
      // A code stands for up to 40 ms before it is grabbed.
      expect(code.timeMs).toBeGreaterThan(Date.parse(manifest.startTime) - 50);
      expect(code.timeMs).toBeLessThanOrEqual(Date.parse(manifest.endTime));
      for (const { from, to } of held) expect(code.timeMs > from && code.timeMs < to - 50).toBe(false);
    }
  }
}

/** The longest time between two frames of runs. */
function holeIn(frames: readonly RecordingFrame[]): number {
  return frames.slice(1).reduce((longest, frame, index) => {
    const before = frames[index]!;
    const isGap = before.piece.kind === 'gap' || frame.piece.kind === 'gap';
    return isGap ? longest : Math.max(longest, frame.ptsMs - before.ptsMs);
  }, 0);
}

it('five contacts that start and stop in every order while the others run', async () => {
  const steps: Step[] = [
    ...[0, 1, 2, 3, 4].map((contact) => ['start', contact] as const),
    ...([
      ['stop', 2],
      ['start', 2],
      ['stop', 0],
      ['stop', 4],
      ['start', 0],
      ['suspend', 1],
      ['resume', 1],
    ] as const),
    ...[1, 3, 0, 2].map((contact) => ['stop', contact] as const),
  ];
  console.log(await judge(await play(steps, new Dice(1))));
});

it.each([11, 12, 13, 14])('a list drawn with seed %i', async (seed) => {
  const dice = new Dice(seed);
  const steps = draw(dice);
  try {
    console.log(await judge(await play(steps, dice)));
  } catch (error) {
    throw new Error(`seed ${seed}: ${JSON.stringify(steps)}`, { cause: error });
  }
});
