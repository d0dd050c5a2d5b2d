// What goes wrong on real desks: missing programs, no screen, full disks, things that die. Each must say what to do,
// under a stable code, and lose nothing that was recorded.
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StatusEvent } from '../../main/shared/statusEvent.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { decodeFrames, frameClockErrors } from '../rig/frames.ts';
import { withMount } from '../rig/mount.ts';
import { decodesCleanly, probe } from '../rig/mp4.ts';
import type { Painter } from '../rig/painter.ts';
import { startPainter } from '../rig/painter.ts';
import { findTool } from '../rig/process.ts';
import type { Page, Recorder } from '../rig/recorder.ts';
import { startRecorder } from '../rig/recorder.ts';

let display: Display;
let painter: Painter;
let home: string;

beforeAll(async () => {
  display = await startDisplay();
  painter = await startPainter({ display: display.display, scene: 'timecode' });
});
afterAll(async () => {
  await painter.stop();
  await display.stop();
});
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-failures-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function record(
  page: Page,
  contactId: string,
  ms = 1200,
): Promise<{ startTime: number; endTime: number }> {
  const started = await page.ask<{ startTime: string }>('contact.start', { contactId, channel: 'VOICE' });
  await sleep(ms);
  const stopped = await page.ask<{ endTime: string }>('contact.stop', { contactId });
  return { startTime: Date.parse(started.startTime), endTime: Date.parse(stopped.endTime) };
}

function failureOf(event: StatusEvent): { code: string; message: string; source: string } {
  if (event.detail.recordingStatus !== 'FAILED') throw new Error('not a FAILED event');
  return event.detail.failureInfo;
}

/** Every later test begins with a spool that still holds what could not be delivered. */
async function spooledRuns(recorder: Recorder): Promise<string[]> {
  const names = await readdir(join(recorder.dataDir, 'spool'), { recursive: true });
  return names.filter((name) => name.endsWith('.run'));
}

describe('ffmpeg', () => {
  it('missing: start says so and the recording that was promised is FAILED', async () => {
    const recorder = await startRecorder({
      display: display.display,
      home,
      flags: ['--ffmpeg-path', join(home, 'no-such-ffmpeg')],
    });
    const page = await recorder.connect({ hello: {} });
    expect(await page.ask('status')).toMatchObject({ state: 'problem' });
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply.error).toMatchObject({ code: 'ENCODER_UNAVAILABLE', source: 'CLIENT' });
    expect(reply.error?.message).toContain('no-such-ffmpeg');
    expect(failureOf(await page.event('c', 'FAILED')).code).toBe('ENCODER_UNAVAILABLE');
    expect(await page.ask('status')).toMatchObject({ recordings: [] });
    expect(await recorder.stop()).toBe(0);
  });

  it('without any H.264 encoder that Sightline knows', async () => {
    // A real ffmpeg whose one H.264 encoder goes by a name that nobody has heard of.
    const own = fileURLToPath(new URL('../../resources/ffmpeg/linux-x64/ffmpeg', import.meta.url));
    const renamed = join(home, 'ffmpeg');
    const bytes = await readFile(own);
    for (let at = bytes.indexOf('libopenh264\0'); at !== -1; at = bytes.indexOf('libopenh264\0', at + 1)) {
      bytes.write('libclosedxx', at, 'latin1');
    }
    await writeFile(renamed, bytes);
    await chmod(renamed, 0o755);
    const recorder = await startRecorder({
      display: display.display,
      home,
      flags: ['--ffmpeg-path', renamed],
    });
    const page = await recorder.connect();
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply.error).toMatchObject({ code: 'ENCODER_UNAVAILABLE' });
    expect(reply.error?.message).toContain('no H.264 encoder');
    expect(failureOf(await page.event('c', 'FAILED')).code).toBe('ENCODER_UNAVAILABLE');
    await recorder.stop();
  });

  it('without libopenh264: falls back, warns, and says so everywhere', async () => {
    const system = findTool(['ffmpeg'], 'Run `npm run setup`.');
    const recorder = await startRecorder({
      display: display.display,
      home,
      flags: ['--ffmpeg-path', system],
    });
    const page = await recorder.connect({ hello: false });
    const agentHello = await page.ask('hello', { protocol: 1, agentArn: 'arn:a', instanceArn: 'arn:i' });
    expect(agentHello.encoder).toBe('libx264');
    const { startTime, endTime } = await record(page, 'c', 2000);
    const published = await page.event('c', 'PUBLISHED');
    expect(published.detail.clientInfo.encoder).toBe('libx264');
    const [found] = await recorder.published();
    expect(found?.manifest.video.encoder).toBe('libx264');
    expect(await decodesCleanly(found!.mp4)).toBe('');
    expect(Math.abs((await probe(found!.mp4)).durationMs - (endTime - startTime))).toBeLessThanOrEqual(200);
    expect(
      frameClockErrors(await decodeFrames(found!.mp4), startTime, found!.manifest.gaps).maxMs,
    ).toBeLessThanOrEqual(200);
    expect(recorder.stderr()).toContain('Recording with libx264 instead of libopenh264');
    await recorder.stop();
  });

  it('without libopenh264 where policy insists on it: an error', async () => {
    const recorder = await startRecorder({
      display: display.display,
      home,
      flags: ['--ffmpeg-path', findTool(['ffmpeg'], ''), '--encoder', 'libopenh264'],
    });
    const page = await recorder.connect();
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply.error).toMatchObject({ code: 'ENCODER_UNAVAILABLE' });
    await recorder.stop();
  });

  it('killed twice in mid-contact: each time a new run begins, and what is longer than a frame is a gap on the timeline', async () => {
    const recorder = await startRecorder({ display: display.display, home });
    const page = await recorder.connect();
    const started = await page.ask<{ startTime: string }>('contact.start', {
      contactId: 'c',
      channel: 'VOICE',
    });
    await sleep(1500);
    // After the first time capture is back within a frame. The second try waits half a second.
    for (let times = 0; times < 2; times += 1) {
      const [ffmpeg] = await childrenOf(recorder.pid);
      process.kill(ffmpeg!, 'SIGKILL');
      await page.push(
        (push) => push.type === 'app.state' && push.state === 'problem' && push.contacts.length === 1,
      );
      await sleep(1800);
    }
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    const [found] = await recorder.published();
    expect(found?.manifest.runs).toHaveLength(3);
    const gaps = found?.manifest.gaps ?? [];
    expect([1, 2]).toContain(gaps.length);
    for (const { reason, durationMs } of gaps) {
      expect(reason).toBe('interrupted');
      expect(durationMs).toBeLessThan(1500);
    }
    const errors = frameClockErrors(
      await decodeFrames(found!.mp4),
      Date.parse(started.startTime),
      found!.manifest.gaps,
    );
    expect(errors.count).toBeGreaterThan(8);
    expect(errors.maxMs).toBeLessThanOrEqual(200);
    await recorder.stop();
  });
});

describe('the display', () => {
  it.each([
    ['that does not exist', ':987'],
    ['that nobody named', null],
  ])('%s: start says so and the recording that was promised is FAILED', async (_, name) => {
    const recorder = await startRecorder({ display: name, home });
    const page = await recorder.connect();
    const reply = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(reply.error).toMatchObject({ code: 'NO_DISPLAY', source: 'CLIENT' });
    expect(failureOf(await page.event('c', 'FAILED'))).toMatchObject({ code: 'NO_DISPLAY' });
    // Another start gets another honest try, and another honest answer.
    const again = await page.request('contact.start', { contactId: 'c', channel: 'VOICE' });
    expect(again.error).toMatchObject({ code: 'NO_DISPLAY' });
    await recorder.stop();
  });

  it('that dies in mid-contact: what was recorded is kept and published', async () => {
    const own = await startDisplay();
    const recorder = await startRecorder({ display: own.display, home });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await sleep(1200);
    own.kill();
    await page.push((push) => push.type === 'app.state' && push.state === 'problem');
    await sleep(700);
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    const [found] = await recorder.published();
    expect(found?.manifest.runs).toHaveLength(1);
    expect(found?.manifest.gaps).toHaveLength(1);
    expect(await decodesCleanly(found!.mp4)).toBe('');
    await recorder.stop();
  });
});

describe('the sink', () => {
  it('not a folder: FAILED after some tries, the spool kept, delivered after IT has mended it', async () => {
    const blocker = join(home, 'file');
    await writeFile(blocker, 'in the way');
    const flags = ['--sink-folder', join(blocker, 'sink')];
    const recorder = await startRecorder({ display: display.display, home, flags });
    const page = await recorder.connect();
    await record(page, 'c');
    const failed = failureOf(await page.event('c', 'FAILED'));
    expect(failed).toMatchObject({ code: 'UPLOAD_FAILED', source: 'CLIENT' });
    expect(failed.message).toContain('sinkFolder');
    await page.push((push) => push.type === 'app.state' && push.uploads.failed === 1);
    expect(await spooledRuns(recorder)).toHaveLength(1);
    // Mended while it runs: nobody has to ask.
    await rm(blocker);
    await page.event('c', 'PUBLISHED');
    await page.push((push) => push.type === 'app.state' && push.rev > 5 && push.uploads.failed === 0);
    await recorder.stop();
  });

  it('read-only: FAILED, and delivered by the next start', async () => {
    const sink = join(home, 'sink');
    await mkdir(sink);
    const wrapper = withMount(sink, 'ro,size=1m');
    const recorder = await startRecorder({ display: display.display, home, wrapper });
    const page = await recorder.connect();
    await record(page, 'c');
    expect(failureOf(await page.event('c', 'FAILED')).message).toContain('read-only');
    expect(await spooledRuns(recorder)).toHaveLength(1);
    expect(await recorder.stop()).toBe(0);
    await expectDelivered('c');
  });

  it('full: FAILED after some tries, nothing half left behind, the spool kept, delivered later', async () => {
    const sink = join(home, 'sink');
    await mkdir(sink);
    const recorder = await startRecorder({
      display: display.display,
      home,
      wrapper: withMount(sink, 'size=16k'),
    });
    const page = await recorder.connect();
    await record(page, 'c', 2000);
    expect(failureOf(await page.event('c', 'FAILED'))).toMatchObject({ code: 'UPLOAD_FAILED' });
    expect(failureOf(await page.event('c', 'FAILED')).message).toContain('full');
    expect(await spooledRuns(recorder)).toHaveLength(1);
    await recorder.stop();
    // Without the mount it is another folder, which IT accepts in this way.
    const { sinks } = JSON.parse(await readFile(join(recorder.dataDir, 'sinks.json'), 'utf8')) as {
      sinks: Record<string, string>;
    };
    await writeFile(join(sink, `.sightline-sink-${sinks[sink]}`), '');
    await expectDelivered('c');
  });

  /** Starts again with the sink as it is without the mount. */
  async function expectDelivered(contactId: string): Promise<void> {
    const recorder = await startRecorder({ display: display.display, home });
    const [found] = await waitFor(() => recorder.published());
    expect(found?.manifest.contact.contactId).toBe(contactId);
    expect(await decodesCleanly(found!.mp4)).toBe('');
    await waitFor(async () =>
      (await readdir(join(recorder.dataDir, 'spool'))).length === 0 ? ['empty'] : [],
    );
    const statuses = (await recorder.events()).map((event) => event.detail.recordingStatus);
    expect(statuses).toEqual(['INITIATED', 'COMPLETED', 'FAILED', 'PUBLISHED']);
    await recorder.stop();
  }
});

describe('the disk under the spool', () => {
  it('full in mid-contact: what was recorded until then is published', async () => {
    const data = join(home, 'data');
    await mkdir(data);
    const recorder = await startRecorder({
      display: display.display,
      home,
      flags: ['--spool-min-free-mib', '0'],
      wrapper: withMount(data, 'size=120k'),
    });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await page.push((push) => push.type === 'app.state' && push.state === 'problem');
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    const [found] = await recorder.published();
    expect(found?.manifest.runs.length).toBeGreaterThanOrEqual(1);
    expect(await decodesCleanly(found!.mp4)).toBe('');
    expect(recorder.stderr()).toContain('SPOOL_FULL');
    await recorder.stop();
  });
});

describe('Sightline itself', () => {
  it('ends in mid-contact on SIGTERM: completes and publishes within 10 s and exits with 0', async () => {
    const recorder = await startRecorder({ display: display.display, home });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await sleep(1000);
    const asked = performance.now();
    expect(await recorder.stop()).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(await page.closed).toBe(1001);
    const [found] = await recorder.published();
    expect(found?.manifest.endCause).toBe('shutdown');
    expect(await decodesCleanly(found!.mp4)).toBe('');
  });

  it('killed in mid-contact, and no page comes back: the next start publishes what there was, and no ffmpeg is left', async () => {
    const recorder = await startRecorder({ display: display.display, home });
    const page = await recorder.connect();
    const started = await page.ask<{ startTime: string }>('contact.start', {
      contactId: 'c',
      channel: 'VOICE',
    });
    await sleep(2500);
    const children = await childrenOf(recorder.pid);
    const killedAt = Date.now();
    recorder.kill('SIGKILL');
    await recorder.exited;
    const next = await startRecorder({ display: display.display, home, flags: ['--grace-seconds', '4'] });
    const [found] = await waitFor(() => next.published());
    expect(found?.manifest).toMatchObject({ endCause: 'app-died', startTime: started.startTime });
    const endTime = Date.parse(found!.manifest.endTime);
    expect(killedAt - endTime).toBeLessThan(1000);
    expect(await decodesCleanly(found!.mp4)).toBe('');
    expect(
      frameClockErrors(await decodeFrames(found!.mp4), Date.parse(started.startTime), found!.manifest.gaps)
        .maxMs,
    ).toBeLessThanOrEqual(200);
    expect((await next.events()).map((event) => event.detail.recordingStatus)).toEqual([
      ...['INITIATED', 'COMPLETED', 'PUBLISHED'],
    ]);
    await waitFor(async () =>
      (await Promise.all(children.map(isAlive))).includes(true) ? [] : ['all gone'],
    );
    await next.stop();
  });

  it('killed while its ffmpeg hangs: the next start ends that process', async () => {
    const recorder = await startRecorder({ display: display.display, home });
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    const [ffmpeg] = await childrenOf(recorder.pid);
    process.kill(ffmpeg!, 'SIGSTOP');
    recorder.kill('SIGKILL');
    await recorder.exited;
    expect(await isAlive(ffmpeg!)).toBe(true);
    const next = await startRecorder({ display: display.display, home });
    await waitFor(async () => ((await isAlive(ffmpeg!)) ? [] : ['gone']));
    expect(next.stderr()).toContain('an ffmpeg of an earlier Sightline was ended');
    await next.stop();
  });

  it('finds its port taken: says by whom, and exits non-zero', async () => {
    const squatter = createServer();
    await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
    const { port } = squatter.address() as AddressInfo;
    const start = startRecorder({ display: display.display, home, flags: ['--port', String(port)] });
    await expect(start).rejects.toThrow(
      new RegExp(`Port ${port} is already in use by process ${process.pid} .*"port"`, 's'),
    );
    squatter.close();
  });

  it('finds another one on its data folder: says so, and exits non-zero', async () => {
    const first = await startRecorder({ display: display.display, home });
    await expect(startRecorder({ display: display.display, home })).rejects.toThrow(
      /Another Sightline \(process \d+\)/,
    );
    await first.stop();
    const second = await startRecorder({ display: display.display, home });
    await second.stop();
  });
});

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(/\s+/).filter(Boolean).map(Number);
}

/** A zombie (proc(5), field 3 of stat) has ended; that its parent has not looked yet is no matter of ours. */
async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  return stat !== null && !/\) Z /.test(stat);
}

async function waitFor<T>(ask: () => Promise<T[]>): Promise<T[]> {
  for (;;) {
    const answer = await ask();
    if (answer.length > 0) return answer;
    await sleep(50);
  }
}
