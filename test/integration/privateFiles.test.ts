// Who may read what Sightline writes, with the worst umask and from a folder like "/": looked at while it records, from
// the first moment of each file, and after. And the log, which has to be there whatever folder it is started from.
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { withMount } from '../rig/mount.ts';
import { startRecorder, type Recorder } from '../rig/recorder.ts';

const wide = ['sh', '-c', 'umask 000; cd /; exec "$@"', 'sh'];
let display: Display;
let home: string;
let recorder: Recorder | null = null;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-private-'));
});
afterEach(async () => {
  await recorder?.stop();
  recorder = null;
  await rm(home, { recursive: true, force: true });
});

async function record(flags: readonly string[] = [], wrapper: readonly string[] = wide): Promise<Recorder> {
  recorder = await startRecorder({ display: display.display, home, wrapper, flags });
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
  await sleep(800);
  await page.ask('contact.stop', { contactId: 'c' });
  await page.event('c', 'PUBLISHED');
  return recorder;
}

/** Every file and folder below, with its permissions as octal digits. */
async function modes(folder: string): Promise<Map<string, string>> {
  const names = ['', ...(await readdir(folder, { recursive: true }).catch(() => []))];
  const found = await Promise.all(
    names.map(async (name) => {
      const one = await stat(join(folder, name)).catch(() => null); // gone by now
      return one === null ? [] : ([[name, (one.mode & 0o777).toString(8)]] as [string, string][]);
    }),
  );
  return new Map(found.flat());
}

async function exposed(folder: string): Promise<string[]> {
  return [...(await modes(folder))]
    .filter(([, mode]) => !/^[67]00$/.test(mode))
    .map(([name, mode]) => `${name} ${mode}`);
}

it('nobody else can read anything of it at any moment, whatever the umask', async () => {
  const seen = new Set<string>();
  let looks = 0;
  const end = new AbortController();
  await chmod(home, 0o755);
  const looking = (async () => {
    while (!end.signal.aborted) {
      for (const name of await exposed(join(home, 'data'))) seen.add(name);
      looks += 1;
      await sleep(5);
    }
  })();
  await record(['--sink-folder', join(home, 'data', 'recordings')]);
  end.abort();
  await looking;
  expect(looks).toBeGreaterThan(50);
  expect([...seen]).toEqual([]);
  const names = [...(await modes(join(home, 'data'))).keys()];
  for (const wanted of ['logs/sightline.log', 'status-events.ndjson', 'spool.key', 'control.json'])
    expect(names).toContain(wanted);
  expect(names.filter((name) => /^recordings\/.*\.(mp4|json)$/.test(name))).toHaveLength(2);
});

it('what an earlier version left open to others is closed at the start, and said', async () => {
  const data = join(home, 'data');
  const outside = join(home, 'outside');
  await writeFile(outside, '', { mode: 0o644 });
  await mkdir(join(data, 'logs'), { recursive: true });
  await mkdir(join(data, 'recordings', '2026'), { recursive: true });
  await mkdir(join(data, 'photos'));
  for (const name of ['status-events.ndjson', 'logs/sightline.log', 'recordings/2026/a.mp4', 'photos/b.jpg'])
    await writeFile(join(data, name), '');
  await symlink(outside, join(data, 'a link'));
  for (const name of await readdir(data, { recursive: true }))
    if (name !== 'a link') await chmod(join(data, name), 0o777);
  await chmod(data, 0o755);
  recorder = await startRecorder({ display: null, home, wrapper: wide });
  // What is none of Sightline's is left alone, behind the folder's own door.
  const left = (await exposed(data)).map((line) => line.split(' ')[0]);
  expect(new Set(left)).toEqual(new Set(['photos', 'photos/b.jpg', 'a']));
  expect((await stat(outside)).mode & 0o777).toBe(0o644);
  expect((await stat(data)).mode & 0o777).toBe(0o700);
  expect(recorder.stderr()).toContain('files of Sightline could be read by other users; now they cannot');
});

it('a sink folder that IT shares with a group: the group reads what is put there, nobody else does', async () => {
  const sink = join(home, 'sink');
  await mkdir(sink);
  await chmod(sink, 0o2770);
  await record();
  const found = await modes(sink);
  found.delete('');
  const [folders, files] = [/^750$/, /^640$/];
  const isFile = (name: string): boolean => /\.(mp4|json)$|^\.sightline-sink-/.test(name);
  for (const [name, mode] of found) expect(mode).toMatch(isFile(name) ? files : folders);
  expect([...found.keys()].filter((name) => /\.(mp4|json)$/.test(name))).toHaveLength(2);
  const instance = (await readdir(sink)).find((name) => !isFile(name));
  expect((await stat(join(sink, instance!))).mode & 0o2000).toBe(0o2000);
});

it('a sink folder that Sightline makes is for its user alone', async () => {
  await record();
  expect(await exposed(join(home, 'sink'))).toEqual([]);
});

it('the log is written whatever folder Sightline is started from', async () => {
  recorder = await startRecorder({ display: null, home, wrapper: wide });
  // It is logged right after the line that the rig waits for.
  await expect
    .poll(() => readFile(join(home, 'data', 'logs', 'sightline.log'), 'utf8'))
    .toContain('"message":"ready"');
});

it('a log that cannot be written is said on stderr, once', async () => {
  await mkdir(join(home, 'data', 'logs'), { recursive: true });
  recorder = await startRecorder({
    display: null,
    home,
    wrapper: withMount(join(home, 'data', 'logs'), 'ro'),
  });
  const complaints = recorder
    .stderr()
    .split('\n')
    .filter((line) => line.includes('the log cannot be written'));
  expect(complaints).toHaveLength(1);
  expect(JSON.parse(complaints[0]!)).toMatchObject({ level: 'error', reason: 'EROFS' });
});
