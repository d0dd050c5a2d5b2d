// The status events' file cannot be written for a while: a disk that is full to the last byte in mid-line, a device that
// takes nothing. No event is lost, in the same process or a later one; and who waits for recordings is not kept waiting.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { asSeenBy, withMount } from '../rig/mount.ts';
import { endWithUs } from '../rig/process.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { readEvents, startRecorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { startStrictStore } from '../rig/s3Store.ts';

const needsRoot = process.getuid?.() === 0 ? '' : ' (SKIPPED: needs root for small file systems)';
const RETRIED_WITHIN_MS = 60_000;

let display: Display;
let home: string;
let recorder: Recorder;
let endDisk = (): unknown => undefined;

beforeAll(async () => {
  display = await startDisplay();
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-events-'));
});
afterEach(async () => {
  await recorder.stop();
  endDisk();
  await rm(home, { recursive: true, force: true });
});

async function start(flags: readonly string[], wrapper: readonly string[] = []): Promise<Page> {
  recorder = await startRecorder({ display: display.display, home, flags, wrapper });
  return recorder.connect();
}

/** @returns its recordingId */
async function record(page: Page, contactId: string): Promise<string> {
  const { recordingId } = await page.ask<{ recordingId: string }>('contact.start', {
    contactId,
    channel: 'VOICE',
  });
  await sleep(700);
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
  return recordingId;
}

const inTheSpool = (): Promise<string[]> => readdir(join(recorder.dataDir, 'spool'));

async function spoolIsEmpty(): Promise<void> {
  await vi.waitFor(async () => expect(await inTheSpool()).toEqual([]), RETRIED_WITHIN_MS);
}

/** The deduplication ids in the file, whose lines are all whole, in the order in which each came first. */
async function idsIn(file: string): Promise<string[]> {
  const ids = (await readEvents(file)).map(({ detail }) => detail.eventDeduplicationId);
  expect((await readFile(file, 'utf8')).endsWith('\n')).toBe(true);
  return [...new Set(ids)];
}

const whole = (id: string): string[] => [`${id}:INITIATED`, `${id}:COMPLETED`, `${id}:PUBLISHED`];

/** A disk of its own for the file, which outlives the recorder; `seen` is where this process finds a path on it. */
async function smallDisk(folder: string, options: string) {
  await mkdir(folder);
  const [command, ...words] = [...withMount(folder, options), 'sh', '-c', 'echo; exec sleep infinity'];
  const holder = spawn(command, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(holder);
  await once(holder.stdout, 'data');
  endDisk = () => holder.kill();
  const pid = holder.pid ?? 0;
  return {
    wrapper: ['nsenter', `--mount=/proc/${pid}/ns/mnt`, '--'],
    seen: (name: string) => asSeenBy(pid, join(folder, name)),
  };
}

describe.skipIf(needsRoot !== '')(`a disk that is full in mid-line${needsRoot}`, () => {
  it.each(['the process goes on', 'SIGTERM', 'SIGKILL'] as const)(
    'keeps no event for good: %s',
    async (then) => {
      const disk = await smallDisk(join(home, 'events'), 'size=16k');
      const flags = ['--status-events-file', join(home, 'events', 'events.ndjson')];
      const file = disk.seen('events.ndjson');
      // One page is left: some events, and a part of one.
      await writeFile(disk.seen('filler'), Buffer.alloc(12 * 1024));
      let page = await start(flags, disk.wrapper);
      const ids = [await record(page, 'c1'), await record(page, 'c2')];
      const stuck = await page.push(
        (one) => one.type === 'app.state' && one.uploads.reason?.code === 'EVENTS_NOT_WRITTEN',
      );
      expect(stuck).toMatchObject({ uploads: { pending: 1 }, state: 'idle' });
      // Recording and delivery go on.
      ids.push(await record(page, 'c3'));
      expect(await page.ask('status')).toMatchObject({ state: 'idle', recordings: [] });
      expect(recorder.stderr()).toContain('"code":"EVENTS_NOT_WRITTEN"');
      expect(await inTheSpool()).toHaveLength(2);
      const before = await idsIn(file);
      expect(before.length).toBeLessThan(6);

      if (then !== 'the process goes on') {
        recorder.kill(then);
        await recorder.exited;
        page = await start(flags, disk.wrapper);
        await page.event('c3', 'PUBLISHED');
        expect(await idsIn(file)).toEqual(before);
      }
      await unlink(disk.seen('filler'));
      await spoolIsEmpty();
      const written = await idsIn(file);
      expect(written).toHaveLength(9);
      for (const id of ids) expect(written.filter((one) => one.startsWith(id))).toEqual(whole(id));
      const state = page.pushes.findLast((one) => one.type === 'app.state');
      expect(state).toMatchObject({ uploads: { pending: 0, reason: null } });
      expect(await recorder.published()).toHaveLength(3);
    },
    120_000,
  );
});

describe('a recording that the sink does not take', () => {
  it('is overdue after policy’s minutes, once, also after a crash, and then PUBLISHED', async () => {
    const store = await startStrictStore();
    endDisk = () => void store.stop();
    const { flags, environment } = s3Options(store, ['--overdue-minutes', '1']);
    const run = async (): Promise<Page> => {
      recorder = await startRecorder({ display: display.display, home, flags, environment });
      return recorder.connect();
    };
    await store.strict?.down();
    const page = await run();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE', queue: 'Q' });
    await sleep(700);
    await page.ask('contact.stop', { contactId: 'c' });
    const { detail: completed } = await page.event('c', 'COMPLETED');
    const overdue = await page.event('c', 'OVERDUE');
    expect(overdue['detail-type']).toBe('Screen Recording Overdue');
    expect(overdue.detail).toMatchObject({
      recordingInfo: 'recordingInfo' in completed ? completed.recordingInfo : {},
      overdueInfo: { overdueMinutes: 1, reason: { code: 'CLIENT_CONNECTION_ERROR', source: 'CLIENT' } },
      sightline: { channel: 'VOICE', queue: 'Q' },
    });
    const endTime =
      'recordingInfo' in completed && 'endTime' in completed.recordingInfo
        ? completed.recordingInfo.endTime
        : '';
    const lateMs = Date.parse(overdue.time) - Date.parse(endTime);
    expect(lateMs).toBeGreaterThanOrEqual(60_000);
    expect(lateMs).toBeLessThan(65_000);

    // Killed before the journal has it, the event would be announced again.
    await sleep(1000);
    recorder.kill('SIGKILL');
    await recorder.exited;
    const back = await run();
    // A second notice would come 30 s after the start.
    await sleep(33_000);
    expect(back.pushes.some((one) => one.type === 'recording.status')).toBe(false);
    await store.strict?.up();
    await back.event('c', 'PUBLISHED');
    const statuses = (await recorder.events()).map(({ detail }) => detail.recordingStatus);
    expect(statuses).toEqual(['INITIATED', 'COMPLETED', 'OVERDUE', 'PUBLISHED']);
  }, 240_000);
});

describe('a file that takes nothing', () => {
  const flags = (): string[] => ['--status-events-file', join(home, 'events.ndjson')];
  const end = (): Promise<void> => unlink(join(home, 'events.ndjson'));
  beforeEach(() => symlink('/dev/full', join(home, 'events.ndjson')));

  it('FAILED, of which the journal is all there is, is announced by the process after the next', async () => {
    const noFfmpeg = [...flags(), '--ffmpeg-path', join(home, 'no-such-ffmpeg')];
    const page = await start(noFfmpeg);
    expect((await page.request('contact.start', { contactId: 'c', channel: 'VOICE' })).ok).toBe(false);
    const { eventDeduplicationId } = (await page.event('c', 'FAILED')).detail;
    for (let restarts = 0; restarts < 2; restarts += 1) {
      recorder.kill('SIGKILL');
      await recorder.exited;
      await start(noFfmpeg);
      expect(await inTheSpool()).toHaveLength(1);
    }
    await end();
    await spoolIsEmpty();
    const id = eventDeduplicationId.replace(/:FAILED$/, '');
    expect(await idsIn(join(home, 'events.ndjson'))).toEqual([`${id}:INITIATED`, `${id}:FAILED`]);
  });

  it('FAILED, of a recording of which the spool knows nothing, is written when the file takes it', async () => {
    await mkdir(join(home, 'data'));
    const page = await start(flags());
    await writeFile(join(home, 'data', 'spool'), 'in the way');
    expect((await page.request('contact.start', { contactId: 'c', channel: 'VOICE' })).ok).toBe(false);
    const failed = await page.event('c', 'FAILED');
    await end();
    const id = failed.detail.eventDeduplicationId.replace(/:FAILED$/, '');
    await vi.waitFor(
      async () =>
        expect(await idsIn(join(home, 'events.ndjson'))).toEqual([`${id}:INITIATED`, `${id}:FAILED`]),
      RETRIED_WITHIN_MS,
    );
  });

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'what a page said of a contact is in every event, whichever process announces it: %s',
    async (signal) => {
      await start(flags());
      const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/150.0.0.0';
      const page = await recorder.connect({
        userAgent: `\t${chrome}\x80\x9f${'x'.repeat(4000)}`,
        hello: { browser: undefined },
      });
      const facts = { channel: 'CHAT', queue: 'Billing \u202e EU', initialContactId: 'first-1' };
      await page.ask('contact.start', { contactId: 'c', ...facts, attributes: { card: '4711' } });
      await sleep(700);
      await page.ask('contact.stop', { contactId: 'c' });
      const pushed = await page.event('c', 'PUBLISHED');
      recorder.kill(signal);
      await recorder.exited;
      await end();
      // The page that comes back says less: what counts is what was said at the start of the contact.
      const back = await start(flags());
      await spoolIsEmpty();
      await back.close();
      const written = await readEvents(join(home, 'events.ndjson'));
      const last = new Map(written.map((event) => [event.detail.recordingStatus, event.detail]));
      expect([...last.keys()]).toEqual(['INITIATED', 'COMPLETED', 'PUBLISHED']);
      for (const detail of [...last.values(), pushed.detail]) {
        expect(detail.sightline).toEqual(facts);
        expect(detail.clientInfo.browser).toMatch(/^Mozilla.*150\.0\.0\.0x{50,}$/);
        expect(detail.clientInfo.browser).toHaveLength(256);
      }
      expect(JSON.stringify(written)).not.toContain('4711');
      const [{ manifest } = { manifest: null }] = await recorder.published();
      expect(manifest?.contact).toMatchObject({ ...facts, attributes: { card: '4711' } });
      expect(manifest?.host.browser).toBe(pushed.detail.clientInfo.browser);
    },
  );

  it('FAILED of which no journal knows says as much', async () => {
    await mkdir(join(home, 'data'));
    const page = await start(flags());
    await writeFile(join(home, 'data', 'spool'), 'in the way');
    await page.request('contact.start', { contactId: 'c', channel: 'TASK', queue: 'Q' });
    const { detail } = await page.event('c', 'FAILED');
    expect(detail.sightline).toEqual({ channel: 'TASK', queue: 'Q' });
    expect(detail.clientInfo.browser).toBe('the test rig');
  });

  it('a clean end waits for nothing', async () => {
    const page = await start(flags());
    await record(page, 'c');
    const asked = Date.now();
    expect(await recorder.stop()).toBe(0);
    expect(Date.now() - asked).toBeLessThan(3000);
  });
});
