// What a crash leaves and the next process continues.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import {
  agentSuspendedSince,
  canvasOf,
  endedSuspended,
  lastMoment,
  openContacts,
  canContinue,
} from '../../../main/spool/recoveredContacts.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { temporaryFolder } from '../support/folders.ts';
import type { TestVideo } from '../support/fragmentedMp4.ts';
import { makeTestVideo } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { testKeys, writeJournal, writeRun } from '../support/keys.ts';
import { recovered } from '../support/spool.ts';

const NOW = 60_000;
const keys = testKeys();
let video: TestVideo;
beforeAll(async () => {
  video = await makeTestVideo();
});

/** A spool in which crashed processes left these folders, each with a run "a" of real video. */
async function spoolWith(
  folders: Readonly<Record<string, readonly JournalEntry[]>>,
  canContinue = true,
): Promise<Spool> {
  const root = join(await temporaryFolder(), 'spool');
  for (const [id, entries] of Object.entries(folders)) {
    await mkdir(join(root, id), { recursive: true });
    const dataKey = await writeJournal(join(root, id, 'journal.ndjson'), entries, keys);
    await writeRun(join(root, id, 'a.run'), video.bytes, dataKey);
  }
  return new Spool({
    root,
    keys,
    newSessionId: () => 'new',
    onUnreadable: (_, error) => {
      throw error;
    },
    canContinue: () => canContinue,
  });
}

const open = [...recording('one', 5000, null), ...run('a', 5000, null)];

describe('recordings that were open when the process died', () => {
  it('continue in the newest folder, with their runs closed and their pauses over', async () => {
    const paused: JournalEntry = { type: 'capture.paused', at: 6000, reason: 'locked' };
    const spool = await spoolWith({ '1-old': open, '2-new': [...open, paused] });
    const { unpublished, continued } = await recovered(spool, NOW);
    expect(unpublished.map(({ id }) => id)).toEqual(['1-old', '2-new']);
    expect(continued?.id).toBe('2-new');
    expect(continued?.ledger.pauses).toEqual([
      { reason: 'locked', from: 6000, to: NOW, by: null, endedBy: null },
    ]);
    expect(continued?.ledger.runs.get('a')?.closed?.gapReason).toBe('app-restarted');
    expect(continued?.ledger.recordings.get('one')?.stopped).toBeNull();
    expect(unpublished[0]?.ledger.recordings.get('one')?.stopped?.cause).toBe('app-died');
    const leftAt = 5000 + (video.frames / video.fps) * 1000;
    expect(openContacts(continued!)).toMatchObject([
      { recordingId: 'one', startTime: 5000, suspendedAt: null, leftAt },
    ]);
    expect(canvasOf(continued!)).toEqual({ width: 1920, height: 1080 });
  });

  it("keep the agent's own suspension, open or ended, which is a suspension on the timeline", async () => {
    const held: JournalEntry = { type: 'capture.paused', at: 6000, reason: 'agent' };
    const { continued } = await recovered(await spoolWith({ left: [...open, held] }), NOW);
    expect(continued?.ledger.pauses).toEqual([
      { reason: 'agent', from: 6000, to: null, by: null, endedBy: null },
    ]);
    expect(agentSuspendedSince(continued!)).toBe(6000);
    const { unpublished } = await recovered(await spoolWith({ left: [...open, held] }, false), NOW);
    expect(endedSuspended(unpublished[0]!)).toMatchObject([{ suspended: false, suspendedByAgent: true }]);
  });

  it('are suspended if they were, with the time since when', async () => {
    const spool = await spoolWith({
      left: [...open, entry.suspended('one', 5500), entry.resumed('one', 5600), entry.suspended('one', 6500)],
    });
    const { continued } = await recovered(spool, NOW);
    expect(openContacts(continued!)).toMatchObject([{ suspendedAt: 6500 }]);
  });

  it('end there when they may not continue; those that ended suspended are remembered as such', async () => {
    const spool = await spoolWith({ left: [...open, entry.suspended('one', 6500)] }, false);
    const { unpublished, continued } = await recovered(spool, NOW);
    expect(continued).toBeNull();
    const [session] = unpublished;
    expect(session?.ledger.recordings.get('one')?.stopped?.cause).toBe('app-died');
    expect(endedSuspended(session!)).toMatchObject([{ recordingId: 'one' }]);
    // Once more, as the start after the next sees it.
    expect(openContacts(session!)).toEqual([]);
  });

  it('may do so within the grace period, as the same kind of video, and not before they were left', async () => {
    const { continued } = await recovered(await spoolWith({ left: open }), NOW);
    const leftAt = 5000 + (video.frames / video.fps) * 1000;
    const as = { now: leftAt + 60_000, graceMs: 60_000, fps: 5, encoder: 'libopenh264' as const };
    expect(canContinue(continued!, as)).toBe(true);
    expect(canContinue(continued!, { ...as, now: as.now + 1 })).toBe(false);
    // The system's clock was set back meanwhile, by no more than a page may be away, and by more.
    expect(canContinue(continued!, { ...as, now: leftAt - 3000 })).toBe(true);
    expect(canContinue(continued!, { ...as, now: leftAt - 60_001 })).toBe(false);
    expect(lastMoment(continued!)).toBe(leftAt);
    expect(canContinue(continued!, { ...as, fps: 10 })).toBe(false);
    expect(canContinue(continued!, { ...as, encoder: 'libx264' })).toBe(false);
    expect(canContinue(continued!, { ...as, encoder: undefined })).toBe(false);
  });

  it('that a page stopped are not among those', async () => {
    const spool = await spoolWith({
      left: [...open, entry.suspended('one', 6500), entry.stopped('one', 7000)],
    });
    const { unpublished } = await recovered(spool, NOW);
    expect(endedSuspended(unpublished[0]!)).toEqual([]);
  });
});
