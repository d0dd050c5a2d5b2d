import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  RecentRecordings,
  nameIn,
  shownContact,
  shownPieces,
  shownUpload,
} from '../../../main/statusWindow/model.ts';
import type { QueuedUpload } from '../../../main/publisher/publisher.ts';
import type { AgentSuspension, Contact } from '../../../main/session/state.ts';
import type { RecordingState } from '../../../main/shared/names.ts';
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

describe('a contact', () => {
  const ledger = ledgerOf(started, entry.suspended('one', 3000), run('a', 1000, 2990, 'suspended'));
  const contact = (change: Partial<Contact> = {}): Contact =>
    ({
      recordingId: 'one',
      phase: { kind: 'open', startTime: 1000 },
      requestedAt: 900,
      suspendedAt: null,
      suspendReason: null,
      ...change,
    }) as Contact;
  const shown = (
    state: RecordingState,
    change: Partial<Contact> = {},
    of = ledger,
    agentSuspension: AgentSuspension | null = null,
  ) => {
    const open = { contactId: 'c-1', recordingId: 'one', state };
    return shownContact(open, { contacts: [contact(change)], agentSuspension }, of, 9000, 8500);
  };

  it('has a name, its state and its times, and nothing of the customer', () => {
    const info = {
      contactId: 'one',
      channel: 'CHAT',
      queue: 'Claims',
      attributes: { name: 'secret' },
    } as const;
    const queued = ledgerOf({ ...entry.started('one', 900), contact: info }, entry.recording('one', 1000));
    const one = shown('recording', {}, queued);
    expect(one.name).toEqual({ contactId: 'one', channel: 'CHAT', queue: 'Claims', startTime: 1000 });
    expect(Object.keys(one).sort()).toEqual(
      ['name', 'pieces', 'recordingId', 'state', 'stateSince', 'suspension'].sort(),
    );
    expect(JSON.stringify(one)).not.toContain('secret');
  });

  it('has the age of its state, not its own: the same as on the timeline', () => {
    const suspended = shown('suspended', { suspendedAt: 3000 });
    expect(suspended.stateSince).toBe(2990);
    expect(suspended.stateSince).toBe(suspended.pieces.at(-1)?.from);
    const resumed = ledgerOf(
      ...[started, run('a', 1000, 2990, 'suspended'), entry.suspended('one', 2990)].flat(),
      ...[entry.resumed('one', 5000), run('b', 5100, null)].flat(),
    );
    expect(shown('recording', {}, resumed).stateSince).toBe(5100);
    const starting = shown('starting', { phase: { kind: 'starting' } }, ledgerOf(entry.started('one', 900)));
    expect(starting.stateSince).toBe(900);
    const phase = { kind: 'stopping', startTime: 1000, endTime: 8000 } as Contact['phase'];
    expect(shown('stopping', { phase }).stateSince).toBe(8000);
  });

  it('has the age of its start while capture resumes, not that of the suspension before', () => {
    const resumed = ledgerOf(
      ...[started, run('a', 1000, 2990, 'suspended'), entry.suspended('one', 2990)].flat(),
      entry.resumed('one', 8500),
    );
    const starting = shown('starting', {}, resumed);
    expect(starting.pieces.at(-1)).toEqual({ kind: 'gap', reason: 'suspended', from: 2990, to: null });
    expect(starting.stateSince).toBe(8500);
    expect(shown('problem', {}, resumed).stateSince).toBe(8500);
  });

  it('says what suspends it, with the reason of the page', () => {
    expect(shown('recording').suspension).toBeNull();
    const because = { suspendedAt: 3000, suspendReason: 'Card number' };
    expect(shown('suspended', because).suspension).toEqual({ by: 'page', reason: 'Card number' });
    expect(shown('suspended').suspension).toEqual({ by: 'other-contact', reason: null });
    const byAgent = shown('suspended', because, ledger, { since: 3000, until: null });
    expect(byAgent.suspension).toEqual({ by: 'agent', reason: null });
    const inDoubt = ledgerOf(started, { ...entry.suspended('one', 3000), by: 'sightline' });
    expect(shown('suspended', { suspendedAt: 3000 }, inDoubt).suspension?.by).toBe('sightline');
  });
});

describe('an upload', () => {
  const upload: QueuedUpload = {
    ...{ recordingId: 'one', contactId: 'c-1', state: 'sending' as const, failed: false, attempts: 0 },
    ...{ why: null, nextTryAt: null, progress: { sentBytes: 120, totalBytes: 100, bytesPerSecond: 1 } },
  };

  it('is never more than all of it', () => {
    expect(shownUpload(upload, null).progress?.sentBytes).toBe(100);
  });

  it('has the name of its contact, or its id where nothing else is known', () => {
    const name = nameIn(ledgerOf(started), 'one');
    expect(shownUpload(upload, name).name).toBe(name);
    expect(shownUpload(upload, null).name).toEqual({
      ...{ contactId: 'c-1', channel: null, queue: null, startTime: null },
    });
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
      name: { contactId: 'rec-399' },
      status: 'INITIATED',
      at: 399_000,
    });
    expect(recent[19]?.recordingId).toBe('rec-380');
  });
});
