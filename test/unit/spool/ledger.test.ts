import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { addEntry, emptyLedger, isPublishedOrFailed } from '../../../main/spool/ledger.ts';
import { entry, ledgerOf, recording, run } from '../support/journalEntries.ts';

describe('the ledger', () => {
  it('adds a recording’s life up', () => {
    const ledger = ledgerOf(
      recording('one', 1000, null),
      entry.suspended('one', 2000, 'card'),
      entry.resumed('one', 3000),
      entry.suspended('one', 4000),
      entry.stopped('one', 5000),
    );
    expect(ledger.recordings.get('one')).toEqual({
      started: entry.started('one', 1000),
      startTime: 1000,
      stopped: entry.stopped('one', 5000),
      suspensions: [
        { at: 2000, resumedAt: 3000, resumedBy: 'page', reason: 'card', by: 'page' },
        { at: 4000, resumedAt: null, resumedBy: null, reason: null, by: 'page' },
      ],
      announced: [],
      upload: null,
      published: null,
      failed: null,
    });
  });

  it('sums up a run, and keeps runs in the order in which they were opened', () => {
    const ledger = ledgerOf(run('b', 1000, 2000), run('a', 2000, null), entry.opened('c', 5000));
    expect([...ledger.runs.keys()]).toEqual(['b', 'a', 'c']);
    expect(ledger.runs.get('b')).toEqual({
      opened: entry.opened('b', 800),
      pid: null,
      live: entry.live('b', 1000),
      closed: entry.closed('b', 2000),
      black: [],
    });
    expect(ledger.runs.get('a')?.closed).toBeNull();
    expect(ledger.runs.get('c')?.live).toBeNull();
  });

  it('keeps recordings apart', () => {
    const ledger = ledgerOf(
      recording('one', 1000, 5000),
      recording('two', 2000, null),
      entry.suspended('two', 3000),
    );
    expect(ledger.recordings.get('one')?.suspensions).toEqual([]);
    expect(ledger.recordings.get('two')?.stopped).toBeNull();
  });

  it('knows a recording as published or failed once it is, not before', () => {
    const settled = (...entries: JournalEntry[]): boolean => {
      const one = ledgerOf(recording('one', 1000, 5000), entries).recordings.get('one');
      return one !== undefined && isPublishedOrFailed(one);
    };
    expect(settled()).toBe(false);
    expect(settled(entry.published('one'))).toBe(true);
    expect(settled(entry.failed('one'))).toBe(true);
  });

  it('ignores entries about recordings and runs that it does not know', () => {
    const ledger = ledgerOf(
      entry.recording('one', 1000),
      entry.suspended('one', 1000),
      entry.resumed('one', 1000),
      entry.stopped('one', 1000),
      entry.published('one'),
      entry.failed('one'),
      entry.live('run', 1000),
      entry.closed('run', 1000),
    );
    expect(ledger).toEqual(emptyLedger);
  });

  it('never changes an older ledger', () => {
    const before = ledgerOf(
      recording('one', 1000, null),
      entry.suspended('one', 1500),
      run('run-1', 1000, null),
    );
    const copy = structuredClone(before);
    const news = [
      entry.resumed('one', 1700),
      entry.stopped('one', 2000),
      entry.closed('run-1', 2000),
      entry.opened('run-2', 2000),
      entry.started('two', 2000),
    ];
    for (const one of news) {
      expect(addEntry(before, one)).not.toEqual(before);
      expect(before).toEqual(copy);
    }
  });
});
