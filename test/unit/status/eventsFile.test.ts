// The file of status events on a real file system that refuses writes, interrupts them and recovers.
import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, rmdir, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import type { QueuedWrite } from '../../../main/status/eventQueue.ts';
import { EventQueue } from '../../../main/status/eventQueue.ts';
import { appendEvent } from '../../../main/status/eventsFile.ts';
import { temporaryFolder } from '../support/folders.ts';
import { keepingLogger } from '../support/logs.ts';
import { idOf, statusEvent } from '../support/statusEvents.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder, 'events', 'events.ndjson');
  await mkdir(join(folder, 'events'));
});

const lineOf = (id: string): string => `${JSON.stringify(statusEvent(id))}\n`;
const text = (): Promise<string> => readFile(file, 'utf8');
/** Of the lines, each of which has to be whole. */
async function ids(): Promise<string[]> {
  const lines = (await text()).split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => idOf(JSON.parse(line) as ReturnType<typeof statusEvent>));
}

describe('the end of the file, before a line is appended', () => {
  it.each([
    ['in mid-line', lineOf('torn').slice(0, 100)],
    ['within its first bytes', lineOf('torn').slice(0, 5)],
    ['with zeros where a power cut lost its bytes', `${lineOf('torn').slice(0, 30)}${'\0'.repeat(400)}`],
    ['all zeros', '\0'.repeat(4096)],
  ])('a partial line of ours %s is removed', async (_, torn) => {
    await writeFile(file, lineOf('a') + torn);
    await appendEvent(file, statusEvent('b'));
    expect(await text()).toBe(lineOf('a') + lineOf('b'));
  });

  it('a whole line without its end gets it', async () => {
    await writeFile(file, lineOf('a') + lineOf('b').trimEnd());
    await appendEvent(file, statusEvent('c'));
    expect(await ids()).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['short', 'somebody else was here'],
    ['longer than any event', 'x'.repeat(300 * 1024)],
  ])('text of other programs stays, on a separate line: %s', async (_, foreign) => {
    await writeFile(file, foreign);
    await appendEvent(file, statusEvent('a'));
    expect(await text()).toBe(`${foreign}\n${lineOf('a')}`);
  });

  it('a file that was only a torn line is begun anew', async () => {
    await writeFile(file, lineOf('torn').slice(0, 200));
    await appendEvent(file, statusEvent('a'));
    expect(await ids()).toEqual(['a']);
  });
});

describe('a write that fails in mid-line', () => {
  it('leaves whole lines only (the size of files is limited to 1.5 lines, in a separate process)', () => {
    const limited = (bytes: number) => {
      const program = fileURLToPath(new URL('../support/appendEvents.ts', import.meta.url));
      const args = [`--fsize=${bytes}`, process.execPath, '--import', 'tsx', program, file, 'a', 'b'];
      return spawnSync('prlimit', args, { encoding: 'utf8' }).stdout;
    };
    const lineBytes = lineOf('a').length;
    expect(limited(Math.floor(lineBytes * 1.5))).toBe('a written\nb EFBIG\n');
    return expect(ids()).resolves.toEqual(['a']);
  });
});

describe('events on their way to a file that cannot be written', () => {
  interface Timer {
    readonly act: () => void;
    readonly delayMs: number;
    cancelled: boolean;
  }

  function bench() {
    const timers: Timer[] = [];
    const { log, lines } = keepingLogger();
    const queue = new EventQueue({
      place: 'the file',
      write: (event) => appendEvent(file, event),
      log,
      random: () => 1,
      setTimer: (act, delayMs) => {
        const timer = { act, delayMs, cancelled: false };
        timers.push(timer);
        return () => (timer.cancelled = true);
      },
    });
    const durable: string[] = [];
    const add = (id: string): QueuedWrite => {
      const write = queue.add(statusEvent(id));
      void write.durable.then(() => durable.push(id));
      return write;
    };
    return { queue, add, durable, timers, lines };
  }

  const faults: Readonly<Record<string, { begin: () => Promise<unknown>; end: () => Promise<unknown> }>> = {
    'the disk is full': { begin: () => symlink('/dev/full', file), end: () => unlink(file) },
    'A folder is in its place': { begin: () => mkdir(file), end: () => rmdir(file) },
    'A file is in the place of its folder': {
      begin: async () => {
        await rmdir(join(folder, 'events'));
        await writeFile(join(folder, 'events'), '');
      },
      end: () => unlink(join(folder, 'events')),
    },
  };

  it.each(Object.keys(faults))('wait, in order, and the reason is logged once: %s', async (fault) => {
    const { queue, add, durable, timers, lines } = bench();
    await faults[fault]!.begin();
    const first = add('a');
    expect(await first.tried).toMatchObject({
      code: 'EVENTS_NOT_WRITTEN',
      message: expect.stringMatching(new RegExp(fault, 'i')) as string,
    });
    expect(await add('b').tried).toMatchObject({ code: 'EVENTS_NOT_WRITTEN' });
    await add('c').tried;
    // Each wait is longer, and there is only one timer.
    for (const delayMs of [2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
      const timer = timers.at(-1)!;
      expect(timer).toMatchObject({ delayMs, cancelled: false });
      timer.act();
      await queue.idle();
    }
    expect(durable).toEqual([]);
    expect(lines).toMatchObject([{ level: 'error', fields: { code: 'EVENTS_NOT_WRITTEN', waiting: 1 } }]);

    await faults[fault]!.end();
    timers.at(-1)!.act();
    await queue.idle();
    expect(durable).toEqual(['a', 'b', 'c']);
    expect(await ids()).toEqual(['a', 'b', 'c']);
    expect(lines.map(({ level }) => level)).toEqual(['error', 'info']);
    const asked = timers.length;
    expect(await add('d').tried).toBeNull();
    expect(timers).toHaveLength(asked);
  });

  it('delay no caller while a write hangs, and are durable when it ends', async () => {
    let end = (): void => undefined;
    const { log, lines } = keepingLogger();
    const write = (): Promise<void> => new Promise((resolve) => (end = resolve));
    const queue = new EventQueue({ place: 'a share that hangs', write, log, slowMs: 10 });
    const first = queue.add(statusEvent('a'));
    expect(await first.tried).toMatchObject({ code: 'EVENTS_NOT_WRITTEN' });
    expect(await queue.add(statusEvent('b')).tried).toMatchObject({ code: 'EVENTS_NOT_WRITTEN' });
    expect(lines).toHaveLength(1);
    end();
    await first.durable;
  });

  it('are written at once on retryNow, and only once', async () => {
    const { queue, add, timers } = bench();
    await mkdir(file);
    await add('a').tried;
    await rmdir(file);
    queue.retryNow();
    queue.retryNow();
    await queue.idle();
    expect(timers).toMatchObject([{ cancelled: true }]);
    expect(await ids()).toEqual(['a']);
  });

  it('continue after a torn end that could not be removed at once', async () => {
    const { queue, add } = bench();
    await mkdir(file);
    await add('a').tried;
    await rm(file, { recursive: true });
    await appendFile(file, lineOf('a').slice(0, 77));
    queue.retryNow();
    await queue.idle();
    expect(await ids()).toEqual(['a']);
  });
});
