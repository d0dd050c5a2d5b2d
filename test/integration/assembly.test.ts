// Assembly in one go and in steps while the recording grows: the same pictures, the same table, and a head without what
// was reserved too much. Judged by ffmpeg.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AssemblySource } from '../../main/publisher/assemble.ts';
import { Assembly, TimelineChanged } from '../../main/publisher/assemble.ts';
import { maxTextBytes } from '../../main/media/textTracks.ts';
import { chaptersOf } from '../../main/publisher/chapters.ts';
import type { SpoolSession } from '../../main/spool/spool.ts';
import { Spool } from '../../main/spool/spool.ts';
import { timelineOf } from '../../main/spool/timeline.ts';
import { Dice } from '../soak/common.ts';
import { decodesCleanly, probe, topLevelBoxes } from '../rig/mp4.ts';
import {
  SIMULATED,
  SimulatedRun,
  makeBadge,
  makeMinute,
  makeSlate,
  startRecording,
  stopRecording,
} from '../rig/simulated.ts';
import { temporaryFolder } from '../unit/support/folders.ts';
import { openedSession, testKeys } from '../unit/support/keys.ts';

const START = 1_800_000_000_000;
const ID = 'rec-1';
const minute = await makeMinute(400, 20);
const slate = await makeSlate();

async function newSession(): Promise<SpoolSession> {
  const root = await temporaryFolder();
  const spool = new Spool({
    root,
    keys: testKeys(),
    newSessionId: randomUUID,
    onUnreadable: () => undefined,
  });
  return openedSession(spool);
}

function piecesUpTo(session: SpoolSession, endTime: number) {
  const recording = session.ledger.recordings.get(ID)!;
  const stopped = { type: 'contact.stopped', recordingId: ID, endTime, cause: 'stopped' } as const;
  return timelineOf(session.ledger, { ...recording, stopped });
}

class Collector {
  readonly media: Buffer[] = [];
  first: number | null = null;
  next = 0;

  source(session: SpoolSession, maxPackets: number): AssemblySource {
    return {
      startTime: START,
      maxPackets,
      maxTextBytes: maxTextBytes(255, 3_600_000),
      openRun: (runId) => session.openRun(runId),
      runStart: (runId) => session.ledger.runs.get(runId)!.live!.startTime,
      runFrames: (runId) => session.ledger.runs.get(runId)?.closed?.frames ?? Infinity,
      damaged: (_, __, why) => why,
      slate: () => Promise.resolve(slate),
      badge: (gaps) => makeBadge({ gaps, width: SIMULATED.width, height: SIMULATED.height }),
      chapters: (pieces) => chaptersOf(pieces, (gap) => ({ ...gap, by: 'page', text: null })),
      write: (position, data) => {
        this.first ??= position;
        expect(position).toBe(this.first + this.next);
        this.next += data.byteLength;
        this.media.push(Buffer.from(data));
        return Promise.resolve();
      },
    };
  }
}

async function whole(session: SpoolSession, endTime: number, maxPackets: number) {
  const collector = new Collector();
  const assembly = new Assembly(collector.source(session, maxPackets));
  const pieces = timelineOf(session.ledger, session.ledger.recordings.get(ID)!);
  const { moov, frames } = await assembly.finish(pieces, endTime);
  return { media: Buffer.concat(collector.media), moov, frames };
}

async function expectPlayable(mp4: Buffer, frames: number, durationMs: number): Promise<void> {
  const path = join(await temporaryFolder(), 'video.mp4');
  await writeFile(path, mp4);
  expect(await decodesCleanly(path)).toBe('');
  const { packets, durationMs: found } = await probe(path);
  expect(packets).toBe(frames);
  expect(Math.abs(found - durationMs)).toBeLessThan(2);
  expect((await topLevelBoxes(path)).slice(0, 2)).toEqual(['ftyp', 'moov']);
}

describe('an assembly in steps', () => {
  it('makes the same file as one in one go, whatever the steps', async () => {
    const dice = new Dice(4711);
    for (let round = 0; round < 4; round += 1) {
      const session = await newSession();
      await startRecording(session, ID, START);
      const collector = new Collector();
      const inSteps = new Assembly(collector.source(session, 50_000));
      let now = START;
      let until = START;
      for (const runId of ['a', 'b', 'c'] as const) {
        const run = await SimulatedRun.open(session, runId, now, minute);
        for (let step = 0; step < 4; step += 1) {
          await run.grow(Math.ceil(dice.between(1, 60)));
          until = Math.max(until, run.endTime - dice.between(0, 3000));
          await inSteps.advance(piecesUpTo(session, until));
        }
        await run.close();
        if (dice.next() < 0.5) await inSteps.advance(piecesUpTo(session, (until = run.endTime)));
        // No gap (shorter than a frame), a slate, a badge.
        now = run.endTime + { a: dice.next() < 0.5 ? 100 : 5000, b: 700, c: 5000 }[runId];
      }
      const endTime = now - 2500;
      await stopRecording(session, ID, endTime);
      const pieces = timelineOf(session.ledger, session.ledger.recordings.get(ID)!);
      const { moov, frames } = await inSteps.finish(pieces, endTime);
      const expected = await whole(session, endTime, frames + 10);
      expect(Buffer.concat(collector.media).equals(expected.media)).toBe(true);
      expect(frames).toBe(expected.frames);
      expect(Buffer.from(moov.compact()).equals(Buffer.from(expected.moov.compact()))).toBe(true);
      expect(moov.compact().byteLength).toBeLessThan(40_000);
      await expectPlayable(Buffer.concat([moov.compact(), ...collector.media]), frames, endTime - START);
      await expectPlayable(Buffer.concat([expected.moov.padded(), expected.media]), frames, endTime - START);
      await session.abandon();
    }
  });

  it('says so when what was taken in is not so any more', async () => {
    const session = await newSession();
    await startRecording(session, ID, START);
    const run = await SimulatedRun.open(session, 'a', START, minute);
    await run.grow(50);
    const assembly = new Assembly(new Collector().source(session, 1000));
    await assembly.advance(piecesUpTo(session, START + 8000));
    await run.close();
    await stopRecording(session, ID, START + 5000);
    const pieces = timelineOf(session.ledger, session.ledger.recordings.get(ID)!);
    await expect(assembly.finish(pieces, START + 5000)).rejects.toBeInstanceOf(TimelineChanged);
    await assembly.cancel();
    await session.abandon();
  });
});
