// Contacts that ended suspended, after their recordings are gone from the spool and Sightline was restarted.
import { readFile, readdir, rename, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { suspendedContacts, openContacts } from '../../../main/spool/recoveredContacts.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { REMEMBERED_MS, SuspendedMemory } from '../../../main/spool/suspendedMemory.ts';
import { temporaryFolder } from '../support/folders.ts';
import { entry, ledgerOf, recording, run } from '../support/journalEntries.ts';
import { openedSession, testKeys } from '../support/keys.ts';
import { closedAfterTest, recovered } from '../support/spool.ts';
import type { LogLine } from '../support/logs.ts';
import { keepingLogger } from '../support/logs.ts';

const keys = testKeys();
const MAX_JOURNALS = 5;
const died = (recordingId: string, endTime: number): JournalEntry => ({
  ...entry.stopped(recordingId, endTime),
  cause: 'app-died',
});
const contactOf = (recordingId: string): string => `contact-${recordingId}`;
/** A recording of contact `of` that ended suspended, and was published. */
const suspendedRecording = (recordingId: string, from: number, of = recordingId): JournalEntry[] => [
  { ...entry.started(recordingId, from), contact: { contactId: contactOf(of), channel: 'VOICE' } },
  entry.recording(recordingId, from),
  ...run(`run-${recordingId}`, from, from + 500),
  entry.suspended(recordingId, from + 500),
  died(recordingId, from + 600),
  entry.published(recordingId),
];

let root: string;
let time: number;
let lines: LogLine[];
let sightline: { memory: SuspendedMemory; spool: Spool };

beforeEach(async () => {
  root = await temporaryFolder();
  time = 100_000;
  sightline = start();
});

/** A process of Sightline, as far as this goes. */
function start(): typeof sightline {
  const { log, lines: own } = keepingLogger();
  lines = own;
  const memory = new SuspendedMemory({
    ...{ folder: join(root, 'suspended'), keys, now: () => time, log },
    maxJournals: MAX_JOURNALS,
  });
  let sessions = 0;
  const spool = new Spool({
    root: join(root, 'spool'),
    keys,
    newSessionId: () => `${String(time).padStart(20, '0')}-${(sessions += 1)}`,
    onUnreadable: (_, error) => {
      throw error;
    },
    keepJournal: (session) => memory.keep(session),
  });
  return { memory, spool };
}

/** What the next process begins with. */
async function restart() {
  sightline = start();
  const { all } = await recovered(sightline.spool, time);
  return (await sightline.memory.restore(all)).map(({ contactId }) => contactId);
}

/** A session with these entries, released at its end. */
async function session(...entries: JournalEntry[]): Promise<SpoolSession> {
  time += 1000;
  const opened = closedAfterTest(await openedSession(sightline.spool));
  for (const one of entries) {
    await opened.append(one);
    await sightline.memory.onEntry(one, () => opened.ledger);
  }
  await opened.release();
  return opened;
}

const folders = async (name: string): Promise<string[]> => readdir(join(root, name)).catch(() => []);

describe('a contact that ended suspended', () => {
  it('is remembered across restarts after its recording has left the spool', async () => {
    await session(...suspendedRecording('a', time));
    expect(await folders('spool')).toEqual([]);
    for (let restarts = 0; restarts < 3; restarts += 1) expect(await restart()).toEqual([contactOf('a')]);
  });

  it('leaves only its journal behind, sealed, for its user alone', async () => {
    const { id } = await session(...suspendedRecording('a', time));
    expect(await readdir(join(root, 'suspended', id))).toEqual(['journal.ndjson']);
    const text = await readFile(join(root, 'suspended', id, 'journal.ndjson'), 'latin1');
    expect(text).not.toContain(contactOf('a'));
    expect((await stat(join(root, 'suspended'))).mode & 0o777).toBe(0o700);
  });

  it('is remembered when the process dies before its recording is published', async () => {
    const opened = await openedSession(sightline.spool);
    for (const one of suspendedRecording('a', time).slice(0, -1)) await opened.append(one);
    expect(await restart()).toEqual([contactOf('a')]);
    await opened.abandon();
  });

  it.each([
    ['resumed', [entry.resumed('b', 110_000)]],
    ['stopped by a page', [entry.stopped('b', 110_000)]],
  ])('is forgotten when it was started anew and %s, and its journal goes', async (_, end) => {
    await session(...suspendedRecording('a', time));
    await restart();
    const again = suspendedRecording('b', 105_000, 'a').slice(0, 6);
    await session(...again, ...end);
    expect(await folders('suspended')).toEqual([]);
    expect((await restart()).filter((one) => one === contactOf('a'))).toEqual([]);
  });

  it('is still remembered when it was started anew and the process died before anything else', async () => {
    await session(...suspendedRecording('a', time));
    await restart();
    time += 1000;
    const opened = await openedSession(sightline.spool);
    const [started, begun] = suspendedRecording('b', time, 'a');
    await opened.append(started!);
    await opened.append(begun!);
    expect(await restart()).toEqual([contactOf('a')]);
    await opened.abandon();
  });

  it('is not remembered when a page stopped it', async () => {
    await session(
      ...recording('a', time, null),
      entry.suspended('a', time + 1),
      entry.stopped('a', time + 2),
    );
    expect(await folders('suspended')).toEqual([]);
  });

  it('is remembered although it failed because it began suspended', async () => {
    await session(
      ...recording('a', time, null),
      entry.suspended('a', time),
      entry.failed('a'),
      entry.announced('a', 'FAILED'),
    );
    expect(await restart()).toEqual([contactOf('a')]);
  });
});

describe('what is remembered is bounded', () => {
  it('in age: a week', async () => {
    await session(...suspendedRecording('a', time));
    time += REMEMBERED_MS - 2000;
    expect(await restart()).toEqual([contactOf('a')]);
    time += 2000;
    expect(await restart()).toEqual([]);
    expect(await folders('suspended')).toEqual([]);
  });

  it('in number: the newest stay', async () => {
    for (let index = 0; index < MAX_JOURNALS + 3; index += 1)
      await session(...suspendedRecording(`r${index}`, time));
    expect(await folders('suspended')).toHaveLength(MAX_JOURNALS);
    const known = await restart();
    expect(known).toHaveLength(MAX_JOURNALS);
    expect(known).not.toContain(contactOf('r2'));
    expect(known).toContain(contactOf('r3'));
  });

  it('when a journal there cannot be read: the others are, the log says so, and it goes after a week', async () => {
    const { id } = await session(...suspendedRecording('a', time));
    await session(...suspendedRecording('b', time));
    const journal = join(root, 'suspended', id, 'journal.ndjson');
    await writeFile(journal, 'no journal\n');
    expect(await restart()).toEqual([contactOf('b')]);
    expect(lines).toMatchObject([{ level: 'error', fields: { journal } }]);
    expect(await folders('suspended')).toHaveLength(2);
    await utimes(join(root, 'suspended', id), new Date(0), new Date(0));
    time = REMEMBERED_MS + 1;
    await restart();
    expect(await folders('suspended')).not.toContain(id);
  });
});

describe('a folder that cannot be moved', () => {
  it('stays in the spool, and the next process remembers', async () => {
    // A file where the memory's folder should be.
    await writeFile(join(root, 'suspended'), '');
    await expect(session(...suspendedRecording('a', time))).rejects.toThrow();
    expect(await folders('spool')).toHaveLength(1);
    await rename(join(root, 'suspended'), join(root, 'away'));
    expect(await restart()).toEqual([contactOf('a')]);
    expect(await folders('spool')).toEqual([]);
    expect(await folders('suspended')).toHaveLength(1);
  });
});

describe('the newest word on a contact', () => {
  const before = { ledger: ledgerOf(suspendedRecording('a', 1000)) };
  const ids = (...known: { ledger: ReturnType<typeof ledgerOf> }[]): string[] =>
    suspendedContacts(known).map(({ recordingId }) => recordingId);

  it('is true', () => {
    expect(ids(before)).toEqual(['a']);
    expect(ids(before, { ledger: ledgerOf(suspendedRecording('b', 5000, 'a')) })).toEqual(['b']);
    const resumed = [
      ...suspendedRecording('b', 5000, 'a').slice(0, 6),
      entry.resumed('b', 6000),
      died('b', 7000),
    ];
    expect(ids(before, { ledger: ledgerOf(resumed) })).toEqual([]);
    expect(ids(before, { ledger: ledgerOf(resumed) }, before)).toEqual(['a']);
  });

  it('about a suspension of the agent is said by the newer recording', () => {
    const byAgent = {
      ledger: ledgerOf(
        recording('a', 1000, null),
        { type: 'capture.paused', at: 1500, reason: 'agent' },
        died('a', 2000),
      ),
    };
    expect(suspendedContacts([byAgent])).toMatchObject([{ suspended: false, suspendedByAgent: true }]);
    const again = suspendedRecording('b', 5000, 'a').slice(0, 2);
    expect(ids(byAgent, { ledger: ledgerOf(again) })).toEqual([]);
  });

  it('that is missing where the process died leaves the contact suspended', () => {
    const [started, begun] = suspendedRecording('b', 5000, 'a');
    const ledger = ledgerOf([started!, begun!]);
    const session = {
      ledger,
      openRecordings: () => [{ recordingId: 'b', recording: ledger.recordings.get('b')!, leftAt: 6000 }],
    } as unknown as SpoolSession;
    const held = suspendedContacts([before, { ledger }]);
    expect(openContacts(session, held)).toMatchObject([{ suspendedAt: 5000 }]);
    expect(openContacts(session, [])).toMatchObject([{ suspendedAt: null }]);
  });
});
