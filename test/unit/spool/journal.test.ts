import { appendFile, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { JournalEntry } from '../../../main/spool/journal.ts';
import { JOURNAL_VERSION, Journal, readJournal, spoolError } from '../../../main/spool/journal.ts';
import { temporaryFolder } from '../support/folders.ts';
import { journalEntries, testKeys, writeJournal } from '../support/keys.ts';
import { containing } from '../support/matchers.ts';
import { agent, entry, recording, run } from '../support/journalEntries.ts';

async function journalPath(): Promise<string> {
  return join(await temporaryFolder(), 'journal.ndjson');
}

const keys = testKeys();
const write = (path: string, entries: readonly JournalEntry[]): Promise<Buffer> =>
  writeJournal(path, entries, keys);
const read = (path: string): Promise<JournalEntry[]> => journalEntries(path, keys);

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
    expect(await read(path)).toEqual(everyKind);
  });

  it('returns anything that a page may have put into a contact', async () => {
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
        await rm(path, { force: true });
        await write(path, written);
        // Compared as JSON, which does not distinguish -0 from 0; the journal need not.
        expect(JSON.stringify(await read(path))).toBe(JSON.stringify(written));
      }),
      { numRuns: 8 },
    );
  });

  it('is a line that says which key store unlocks it, and then nothing that anybody can read', async () => {
    const path = await journalPath();
    await write(path, everyKind);
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines.pop()).toBe('');
    expect(JSON.parse(lines.shift() ?? '')).toEqual({
      v: JOURNAL_VERSION,
      key: { store: 'key-file', wrapped: expect.any(String) as string },
    });
    expect(lines).toHaveLength(everyKind.length);
    for (const line of lines)
      expect(Buffer.from(line, 'base64').toString()).not.toMatch(/recording|run-|contact/);
  });

  it('is private', async () => {
    const path = await journalPath();
    await write(path, [entry.started('one', 1)]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('continues where it ended when it is opened again', async () => {
    const path = await journalPath();
    await write(path, recording('one', 1000, null));
    await write(path, [entry.stopped('one', 2000)]);
    expect(await read(path)).toEqual(recording('one', 1000, 2000));
  });

  it('of nothing at all is empty', async () => {
    const path = await journalPath();
    await write(path, []);
    expect(await read(path)).toEqual([]);
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
      // The first line is the head.
      const whole = Math.max(0, ends.filter((end) => end <= length).length - 1);
      expect(await read(path)).toEqual(entries.slice(0, whole));
    }
  });

  it('is truncated before the next entry is written', async () => {
    const path = await journalPath();
    await write(path, recording('one', 1000, null));
    await appendFile(path, 'bm90IGEgd2hvbGUgbGl');
    await write(path, [entry.stopped('one', 2000)]);
    expect(await read(path)).toEqual(recording('one', 1000, 2000));
  });

  it('is truncated even when it is the only one', async () => {
    const path = await journalPath();
    await writeFile(path, '{"v":3,"key');
    await write(path, [entry.started('one', 1000)]);
    expect(await read(path)).toEqual([entry.started('one', 1000)]);
  });
});

describe('a journal that another program has written to', () => {
  const entries = [...recording('one', 1000, null), ...run('run-1', 1000, 4000)];

  /** What is read, and which lines are known to be missing. */
  async function after(change: (lines: string[]) => void): Promise<{ read: unknown[]; missing: unknown }> {
    const path = await journalPath();
    await write(path, entries);
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    change(lines);
    const text = `${lines.join('\n')}\n`;
    await writeFile(path, text, 'latin1');
    const looked = await readJournal(path, keys);
    const resumed = await Journal.resume(path, keys);
    await resumed.journal.close();
    // What was damaged is left as it is.
    expect(await readFile(path, 'latin1')).toBe(text);
    const read = resumed.entries.map(({ entry: one }) => one);
    expect(looked?.entries).toEqual(read);
    return { read, missing: resumed.missing };
  }
  const without = (...lines: number[]): JournalEntry[] => entries.filter((_, line) => !lines.includes(line));

  it('is read but for a line that is none of ours', async () => {
    for (const line of ['hello', '', '{}', '\0'.repeat(100), '\xff\xfe', '1 hello', '1 aGVsbG8='])
      expect(await after((lines) => (lines[2] = line)), line).toEqual({
        read: without(1),
        missing: [{ line: 1, lines: 1 }],
      });
  });

  it('is read but for a line with a flipped bit', async () => {
    const flip = (lines: string[]): void => {
      const [number, sealed] = lines[3]!.split(' ');
      const bytes = Buffer.from(sealed!, 'base64');
      bytes[20]! ^= 1;
      lines[3] = `${number} ${bytes.toString('base64')}`;
    };
    expect(await after(flip)).toEqual({ read: without(2), missing: [{ line: 2, lines: 1 }] });
  });

  it('with lines that are left out, swapped, repeated, renumbered or joined knows which are missing', async () => {
    expect(await after((lines) => lines.splice(1, 2))).toEqual({
      read: without(0, 1),
      missing: [{ line: 0, lines: 2 }],
    });
    expect(await after((lines) => lines.splice(2, 2, lines[3]!, lines[2]!))).toEqual({
      read: without(1),
      missing: [{ line: 1, lines: 1 }],
    });
    expect(await after((lines) => lines.splice(2, 0, lines[1]!))).toEqual({ read: entries, missing: [] });
    expect(await after((lines) => (lines[2] = lines[2]!.replace('1 ', '7 ')))).toEqual({
      read: without(1),
      missing: [{ line: 1, lines: 1 }],
    });
    expect(await after((lines) => lines.splice(2, 2, lines[2]! + lines[3]!))).toEqual({
      read: without(1, 2),
      missing: [{ line: 1, lines: 2 }],
    });
  });

  it('truncated at any line knows how many are missing', async () => {
    for (let kept = 0; kept < entries.length; kept += 1)
      expect(await after((lines) => lines.splice(kept + 1))).toEqual({
        read: entries.slice(0, kept),
        missing: [{ line: kept, lines: entries.length - kept }],
      });
  });

  it('emptied is refused', async () => {
    const path = await journalPath();
    await write(path, entries);
    await writeFile(path, '');
    await expect(Journal.resume(path, keys)).rejects.toMatchObject({
      ...{ code: 'SPOOL_UNREADABLE', message: containing(`${entries.length} lines had been written`) },
    });
  });

  it('never mistakes truncated lines for new ones of the same number', async () => {
    const path = await journalPath();
    await write(path, entries);
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    await writeFile(path, `${lines.slice(0, -1).join('\n')}\n`);
    const { journal } = await Journal.resume(path, keys);
    await journal.append(entry.stopped('one', 2000));
    await journal.close();
    await appendFile(path, `${lines.at(-1)}\n`);
    const found = await Journal.resume(path, keys);
    await found.journal.close();
    expect(found.entries.at(-1)).toEqual({ line: entries.length, entry: entry.stopped('one', 2000) });
    expect(found.missing).toEqual([{ line: entries.length - 1, lines: 1 }]);
  });

  it('of another version is refused', async () => {
    for (const head of [
      '{"v":4,"key":{"store":"key-file","wrapped":""}}',
      JSON.stringify({ v: 1, entry: entries[0] }),
    ]) {
      const path = await journalPath();
      await write(path, entries);
      const [, ...rest] = (await readFile(path, 'utf8')).split('\n');
      await writeFile(path, [head, ...rest].join('\n'));
      await expect(readJournal(path, keys)).rejects.toMatchObject({
        ...{ code: 'SPOOL_UNREADABLE', message: containing('version') },
      });
      await expect(Journal.resume(path, keys)).rejects.toMatchObject({ code: 'SPOOL_UNREADABLE' });
    }
  });

  it('said to be of the older version, which has no witness, gives none of its lines', async () => {
    const { read: found, missing } = await after((lines) => (lines[0] = lines[0]!.replace('"v":3', '"v":2')));
    expect(found).toEqual([]);
    expect(missing).toEqual([{ line: 0, lines: entries.length }]);
  });

  it('with another session’s lines gives none of them', async () => {
    const [path, other] = [await journalPath(), await journalPath()];
    await write(path, entries);
    await write(other, entries);
    const [head] = (await readFile(path, 'utf8')).split('\n');
    const [, ...rest] = (await readFile(other, 'utf8')).split('\n');
    await writeFile(path, [head, ...rest].join('\n'));
    expect(await read(path)).toEqual([]);
  });

  it('moved to another session’s folder gives none of its lines', async () => {
    const path = await journalPath();
    await write(path, entries);
    const folder = join(await temporaryFolder(), 'another');
    await mkdir(folder);
    await writeFile(join(folder, 'journal'), await readFile(path));
    expect(await read(join(folder, 'journal'))).toEqual([]);
  });

  it('cannot be read with another key', async () => {
    const path = await journalPath();
    await write(path, entries);
    const others = testKeys();
    await others.create();
    await expect(readJournal(path, others)).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: containing('another user, machine or installation'),
    });
  });
});

describe('a failing disk', () => {
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

  it('is reported at the first attempt, and the entry is written when the disk takes it', async () => {
    const path = await journalPath();
    // A real disk without room: every write to /dev/full fails with ENOSPC (full(4)).
    await symlink('/dev/full', path);
    const troubles: (string | null)[] = [];
    const journal = Journal.create(path, keys, { onTrouble: (error) => troubles.push(error?.code ?? null) });
    const failures: string[] = [];
    const written = journal.append(entry.started('one', 1), ({ code }) => failures.push(code));
    await vi.waitFor(() => expect(failures).toEqual(['SPOOL_FULL']));
    expect(journal.trouble).toMatchObject({ code: 'SPOOL_FULL' });
    expect(troubles).toEqual(['SPOOL_FULL']);
    await rm(path);
    await written;
    await journal.append(entry.failed('one'));
    expect(await read(path)).toEqual([entry.started('one', 1), entry.failed('one')]);
    await vi.waitFor(() => expect(troubles).toEqual(['SPOOL_FULL', null]));
    expect(journal.trouble).toBeNull();
    await journal.close();
  });
});

describe('a journal that an earlier process left', () => {
  async function left(): Promise<string> {
    const path = await journalPath();
    await write(path, recording('one', 1000, null));
    return path;
  }
  async function isIncomplete(path: string): Promise<boolean> {
    const { journal, incomplete } = await Journal.resume(path, keys);
    await journal.append(entry.suspended('one', 2000));
    await journal.close();
    return incomplete;
  }

  it('is complete when every entry was written', async () => {
    const path = await left();
    expect(await isIncomplete(path)).toBe(false);
    expect(await isIncomplete(path)).toBe(false);
  });

  it('is incomplete, again and again, when a write had failed', async () => {
    const path = await left();
    await rm(join(dirname(path), 'complete'));
    expect(await isIncomplete(path)).toBe(true);
    expect(await isIncomplete(path)).toBe(true);
  });

  it('is incomplete when its last line is torn', async () => {
    const path = await left();
    await appendFile(path, 'bm90IGEgd2hvbGUgbGl');
    expect(await isIncomplete(path)).toBe(true);
  });

  it('is complete again once the doubt is resolved and everything is written', async () => {
    const path = await left();
    await rm(join(dirname(path), 'complete'));
    const { journal } = await Journal.resume(path, keys);
    await journal.append(entry.suspended('one', 2000));
    journal.allowComplete();
    await vi.waitFor(() => stat(join(dirname(path), 'complete')));
    await journal.close();
    expect(await isIncomplete(path)).toBe(false);
  });
});
