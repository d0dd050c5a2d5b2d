// Rotation of the file of status events, and its readers: ours, and a real `tail -F` as a collector would run it.
import { spawn } from 'node:child_process';
import {
  appendFile,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ROTATED_FILES, appendEvent } from '../../../main/status/eventsFile.ts';
import { EventsReader, newestEvents } from '../../../main/status/eventsReader.ts';
import { temporaryFolder } from '../support/folders.ts';
import { idOf, statusEvent } from '../support/statusEvents.ts';

const lineOf = (id: string): string => `${JSON.stringify(statusEvent(id))}\n`;
/** Room for three lines: the fourth goes into a new file. */
const ROTATE_AT = 3 * lineOf('e00').length;

let file: string;
let count: number;
beforeEach(async () => {
  file = join(await temporaryFolder(), 'events.ndjson');
  count = 0;
});

const name = (index: number): string => `e${String(index).padStart(2, '0')}`;
async function append(events: number): Promise<void> {
  for (let index = 0; index < events; index += 1)
    await appendEvent(file, statusEvent(name(count++)), ROTATE_AT);
}
const idsIn = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => idOf(JSON.parse(line) as ReturnType<typeof statusEvent>));
const idsOf = async (path: string): Promise<string[]> => idsIn(await readFile(path, 'utf8'));
const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => name(from + index));

describe('a full file of events', () => {
  it('is renamed with whole lines only, and a new one takes the next event', async () => {
    await append(4);
    expect(await idsOf(`${file}.1`)).toEqual(names(0, 3));
    expect(await idsOf(file)).toEqual(names(3, 4));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('is repaired before it is renamed', async () => {
    await append(3);
    await appendFile(file, lineOf('torn').slice(0, 50));
    await append(1);
    expect(await idsOf(`${file}.1`)).toEqual(names(0, 3));
    expect(await idsOf(file)).toEqual(names(3, 4));
  });

  it('is kept with a limited number of others, the oldest of which goes', async () => {
    const files = ROTATED_FILES + 3;
    await append(files * 3);
    expect((await readdir(join(file, '..'))).sort()).toEqual([
      'events.ndjson',
      ...Array.from({ length: ROTATED_FILES }, (_, index) => `events.ndjson.${index + 1}`),
    ]);
    expect(await idsOf(`${file}.${ROTATED_FILES}`)).toEqual(names(6, 9));
    expect(await idsOf(file)).toEqual(names((files - 1) * 3, files * 3));
  });

  it('grows on where it cannot be renamed, deletes nothing meanwhile, and is rotated when it can', async () => {
    await append(4);
    // rename(2) fails where the last file should go: a folder with something in it is there.
    await mkdir(join(`${file}.${ROTATED_FILES}`, 'in the way'), { recursive: true });
    for (let index = 2; index < ROTATED_FILES; index += 1) await writeFile(`${file}.${index}`, `${index}`);
    await append(5);
    expect(await idsOf(file)).toEqual(names(3, 9));
    expect(await idsOf(`${file}.1`)).toEqual(names(0, 3));
    await rm(`${file}.${ROTATED_FILES}`, { recursive: true });
    await append(1);
    expect(await idsOf(file)).toEqual(names(9, 10));
    expect(await idsOf(`${file}.1`)).toEqual(names(3, 9));
    expect(await idsOf(`${file}.2`)).toEqual(names(0, 3));
    for (let index = 2; index < ROTATED_FILES; index += 1)
      expect(await readFile(`${file}.${index + 1}`, 'utf8')).toBe(`${index}`);
  });

  it('behind a link is rotated where it is; the link stays', async () => {
    const real = join(await temporaryFolder(), 'real.ndjson');
    await symlink(real, file);
    await append(4);
    expect(await idsOf(`${real}.1`)).toEqual(names(0, 3));
    expect(await idsOf(file)).toEqual(names(3, 4));
  });

  it('loses nothing for a program that tails it', async () => {
    await append(1);
    const tail = spawn('tail', ['-n', '+1', '-F', file], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void tail.kill());
    let text = '';
    tail.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    for (const total of [3, 6, 9, 12, 14]) {
      await append(total - count);
      await vi.waitUntil(() => text.split('\n').length > total, { timeout: 10_000, interval: 20 });
    }
    expect(idsIn(text)).toEqual(names(0, 14));
  });
});

describe('a reader of events', () => {
  it('reads everything at first, from the oldest file on, and then only what is new', async () => {
    const reader = new EventsReader(file);
    expect(await reader.next()).toBe('');
    await append(8);
    expect(idsIn(await reader.next())).toEqual(names(0, 8));
    expect(await reader.next()).toBe('');
    // What was read is not read again.
    const { size } = await stat(file);
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(size - 1, 'x'), 0, size - 1, 0);
    await handle.close();
    await append(1);
    expect(idsIn(await reader.next())).toEqual(names(8, 9));
  });

  it('misses nothing across rotations, and gives nothing twice', async () => {
    const reader = new EventsReader(file);
    const read: string[] = [];
    for (const events of [2, 2, 3, 7, 1, 0, 5]) {
      await append(events);
      read.push(...idsIn(await reader.next()));
    }
    expect(read).toEqual(names(0, 20));
  });

  it('gives two callers at the same time each line once', async () => {
    await append(5);
    const reader = new EventsReader(file);
    const [first, second] = await Promise.all([reader.next(), reader.next()]);
    expect(idsIn(first)).toEqual(names(0, 5));
    expect(second).toBe('');
  });

  it('waits for the end of a line that is being written', async () => {
    await append(1);
    const reader = new EventsReader(file);
    await reader.next();
    await appendFile(file, lineOf('half').slice(0, 40));
    expect(await reader.next()).toBe('');
    await appendFile(file, lineOf('half').slice(40));
    expect(idsIn(await reader.next())).toEqual(['half']);
  });

  it('starts near the end where it is limited, also in the file before', async () => {
    await append(4);
    const reader = new EventsReader(file, Math.floor(2.5 * lineOf('e00').length));
    const [half, ...lines] = (await reader.next()).split('\n');
    expect(lineOf(name(1)).endsWith(`${half}\n`)).toBe(true);
    expect(idsIn(lines.join('\n'))).toEqual(names(2, 4));
    await append(4);
    expect(idsIn(await reader.next())).toEqual(names(4, 8));
  });

  it('starts again with a file that another program has put there', async () => {
    await append(2);
    const reader = new EventsReader(file);
    await reader.next();
    await writeFile(`${file}.new`, lineOf('other'));
    await rename(`${file}.new`, file);
    expect(idsIn(await reader.next())).toEqual(['other']);
  });

  it('finds the newest event of a recording in any of the files', async () => {
    await append(8);
    const events = await newestEvents(file);
    expect([...events.keys()].sort()).toEqual(names(0, 8));
  });
});
