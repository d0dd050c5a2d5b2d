// What Windows tells the session: lock, disconnected remote desktop, sleep, sign-out; its registry; its protection of keys.
// The helper is the real one. Wine has neither a lock screen nor sessions, so a program sends its window the messages.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { compileForWindows } from '../rig/compiled.ts';
import { oneMonitor, startDesk, type Desk } from '../rig/desk.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { host } from '../rig/program.ts';
import { startRecorder, type Page, type Recorder } from '../rig/recorder.ts';
import { downloadPublished, s3Options } from '../rig/s3Recorder.ts';
import { startStrictStore } from '../rig/s3Store.ts';
import { startSlowLine } from '../rig/slowLine.ts';
import { onDrive, winePrefix, wineSession } from '../rig/wine.ts';

const WM_QUERYENDSESSION = 0x11;
const WM_ENDSESSION = 0x16;
const WM_POWERBROADCAST = 0x218;
const WM_WTSSESSION_CHANGE = 0x2b1;
const [REMOTE_CONNECT, REMOTE_DISCONNECT, CONSOLE_CONNECT, CONSOLE_DISCONNECT, LOCK, UNLOCK] = [
  3, 4, 1, 2, 7, 8,
];
const [SLEEP, WAKE] = [4, 0x12];
const ENDSESSION_CLOSEAPP = 1;
const ENDSESSION_LOGOFF = 0x80000000;
const POLICY = 'HKLM\\SOFTWARE\\Policies\\Sightline';
const contact = { contactId: 'c1', channel: 'VOICE' };

let desk: Desk;
let tellWindow: string;
let home: string;
let recorder: Recorder;
let page: Page;

beforeAll(async () => {
  desk = await startDesk({ monitors: oneMonitor });
  tellWindow = await compileForWindows(fileURLToPath(new URL('../rig/c/tellWindow.c', import.meta.url)));
});
afterAll(() => desk.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-session-'));
  await start();
});
afterEach(async () => {
  await recorder.stop();
  await rm(home, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<void> {
  recorder = await startRecorder({ display: desk.display, home, flags });
  page = await recorder.connect();
}

async function onWindows(program: string, ...args: string[]): Promise<string> {
  const { loader, environment } = await wineSession(desk.display);
  const child = spawn(loader, [program, ...args], { env: environment, stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const [code] = (await once(child, 'exit')) as [number];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${text}`);
  return text;
}

/** @returns what the window returned for each message, once it has */
async function tell(
  ...messages: (readonly [message: number, first: number, second?: number])[]
): Promise<string[]> {
  const words = messages.flatMap(([message, first, second = 0]) => [message, first, second].map(String));
  return (await onWindows(onDrive(tellWindow), ...words)).trim().split(/\s+/);
}

it.each([
  ['locked', [WM_WTSSESSION_CHANGE, LOCK], [WM_WTSSESSION_CHANGE, UNLOCK]],
  ['disconnected', [WM_WTSSESSION_CHANGE, REMOTE_DISCONNECT], [WM_WTSSESSION_CHANGE, REMOTE_CONNECT]],
  ['switched-away', [WM_WTSSESSION_CHANGE, CONSOLE_DISCONNECT], [WM_WTSSESSION_CHANGE, CONSOLE_CONNECT]],
  ['asleep', [WM_POWERBROADCAST, SLEEP], [WM_POWERBROADCAST, WAKE]],
] as const)('%s: a pause with its reason, and capture returns', async (reason, away, back) => {
  await page.ask('contact.start', contact);
  await sleep(600);
  await tell(away);
  await vi.waitFor(async () => {
    expect(await page.ask('status', {})).toMatchObject({ state: 'paused', reason: { code: reason } });
  });
  expect(await host.ffmpegs(recorder.pid)).toEqual([]);
  await tell(back);
  await vi.waitFor(
    async () => expect(await page.ask('status', {})).toMatchObject({ state: 'recording' }),
    10_000,
  );
  await sleep(400);
  await page.ask('contact.stop', contact);
  await page.event('c1', 'PUBLISHED');
  const [found] = await recorder.published();
  expect(found!.manifest.gaps.map((gap) => gap.reason)).toEqual([reason]);
  expect(await decodesCleanly(found!.mp4)).toBe('');
});

it('sign-out in mid-contact: Windows waits until the recording is complete and delivered', async () => {
  await page.ask('contact.start', contact);
  await sleep(800);
  const told = tell([WM_QUERYENDSESSION, 0, ENDSESSION_LOGOFF], [WM_ENDSESSION, 1, ENDSESSION_LOGOFF]);
  expect(await recorder.exited).toBe(0);
  const [found] = await recorder.published();
  expect(await told).toEqual(['1', '0']);
  expect(await decodesCleanly(found!.mp4)).toBe('');
  expect(found!.manifest.contact.contactId).toBe('c1');
  expect(recorder.stderr()).toContain('"because":"sign-out"');
  expect(recorder.stderr()).not.toContain('did not end in time');
});

it('the end of Wine’s own session: the recording is complete and delivered', async () => {
  await page.ask('contact.start', contact);
  await sleep(800);
  await onWindows('wineboot', '--end-session');
  expect(await recorder.exited).toBe(0);
  const [found] = await recorder.published();
  expect(await decodesCleanly(found!.mp4)).toBe('');
  expect(recorder.stderr()).toContain('"because":"shutdown"');
});

it.each([
  [4, 0],
  [60, 1],
])('sign-out over a slow line: policy permits %d s, uploaded: %d', async (seconds, uploaded) => {
  await recorder.stop();
  const store = await startStrictStore();
  const line = await startSlowLine(Number(new URL(store.endpoint).port), 8000);
  try {
    const endpoint = `http://127.0.0.1:${line.port}`;
    store.strict!.frontHost = new URL(endpoint).host;
    const options = s3Options({ ...store, endpoint }, ['--sign-out-wait-seconds', String(seconds)]);
    recorder = await startRecorder({ display: desk.display, home, ...options });
    page = await recorder.connect();
    await page.ask('contact.start', contact);
    await sleep(1500);
    await tell([WM_QUERYENDSESSION, 0, ENDSESSION_LOGOFF], [WM_ENDSESSION, 1, ENDSESSION_LOGOFF]);
    expect(await recorder.exited).toBe(0);
    const delivered = await downloadPublished(store, join(home, 'delivered'), () => true);
    expect(delivered).toHaveLength(uploaded);
    // What was not uploaded is complete on the disk, and follows at the next sign-in.
    line.bytesPerSecond = 10_000_000;
    recorder = await startRecorder({ display: desk.display, home, ...options });
    await vi.waitFor(async () => {
      const events = await recorder.events();
      expect(events.at(-1)?.detail.recordingStatus).toBe('PUBLISHED');
    }, 20_000);
  } finally {
    await recorder.stop();
    await line.stop();
    await store.stop();
  }
});

it('sign-out that somebody cancels, and a program that wants our files, end nothing', async () => {
  await page.ask('contact.start', contact);
  const answers = await tell(
    ...[[WM_QUERYENDSESSION, 0, ENDSESSION_LOGOFF] as const, [WM_ENDSESSION, 0, ENDSESSION_LOGOFF] as const],
    [WM_QUERYENDSESSION, 0, ENDSESSION_CLOSEAPP],
  );
  expect(answers).toEqual(['1', '0', '0']);
  expect(await page.ask('status', {})).toMatchObject({ state: 'recording' });
  await page.ask('contact.stop', contact);
  await page.event('c1', 'PUBLISHED');
});

it('a kill right after the first start: the key is Windows’, and the recording is read again', async () => {
  await page.ask('contact.start', contact);
  await sleep(600);
  recorder.kill('SIGKILL');
  await recorder.exited;
  await expect(access(join(home, 'data', 'spool.key'))).rejects.toThrow('ENOENT');
  await start();
  await page.ask('contact.stop', contact);
  await page.event('c1', 'PUBLISHED');
  const [found] = await recorder.published();
  expect(await decodesCleanly(found!.mp4)).toBe('');
  expect(recorder.stderr()).not.toContain('key store is not used');
});

it('a key that Windows does not open any more is told at once, and recording goes on', async () => {
  await page.ask('contact.start', contact);
  await sleep(600);
  recorder.kill('SIGKILL');
  await recorder.exited;
  const [session] = await readdir(join(home, 'data', 'spool'));
  const journal = join(home, 'data', 'spool', session!, 'journal.ndjson');
  const text = await readFile(journal, 'utf8');
  const { key } = JSON.parse(text.split('\n')[0]!) as { key: { store: string; wrapped: string } };
  expect(key.store).toBe('dpapi');
  const other = Buffer.from(key.wrapped, 'base64');
  other[other.length - 4]! ^= 1;
  await writeFile(journal, text.replace(key.wrapped, other.toString('base64')));
  await start();
  expect(recorder.stderr()).toMatch(/a spool folder cannot be read.*DPAPI/);
  const failed = (await recorder.events()).filter(({ detail }) => detail.recordingStatus === 'FAILED');
  expect(JSON.stringify(failed)).toMatch(/c1.*SPOOL_UNREADABLE/);
  await page.ask('contact.start', { contactId: 'next', channel: 'VOICE' });
  await sleep(500);
  await page.ask('contact.stop', { contactId: 'next' });
  await page.event('next', 'PUBLISHED');
});

it('policy in the registry is read and followed where reg.exe is blocked, in letters of any language', async () => {
  const tool = join(winePrefix(), 'drive_c/windows/system32/reg.exe');
  const add = (name: string, data: string) =>
    onWindows('reg', 'add', POLICY, '/v', name, '/t', 'REG_SZ', '/d', data, '/f');
  const changes = () =>
    recorder.stderr().match(/"policy has changed","keys":\[.*"graceSeconds"/g)?.length ?? 0;
  const blocked = async (work: () => Promise<void>): Promise<void> => {
    await rename(tool, `${tool}.blocked`);
    await work().finally(() => rename(`${tool}.blocked`, tool));
  };
  await add('awsProfile', 'Gespräche 録画');
  await add('graceSeconds', '77');
  try {
    await vi.waitFor(() => expect(changes()).toBe(1), 10_000);
    await blocked(async () => {
      const { code, stdout, stderr } = await host.run({
        ...{ args: ['policy', '--json'], display: desk.display, environment: {}, wrapper: [] },
      });
      expect(code, stderr).toBe(0);
      const { keys } = JSON.parse(stdout) as { keys: Record<string, { value: unknown; source: string }> };
      expect(keys.awsProfile).toEqual({ value: 'Gespräche 録画', source: 'HKLM' });
    });
  } finally {
    await onWindows('reg', 'delete', POLICY, '/f');
  }
  await vi.waitFor(() => expect(changes()).toBe(2), 10_000);
});
