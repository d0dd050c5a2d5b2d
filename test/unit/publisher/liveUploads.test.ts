import { describe, expect, it } from 'vitest';
import type { Upload } from '../../../main/publisher/upload.ts';
import { LiveUploads } from '../../../main/publisher/liveUploads.ts';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { entry, ledgerOf, recording, run } from '../support/journalEntries.ts';
import { keepingLogger } from '../support/logs.ts';

const MIB = 1024 * 1024;

/** A session of which only the ledger is looked at. */
function sessionOf(...entries: (JournalEntry | JournalEntry[])[]): SpoolSession {
  return { ledger: ledgerOf(...entries) } as unknown as SpoolSession;
}

function bench() {
  const clock = { now: 100_000 };
  const calls: string[] = [];
  let fails = false;
  const live = new LiveUploads({
    begin: (_, recordingId) => {
      calls.push(`begin ${recordingId}`);
      return {
        advance: (until: number) => {
          calls.push(`${recordingId} to ${until}`);
          return fails ? Promise.reject(new Error('away')) : Promise.resolve();
        },
        abort: () => {
          calls.push(`abort ${recordingId}`);
          return Promise.resolve();
        },
      } as unknown as Upload;
    },
    clock: { now: () => clock.now, fromWall: (wall) => wall, steps: 0 },
    random: () => 1,
    log: keepingLogger().log,
  });
  return { live, clock, calls, fail: (now: boolean) => (fails = now) };
}

const open = sessionOf(recording('one', 1000, null), run('a', 1000, null));

describe('an upload during the contact', () => {
  it('begins when ten MiB are there, and takes in nothing younger than five seconds', async () => {
    const { live, calls } = bench();
    for (let grown = 0; grown < 10; grown += 1) live.grew(open, MIB);
    await live.idle();
    expect(calls).toEqual([]);
    live.grew(open, MIB);
    await live.idle();
    expect(calls).toEqual(['begin one', 'one to 95000']);
  });

  it('is looked at for each MiB, one look at a time', async () => {
    const { live, clock, calls } = bench();
    for (let grown = 0; grown < 11; grown += 1) live.grew(open, MIB);
    live.grew(open, MIB); // the first look is still under way
    await live.idle();
    clock.now = 110_000;
    live.grew(open, MIB / 2);
    live.grew(open, MIB / 2);
    await live.idle();
    expect(calls).toEqual(['begin one', 'one to 95000', 'one to 105000']);
  });

  it('is not for what is complete, published, or has no start yet', async () => {
    const { live, calls } = bench();
    const session = sessionOf(
      recording('stopped', 1000, 2000),
      [...recording('published', 1000, 2000), entry.published('published')],
      entry.started('starting', 1000),
    );
    for (let grown = 0; grown < 30; grown += 1) live.grew(session, MIB);
    await live.idle();
    expect(calls).toEqual([]);
  });

  it('that fails is given up, and begun anew after a rest that grows', async () => {
    const { live, clock, calls, fail } = bench();
    fail(true);
    const grow = async (): Promise<void> => {
      live.grew(open, MIB);
      await live.idle();
    };
    for (let grown = 0; grown < 11; grown += 1) await grow();
    expect(calls).toEqual(['begin one', 'one to 95000', 'abort one']);
    await grow();
    expect(calls).toHaveLength(3);
    clock.now += 20_000;
    await grow();
    expect(calls).toHaveLength(6);
    clock.now += 20_000;
    await grow();
    expect(calls).toHaveLength(6);
    fail(false);
    clock.now += 20_000;
    await grow();
    expect(calls.at(-1)).toBe('one to 155000');
    expect(await live.take('one')).not.toBeNull();
  });

  it('is handed over once, when it is not at work', async () => {
    const { live } = bench();
    for (let grown = 0; grown < 11; grown += 1) live.grew(open, MIB);
    expect(await live.take('one')).not.toBeNull();
    expect(await live.take('one')).toBeNull();
    expect(await live.take('another')).toBeNull();
  });
});
