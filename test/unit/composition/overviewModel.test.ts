import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  RecentRecordings,
  shownContact,
  shownPieces,
  shownUpload,
} from '../../../main/composition/overview/overviewModel.ts';
import type { QueuedUpload } from '../../../main/publisher/publisher.ts';
import type { Contact } from '../../../main/session/state.ts';
import { temporaryFolder } from '../support/folders.ts';
import { entry, ledgerOf, run } from '../support/journalEntries.ts';
import { statusEvent } from '../support/statusEvents.ts';

const started = [entry.started('one', 900), entry.recording('one', 1000)];

describe('the live timeline of a contact', () => {
  it('is nothing before the first frame, and for a recording that nobody knows', () => {
    expect(shownPieces(ledgerOf(entry.started('one', 900)), 'one', 2000)).toEqual([]);
    expect(shownPieces(ledgerOf(), 'one', 2000)).toEqual([]);
  });

  it('is a run that goes on', () => {
    expect(shownPieces(ledgerOf(started, run('a', 1000, null)), 'one', 5000)).toEqual([
      { kind: 'run', from: 1000, to: null },
    ]);
  });

  it('is a gap from the moment of a suspend, not from the next frame on', () => {
    const ledger = ledgerOf(started, entry.suspended('one', 3000), run('a', 1000, 2990, 'suspended'));
    for (const now of [2991, 3001, 3100, 60_000]) {
      expect(shownPieces(ledger, 'one', now)).toEqual([
        { kind: 'run', from: 1000, to: 2990 },
        { kind: 'gap', reason: 'suspended', from: 2990, to: null },
      ]);
    }
  });

  it('has runs that follow each other at once as one, and the gap between two', () => {
    const ledger = ledgerOf(
      started,
      ...[run('a', 1000, 2000), run('b', 2000, 3000, 'interrupted'), run('c', 5000, null)],
    );
    expect(shownPieces(ledger, 'one', 6000)).toEqual([
      { kind: 'run', from: 1000, to: 3000 },
      { kind: 'gap', reason: 'interrupted', from: 3000, to: 5000 },
      { kind: 'run', from: 5000, to: null },
    ]);
  });

  it('has an end once the contact has one', () => {
    const ledger = ledgerOf(started, run('a', 1000, 4000), entry.stopped('one', 4000));
    expect(shownPieces(ledger, 'one', 9000)).toEqual([{ kind: 'run', from: 1000, to: 4000 }]);
  });
});

describe('a contact as a window gets it', () => {
  it('has its ids, its channel, its state and its times, and nothing of the customer', () => {
    const info = { contactId: 'c-1', channel: 'CHAT', queue: 'secret-queue', attributes: { name: 'secret' } };
    const open = { contactId: 'c-1', recordingId: 'one', state: 'recording' } as const;
    const shown = shownContact(open, { info } as unknown as Contact, ledgerOf(started), 2000);
    expect(Object.keys(shown).sort()).toEqual(
      ['channel', 'contactId', 'pieces', 'recordingId', 'startTime', 'state'].sort(),
    );
    expect(JSON.stringify(shown)).not.toContain('secret');
  });
});

describe('a delivery as a window gets it', () => {
  it('is never more than all of it', () => {
    const upload: QueuedUpload = {
      ...{ recordingId: 'one', contactId: 'c-1', state: 'sending' as const, failed: false, attempts: 0 },
      ...{ why: null, nextTryAt: null, progress: { sentBytes: 120, totalBytes: 100, bytesPerSecond: 1 } },
    };
    expect(shownUpload(upload).progress?.sentBytes).toBe(100);
  });
});

describe('the recent recordings', () => {
  it('are none where there is no file yet', async () => {
    expect(await new RecentRecordings(join(await temporaryFolder(), 'none.ndjson')).read()).toEqual([]);
  });

  it('are the newest of a long file, of which only the end is read', async () => {
    const file = join(await temporaryFolder(), 'events.ndjson');
    await writeFile(file, '');
    for (let index = 0; index < 400; index += 1) {
      const event = { ...statusEvent(`rec-${index}`, 1000), time: new Date(index * 1000).toISOString() };
      await appendFile(file, `${JSON.stringify(event)}\n`);
    }
    const recent = await new RecentRecordings(file).read();
    expect(recent).toHaveLength(20);
    expect(recent[0]).toMatchObject({
      recordingId: 'rec-399',
      contactId: 'rec-399',
      status: 'INITIATED',
      at: 399_000,
    });
    expect(recent[19]?.recordingId).toBe('rec-380');
  });
});
