import { readdirSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../../main/status/outbox.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';
import { idOf, statusEvent } from '../support/statusEvents.ts';

async function bench() {
  const folder = join(await temporaryFolder(), 'data', 'outbox');
  const { log, lines } = keepingLogger();
  /** As the next process finds it. */
  const open = (): Outbox => new Outbox({ folder, log });
  return { folder, lines, open, outbox: open() };
}

const idsIn = async (outbox: Outbox, limit = 100): Promise<string[]> =>
  (await outbox.read(limit)).map(({ event }) => idOf(event));

describe('what is added', () => {
  it('is on the disk when add() resolves: the next process finds it, whole', async () => {
    const { outbox, open } = await bench();
    await outbox.add(statusEvent('a'));
    const [entry] = await open().read(10);
    expect(entry?.event).toEqual(statusEvent('a'));
  });

  it('is for this user only', async () => {
    const { outbox, folder } = await bench();
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await outbox.add(statusEvent('a'));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    const [name = ''] = await readdir(folder);
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  it('keeps the order of add(), also without waiting in between', async () => {
    const { outbox } = await bench();
    const ids = Array.from({ length: 25 }, (_, index) => `r${index}`);
    await Promise.all(ids.map((id) => outbox.add(statusEvent(id))));
    expect(await idsIn(outbox)).toEqual(ids);
    expect(await idsIn(outbox, 10)).toEqual(ids.slice(0, 10));
  });

  it('is there only when all before it are, so that a reader never overtakes', async () => {
    const { outbox, folder } = await bench();
    const seen: string[][] = [];
    const look = (): void => void seen.push(readdirSync(folder).filter((name) => name.endsWith('.json')));
    // The large one takes longer to write than the small ones after it.
    await Promise.all(
      [3_000_000, 0, 0, 0].map((padding) => outbox.add(statusEvent('x', padding)).then(look)),
    );
    const whole = seen.at(-1) ?? [];
    expect(whole).toHaveLength(4);
    for (const names of seen) expect(names).toEqual(whole.slice(0, names.length));
  });

  it('may be the same event twice', async () => {
    const { outbox } = await bench();
    await outbox.add(statusEvent('a'));
    await outbox.add(statusEvent('a'));
    expect(await idsIn(outbox)).toEqual(['a', 'a']);
  });

  it('rejects when it could not be written, and the next one is another try', async () => {
    const { outbox, folder } = await bench();
    await mkdir(join(folder, '..'), { recursive: true });
    await writeFile(folder, 'in the way');
    await expect(outbox.add(statusEvent('a'))).rejects.toMatchObject({ code: 'EEXIST' });
    await rename(folder, `${folder}.away`);
    await outbox.add(statusEvent('b'));
    expect(await idsIn(outbox)).toEqual(['b']);
  });
});

describe('the order', () => {
  it('continues above what an earlier process left, independent of the clock', async () => {
    const { outbox, open } = await bench();
    await outbox.add(statusEvent('a'));
    await outbox.add(statusEvent('b'));
    const next = open();
    await next.add(statusEvent('c'));
    expect(await idsIn(next)).toEqual(['a', 'b', 'c']);
  });

  it('uses no number again that a file set aside still has', async () => {
    const { outbox, folder, open } = await bench();
    await outbox.add(statusEvent('a'));
    const [entry] = await outbox.read(1);
    await outbox.setAside(entry!.name, 'refused');
    const next = open();
    await next.add(statusEvent('b'));
    expect(await readdir(folder)).toEqual(['0000000000000001.json.refused', '0000000000000002.json']);
    // IT has fixed the cause and puts it back.
    await rename(join(folder, `${entry!.name}.refused`), join(folder, entry!.name));
    expect(await idsIn(next)).toEqual(['a', 'b']);
    expect(next.pending).toBe(2);
  });
});

describe('the count', () => {
  it('is of what waits, from the opening on', async () => {
    const { outbox, open } = await bench();
    for (const id of ['a', 'b', 'c']) await outbox.add(statusEvent(id));
    expect(outbox.pending).toBe(3);
    const next = open();
    await next.open();
    expect(next.pending).toBe(3);
    const [first, second] = await next.read(2);
    await next.remove(first!.name);
    await next.setAside(second!.name, 'refused');
    expect(next.pending).toBe(1);
    expect(await idsIn(next)).toEqual(['c']);
  });
});

describe('the count while events are read', () => {
  it('has each event once that is added meanwhile', async () => {
    const { outbox } = await bench();
    for (let count = 1; count <= 60; count += 1) {
      const state = { isAdded: false };
      const adding = outbox.add(statusEvent(`r${count}`)).then(() => (state.isAdded = true));
      while (!state.isAdded) await outbox.read(1);
      await adding;
      expect(outbox.pending).toBe(count);
    }
  });
});

describe('what is found damaged', () => {
  it.each([
    ['empty', ''],
    ['cut off', JSON.stringify(statusEvent('x')).slice(0, 60)],
    ['no event', '{"hello":"world"}'],
    ['not even text', '\u0000\u0000\u0000'],
  ])('%s: set aside and logged, and the others are read', async (_, content) => {
    const { outbox, folder, lines } = await bench();
    for (const id of ['a', 'b', 'c']) await outbox.add(statusEvent(id));
    const name = '0000000000000002.json';
    await writeFile(join(folder, name), content);
    expect(await idsIn(outbox)).toEqual(['a', 'c']);
    expect(await readFile(join(folder, `${name}.damaged`), 'utf8')).toBe(content);
    expect(lines).toMatchObject([{ level: 'error', fields: { file: join(folder, `${name}.damaged`) } }]);
    expect(outbox.pending).toBe(2);
    // Logged once, not at every reading.
    await outbox.read(10);
    expect(lines).toHaveLength(1);
  });

  it('does not end the reading when a whole batch is damaged', async () => {
    const { outbox, folder } = await bench();
    for (const id of ['a', 'b', 'c']) await outbox.add(statusEvent(id));
    await writeFile(join(folder, '0000000000000001.json'), '');
    await writeFile(join(folder, '0000000000000002.json'), '');
    expect(await idsIn(outbox, 2)).toEqual(['c']);
  });

  it('a folder in a file’s place too', async () => {
    const { outbox, folder } = await bench();
    await outbox.add(statusEvent('a'));
    await mkdir(join(folder, '0000000000000000.json'));
    expect(await idsIn(outbox)).toEqual(['a']);
  });
});

describe('what is not an event', () => {
  it('half-written files of a crash are cleared at the start; anything else is left alone', async () => {
    const { outbox, folder, open } = await bench();
    await outbox.add(statusEvent('a'));
    await writeFile(join(folder, '0000000000000002.json.deadbeef.tmp'), '{"ver');
    await writeFile(join(folder, 'notes.txt'), 'by IT');
    expect(await idsIn(open())).toEqual(['a']);
    expect(await readdir(folder)).toEqual(['0000000000000001.json', 'notes.txt']);
  });
});
