// The room of the spool on real file systems: its quota and the disk's floor reached in mid-contact, and what goes when.
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { decodeFrames, frameClockErrors } from '../rig/frames.ts';
import { asSeenBy, withMount } from '../rig/mount.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { readPublished, startRecorder } from '../rig/recorder.ts';

const MIB = 1024 * 1024;
/** Only root can look into another program's mounts everywhere. */
const needsRoot = process.getuid?.() === 0 ? '' : ' (SKIPPED: needs root for small file systems)';

let display: Display;
let painter: Painter;
let home: string;

beforeAll(async () => {
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'busy', timecode: true });
});
afterAll(async () => {
  await painter.stop();
  await display.stop();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-room-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

function start(...flags: string[]): Promise<Recorder> {
  return startRecorder({ display: display.display, home, flags });
}

/** With a data folder that is a disk of its own; `fill` and `free` act on that disk. */
async function startOnDisk(
  sizeMiB: number,
  ...flags: string[]
): Promise<{ recorder: Recorder; fill: (mib: number) => Promise<void>; free: () => Promise<void> }> {
  const data = join(home, 'data');
  await mkdir(data);
  const wrapper = withMount(data, `size=${sizeMiB}m`);
  const recorder = await startRecorder({ display: display.display, home, flags, wrapper });
  const filler = asSeenBy(recorder.pid, join(data, 'filler'));
  return { recorder, fill: (mib) => writeFile(filler, Buffer.alloc(mib * MIB)), free: () => rm(filler) };
}

async function record(page: Page, contactId: string): Promise<void> {
  await page.ask('contact.start', { contactId, channel: 'VOICE' });
  await sleep(1000);
  await page.ask('contact.stop', { contactId });
  await page.event(contactId, 'PUBLISHED');
}

/** The one moment at which nothing can be captured for want of room. */
async function outOfRoom(page: Page): Promise<string> {
  const push = await page.push(
    (one) => one.type === 'app.state' && one.state === 'problem' && one.reason?.code === 'SPOOL_FULL',
  );
  return push.type === 'app.state' ? (push.reason?.message ?? '') : '';
}

/** Capture is back after the last of these pushes. */
function recordingAgain(page: Page): Promise<unknown> {
  const before = page.pushes.findLast((one) => one.type === 'app.state' && one.state === 'problem');
  return page.push(
    (one) => one.type === 'app.state' && one.state === 'recording' && one.rev > (before?.rev ?? 0),
  );
}

async function spooled(recorder: Recorder): Promise<{ runs: string[]; bytes: number }> {
  const root = join(recorder.dataDir, 'spool');
  const names = await readdir(root, { recursive: true });
  const sizes = await Promise.all(names.map((name) => stat(join(root, name)).catch(() => null)));
  const bytes = sizes.reduce((sum, one) => sum + (one?.isFile() ? one.size : 0), 0);
  return { runs: names.filter((name) => name.endsWith('.run')).sort(), bytes };
}

/** In the file of the recording with the gap; its pictures are where they belong on both sides of it. */
async function expectRecordingWithGap(sink: string, contactId: string): Promise<void> {
  const found = (await readPublished(sink)).find((one) => one.manifest.contact.contactId === contactId);
  expect(found?.manifest.gaps.map((gap) => gap.reason)).toEqual(['spool-full']);
  expect(found?.manifest.runs).toHaveLength(2);
  expect(await decodesCleanly(found!.mp4)).toBe('');
  const durationMs = found!.manifest.durationMs;
  expect(Math.abs((await probe(found!.mp4)).durationMs - durationMs)).toBeLessThanOrEqual(200);
  const errors = frameClockErrors(
    await decodeFrames(found!.mp4),
    Date.parse(found!.manifest.startTime),
    found!.manifest.gaps,
  );
  expect(errors.count).toBeGreaterThanOrEqual(8);
  expect(errors.maxMs).toBeLessThanOrEqual(200);
}

describe('the quota of the spool', () => {
  const quota = ['--spool-quota-mib', '1', '--spool-min-free-mib', '0'];

  it('used up in mid-contact while the sink refuses: all is kept, and capture goes on when the sink is mended', async () => {
    const blocker = join(home, 'file');
    await writeFile(blocker, 'in the way');
    const recorder = await start(...quota, '--sink-folder', join(blocker, 'sink'));
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'first', channel: 'VOICE' });
    await sleep(1500);
    await page.ask('contact.stop', { contactId: 'first' });
    await page.event('first', 'FAILED');
    await page.ask('contact.start', { contactId: 'second', channel: 'VOICE' });
    const message = await outOfRoom(page);
    expect(message).toMatch(
      /spoolQuotaMiB.*Fix the upload destination so that 1 waiting recording can be uploaded and deleted, or raise spoolQuotaMiB/s,
    );
    const full = await spooled(recorder);
    expect(full.runs).toHaveLength(2);
    expect(full.bytes).toBeLessThanOrEqual(MIB);
    // Capture is being tried again and again; nothing comes of that, in the spool or in the sink.
    await sleep(3000);
    expect((await spooled(recorder)).runs).toEqual(full.runs);
    expect((await page.ask('status')).state).toBe('problem');
    await rm(blocker);
    await page.event('first', 'PUBLISHED');
    await recordingAgain(page);
    await sleep(1500);
    await page.ask('contact.stop', { contactId: 'second' });
    await page.event('second', 'PUBLISHED');
    await expectRecordingWithGap(join(blocker, 'sink'), 'second');
    expect(await readdir(join(recorder.dataDir, 'spool'))).toEqual([]);
    expect(await recorder.stop()).toBe(0);
  });

  it('used up before a contact: the start says so, with what to do', async () => {
    const spool = join(home, 'data', 'spool');
    await mkdir(join(spool, 'unreadable'), { recursive: true });
    await writeFile(join(spool, 'unreadable', 'left.run'), Buffer.alloc(MIB));
    const recorder = await start(...quota);
    const page = await recorder.connect();
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply.error).toMatchObject({ code: 'SPOOL_FULL', source: 'CLIENT' });
    expect(reply.error?.message).toContain('spoolQuotaMiB');
    const failed = await page.event('c', 'FAILED');
    expect(failed.detail).toMatchObject({ failureInfo: { code: 'SPOOL_FULL' } });
    expect((await spooled(recorder)).runs).toEqual(['unreadable/left.run']);
    await recorder.stop();
  });
});

describe.skipIf(needsRoot !== '')(`the disk under the spool${needsRoot}`, () => {
  it('below its floor in mid-contact: what is there is kept, and capture goes on above it', async () => {
    const { recorder, fill, free } = await startOnDisk(32, '--spool-min-free-mib', '16');
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await sleep(1000);
    await fill(16);
    expect(await outOfRoom(page)).toMatch(
      /Only 1\d\.\d MiB are free .* 16\.0 MiB must stay free \(policy "spoolMinFreeMiB"\).*Free some space on the disk/s,
    );
    // Longer than a frame: a gap.
    await sleep(500);
    await free();
    await recordingAgain(page);
    await sleep(1500);
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    await expectRecordingWithGap(recorder.sinkFolder, 'c');
    expect(await recorder.stop()).toBe(0);
  });

  it('full without a floor in mid-contact: the same', async () => {
    const { recorder, fill, free } = await startOnDisk(32, '--spool-min-free-mib', '0');
    await fill(30);
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(await outOfRoom(page)).toContain('is full. Free some space');
    // Longer than a frame: a gap.
    await sleep(500);
    await free();
    await recordingAgain(page);
    await sleep(1500);
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    await expectRecordingWithGap(recorder.sinkFolder, 'c');
    expect(await recorder.stop()).toBe(0);
  });
});

describe('published recordings that policy keeps', () => {
  const keep = ['--keep-published-hours', '1', '--spool-min-free-mib', '0'];

  it('go first, oldest first, when the quota is reached; the next start finds the others and says nothing', async () => {
    const recorder = await start(...keep, '--spool-quota-mib', '1');
    const page = await recorder.connect();
    await record(page, 'first');
    const [oldest] = (await spooled(recorder)).runs;
    await record(page, 'second');
    const both = (await spooled(recorder)).runs;
    expect(both).toHaveLength(2);
    await page.ask('contact.start', { contactId: 'third', channel: 'VOICE' });
    await vi.waitUntil(async () => !(await spooled(recorder)).runs.includes(oldest!), { timeout: 30_000 });
    const { runs, bytes } = await spooled(recorder);
    expect(runs).toContain(both.find((name) => name !== oldest));
    expect(bytes).toBeLessThanOrEqual(MIB);
    expect((await page.ask('status')).state).toBe('recording');
    await page.ask('contact.stop', { contactId: 'third' });
    await page.event('third', 'PUBLISHED');
    expect(await recorder.stop()).toBe(0);

    const left = await spooled(recorder);
    const events = await recorder.events();
    const again = await start(...keep);
    const pushed = await (await again.connect()).push((one) => one.type === 'app.state');
    expect(pushed).toMatchObject({ state: 'idle', uploads: { pending: 0, failed: 0 } });
    expect(await spooled(again)).toEqual(left);
    expect(await again.events()).toEqual(events);
    expect(await again.published()).toHaveLength(3);
    await again.stop();

    const last = await start('--keep-published-hours', '0');
    expect(await readdir(join(last.dataDir, 'spool'))).toEqual([]);
    expect(await last.events()).toEqual(events);
    await last.stop();
  });
});
