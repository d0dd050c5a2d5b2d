import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { JOURNAL_VERSION, Journal, readJournal, spoolError } from '../../../main/spool/journal.ts';
import { temporaryFolder } from '../support/folders.ts';
import { containing } from '../support/matchers.ts';
import { agent, entry, recording, run } from '../support/journalEntries.ts';

async function journalPath(): Promise<string> {
  return join(await temporaryFolder(), 'journal.ndjson');
}

async function write(path: string, entries: readonly JournalEntry[]): Promise<void> {
  const journal = await Journal.open(path);
  await Promise.all(entries.map((one) => journal.append(one)));
  await journal.close();
}

const everyKind: readonly JournalEntry[] = [
  ...recording('one', 1000.25, null),
  ...run('run-1', 1000.25, 4000.5, 'display-unavailable'),
  entry.suspended('one', 4000.5, 'card "number"\n€'),
  entry.suspended('two', 4000.75),
  entry.resumed('one', 6000),
  ...run('run-2', 6300, null),
  entry.closed('run-2', null, 'app-restarted'),
  entry.stopped('one', 9000),
  entry.published('one'),
  entry.failed('two'),
];

describe('the journal', () => {
  it('gives back every kind of entry as it was written, in the order of the calls', async () => {
    const path = await journalPath();
    await write(path, everyKind);
    expect(await readJournal(path)).toEqual(everyKind);
  });

  it('gives back whatever a page may have put into a contact', async () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const key = text.filter((name) => name !== '__proto__');
    const entries = fc.array(
      fc.record({
        queue: text,
        attributes: fc.dictionary(key, text, { noNullPrototype: true }),
        at: fc.double({ min: 0, max: 4e12, noNaN: true }),
      }),
      { minLength: 1, maxLength: 3 },
    );
    const path = await journalPath();
    await fc.assert(
      fc.asyncProperty(entries, async (contacts) => {
        const written = contacts.map(({ queue, attributes, at }, index): JournalEntry => {
          const contact = { contactId: `c-${index}`, channel: 'CHAT', queue, attributes } as const;
          return { type: 'contact.started', recordingId: `r-${index}`, at, contact, agent };
        });
        await writeFile(path, '');
        await write(path, written);
        // Compared as JSON: it tells -0 from 0 no more than the journal needs to.
        expect(JSON.stringify(await readJournal(path))).toBe(JSON.stringify(written));
      }),
      { numRuns: 8 },
    );
  });

  it('is one line of JSON for each entry, with the version', async () => {
    const path = await journalPath();
    await write(path, everyKind);
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      everyKind.map((one) => ({ v: JOURNAL_VERSION, entry: one })),
    );
  });

  it('can be read by nobody else', async () => {
    const path = await journalPath();
    await write(path, [entry.started('one', 1)]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('goes on where it ended when it is opened again', async () => {
    const path = await journalPath();
    await write(path, recording('one', 1000, null));
    await write(path, [entry.stopped('one', 2000)]);
    expect(await readJournal(path)).toEqual(recording('one', 1000, 2000));
  });

  it('of nothing at all is empty', async () => {
    const path = await journalPath();
    await write(path, []);
    expect(await readJournal(path)).toEqual([]);
  });
});

describe('a torn last line', () => {
  it('is dropped, wherever it was torn', async () => {
    const path = await journalPath();
    const entries = recording('ö', 1000, 2000);
    await write(path, entries);
    const bytes = await readFile(path);
    const ends = [...bytes.entries()].flatMap(([at, byte]) => (byte === 0x0a ? [at + 1] : []));
    for (let length = 0; length <= bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length));
      const whole = ends.filter((end) => end <= length).length;
      expect(await readJournal(path)).toEqual(entries.slice(0, whole));
    }
  });

  it('is cut off before the next entry is written', async () => {
    const path = await journalPath();
    await write(path, recording('one', 1000, null));
    await appendFile(path, '{"v":1,"entry":{"type":"contact.sto');
    await write(path, [entry.stopped('one', 2000)]);
    expect(await readJournal(path)).toEqual(recording('one', 1000, 2000));
  });

  it('is cut off even when it is the only one', async () => {
    const path = await journalPath();
    await writeFile(path, '{"v":1,"ent');
    await write(path, [entry.started('one', 1000)]);
    expect(await readJournal(path)).toEqual([entry.started('one', 1000)]);
  });
});

describe('a journal that somebody else has written to', () => {
  const good = JSON.stringify({ v: 1, entry: entry.started('one', 1000) });

  it.each([
    ['no JSON', 'hello'],
    ['an empty line', ''],
    ['a line without its end', good.slice(0, -5)],
    ['an entry of a kind that is not known', JSON.stringify({ v: 1, entry: { type: 'contact.paused' } })],
    ['an entry that lacks a field', JSON.stringify({ v: 1, entry: { type: 'contact.resumed', at: 5 } })],
    ['an entry of a newer version', JSON.stringify({ v: 2, entry: entry.started('one', 1000) })],
    ['an entry without a version', JSON.stringify(entry.started('one', 1000))],
    ['zeros', '\0'.repeat(100)],
  ])('is refused with SPOOL_UNREADABLE, line and all: %s', async (_, line) => {
    const path = await journalPath();
    const text = `${good}\n${line}\n${good}\n`;
    await writeFile(path, text);
    await expect(readJournal(path)).rejects.toMatchObject({
      name: 'SightlineError',
      code: 'SPOOL_UNREADABLE',
      message: containing(`Line 2 of ${path}`),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

describe('trouble with the disk', () => {
  it('is SPOOL_FULL when the disk or the quota is full', () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const cause = Object.assign(new Error('no room'), { code });
      expect(spoolError(cause, '/spool')).toMatchObject({ code: 'SPOOL_FULL', cause });
    }
  });

  it('is SPOOL_UNREADABLE for anything else, in the system’s own words', () => {
    expect(spoolError(new Error('EIO: i/o error'), '/spool')).toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: 'The spool cannot be used: EIO: i/o error',
    });
  });

  it('is told to whoever appends', async () => {
    const path = await journalPath();
    const journal = await Journal.open(path);
    await journal.close();
    await expect(journal.append(entry.started('one', 1))).rejects.toMatchObject({ code: 'SPOOL_UNREADABLE' });
  });
});
