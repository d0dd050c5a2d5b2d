// What a crash leaves and the next process goes on with.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import {
  agentHeldSince,
  canvasOf,
  endedSuspended,
  lastMoment,
  leftContacts,
  mayGoOn,
} from '../../../main/spool/leftovers.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { Stretch } from '../../../main/spool/stretch.ts';
import { temporaryFolder } from '../support/folders.ts';
import type { TestVideo } from '../support/fragmentedMp4.ts';
import { makeTestVideo } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { testKeys, writeJournal, writeRun } from '../support/keys.ts';

const NOW = 60_000;
const keys = testKeys();
let video: TestVideo;
beforeAll(async () => {
  video = await makeTestVideo();
});

/** A spool in which crashed processes left these folders, each with a run "a" of real video. */
async function spoolWith(
  folders: Readonly<Record<string, readonly JournalEntry[]>>,
  mayGoOn = true,
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
    mayGoOn: () => mayGoOn,
  });
}

const open = [...recording('one', 5000, null), ...run('a', 5000, null)];

describe('recordings that were open when the process died', () => {
  it('go on in the newest folder, their runs closed and their pauses over', async () => {
    const paused: JournalEntry = { type: 'capture.paused', at: 6000, reason: 'locked' };
    const spool = await spoolWith({ '1-old': open, '2-new': [...open, paused] });
    const { sessions, goingOn } = await spool.recover(NOW);
    expect(sessions.map(({ id }) => id)).toEqual(['1-old', '2-new']);
    expect(goingOn?.id).toBe('2-new');
    expect(goingOn?.ledger.pauses).toEqual([{ reason: 'locked', from: 6000, to: NOW }]);
    expect(goingOn?.ledger.runs.get('a')?.closed?.gapReason).toBe('app-restarted');
    expect(goingOn?.ledger.recordings.get('one')?.stopped).toBeNull();
    expect(sessions[0]?.ledger.recordings.get('one')?.stopped?.cause).toBe('app-died');
    const leftAt = 5000 + (video.frames / video.fps) * 1000;
    expect(leftContacts(goingOn!)).toMatchObject([
      { recordingId: 'one', startTime: 5000, suspendedAt: null, leftAt },
    ]);
    expect(canvasOf(goingOn!)).toEqual({ width: 1920, height: 1080 });
  });

  it("keep the agent's own suspension, open or ended, which is a suspension on the timeline", async () => {
    const held: JournalEntry = { type: 'capture.paused', at: 6000, reason: 'agent' };
    const { goingOn } = await (await spoolWith({ left: [...open, held] })).recover(NOW);
    expect(goingOn?.ledger.pauses).toEqual([{ reason: 'agent', from: 6000, to: null }]);
    expect(agentHeldSince(goingOn!)).toBe(6000);
    const { sessions } = await (await spoolWith({ left: [...open, held] }, false)).recover(NOW);
    expect(endedSuspended(sessions[0]!)).toMatchObject([{ suspended: false, heldByAgent: true }]);
  });

  it('are told suspended when they were, since when they are', async () => {
    const spool = await spoolWith({
      left: [...open, entry.suspended('one', 5500), entry.resumed('one', 5600), entry.suspended('one', 6500)],
    });
    const { goingOn } = await spool.recover(NOW);
    expect(leftContacts(goingOn!)).toMatchObject([{ suspendedAt: 6500 }]);
  });

  it('end there when they may not go on; those that ended suspended are remembered as such', async () => {
    const spool = await spoolWith({ left: [...open, entry.suspended('one', 6500)] }, false);
    const { sessions, goingOn } = await spool.recover(NOW);
    expect(goingOn).toBeNull();
    const [session] = sessions;
    expect(session?.ledger.recordings.get('one')?.stopped?.cause).toBe('app-died');
    expect(endedSuspended(session!)).toMatchObject([{ recordingId: 'one' }]);
    // Once more, as the start after the next sees it.
    expect(leftContacts(session!)).toEqual([]);
  });

  it('may do so within the grace period, as the same kind of video, and not before they were left', async () => {
    const { goingOn } = await (await spoolWith({ left: open })).recover(NOW);
    const leftAt = 5000 + (video.frames / video.fps) * 1000;
    const as = { now: leftAt + 60_000, graceMs: 60_000, fps: 5, encoder: 'libopenh264' as const };
    expect(mayGoOn(goingOn!, as)).toBe(true);
    expect(mayGoOn(goingOn!, { ...as, now: as.now + 1 })).toBe(false);
    // The system's clock was set back meanwhile, by no more than a page may be away, and by more.
    expect(mayGoOn(goingOn!, { ...as, now: leftAt - 3000 })).toBe(true);
    expect(mayGoOn(goingOn!, { ...as, now: leftAt - 60_001 })).toBe(false);
    expect(lastMoment(goingOn!)).toBe(leftAt);
    expect(mayGoOn(goingOn!, { ...as, fps: 10 })).toBe(false);
    expect(mayGoOn(goingOn!, { ...as, encoder: 'libx264' })).toBe(false);
    expect(mayGoOn(goingOn!, { ...as, encoder: undefined })).toBe(false);
  });

  it('that a page stopped are not among those', async () => {
    const spool = await spoolWith({
      left: [...open, entry.suspended('one', 6500), entry.stopped('one', 7000)],
    });
    const { sessions } = await spool.recover(NOW);
    expect(endedSuspended(sessions[0]!)).toEqual([]);
  });
});

describe('the stretch that is going on', () => {
  it('is opened by its first record, and knows which session holds a recording until it is forgotten', async () => {
    const stretch = new Stretch(await spoolWith({}));
    await stretch.append(entry.started('one', 1000));
    const session = stretch.session();
    expect(stretch.holderOf('one')).toBe(session);
    stretch.forget('one');
    expect(stretch.holderOf('one')).toBeUndefined();
  });

  it('goes on in a session that was left', async () => {
    const spool = await spoolWith({ left: open });
    const { goingOn } = await spool.recover(NOW);
    const stretch = new Stretch(spool);
    stretch.goOnIn(goingOn!);
    expect(stretch.session()).toBe(goingOn);
    expect(stretch.holderOf('one')).toBe(goingOn);
  });

  it('ends with its folder when nothing in it is wanted any more', async () => {
    const stretch = new Stretch(await spoolWith({}));
    await stretch.append(entry.started('one', 1000));
    await stretch.append(entry.failed('one'));
    await stretch.append(entry.announced('one', 'FAILED'));
    await stretch.end(Promise.resolve());
    // What comes next gets a folder of its own.
    await stretch.append(entry.started('two', 2000));
    expect(stretch.session().ledger.recordings.has('one')).toBe(false);
  });
});
