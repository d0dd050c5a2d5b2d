// A sink folder that is gone, is another one, or does not answer: nothing counts as delivered that is not where it belongs,
// nothing is made on the local disk, and the queue says why it waits.
import { execFileSync } from 'node:child_process';
import { mkdir, open, readFile, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderSink } from '../../main/publisher/folderSink.ts';
import type { SinkOrder, ResumeState } from '../../main/publisher/sink.ts';
import { Moov } from '../../main/media/moov.ts';
import { SinkIdentity } from '../../main/publisher/sinkIdentity.ts';
import { startDisplay, type Display } from '../rig/display.ts';
import { startRecorder } from '../rig/recorder.ts';
import { temporaryFolder } from '../unit/support/folders.ts';

const KEY = 'connect/acme/2026/01/02/c-1_20260102T030405Z.mp4';
const isMarker = (name: string): boolean => name.startsWith('.sightline-sink-');
const markersIn = async (folder: string): Promise<string[]> => (await readdir(folder)).filter(isMarker);

/** One recording's order, whose memory lasts as long as its object. */
function order(recordingId: string, key = KEY): SinkOrder {
  const resume = {
    saved: null as ResumeState | null,
    save(state: ResumeState) {
      resume.saved = state;
      return Promise.resolve();
    },
  };
  return { key, recordingId, contactId: 'c-1', agentArn: 'agent', instanceArn: 'instance', resume };
}

async function deliver(sink: FolderSink, one: SinkOrder): Promise<string> {
  const object = await sink.begin(one);
  await object.write(0, Buffer.from(`pictures of ${one.recordingId}`));
  const { key } = await object.finish(new Moov([], 0, 0));
  await sink.putManifest(one, key, JSON.stringify({ recordingId: one.recordingId }));
  return key;
}

async function desk(): Promise<{ dataDir: string; share: string }> {
  const home = await temporaryFolder();
  const dataDir = join(home, 'data');
  await mkdir(dataDir);
  return { dataDir, share: join(home, 'mnt', 'share') };
}

describe('a sink folder', () => {
  it('is made, and marked, when it is used for the first time', async () => {
    const { dataDir, share } = await desk();
    await new SinkIdentity(share, dataDir).check();
    await expect(stat(share)).rejects.toMatchObject({ code: 'ENOENT' });
    await deliver(new FolderSink(share, { dataDir }), order('rec-1'));
    expect(await markersIn(share)).toHaveLength(1);
    await deliver(new FolderSink(share, { dataDir }), order('rec-2', KEY.replace('c-1', 'c-2')));
    expect(await markersIn(share)).toHaveLength(1);
  });

  it('that is gone, or is an empty mount point, is not delivered into, nor made again', async () => {
    for (const mountPoint of [false, true]) {
      const { dataDir, share } = await desk();
      await deliver(new FolderSink(share, { dataDir }), order('rec-1'));
      await rename(share, `${share}-away`);
      if (mountPoint) await mkdir(share);
      const sink = new FolderSink(share, { dataDir });
      await expect(sink.begin(order('rec-2'))).rejects.toMatchObject({
        code: 'SINK_CHANGED',
        isPermanent: false,
      });
      await expect(sink.putManifest(order('rec-2'), KEY, '{}')).rejects.toMatchObject({
        code: 'SINK_CHANGED',
      });
      expect(await readdir(share).catch(() => [])).toEqual([]);
      await rm(share, { recursive: true, force: true });
      await rename(`${share}-away`, share);
      await deliver(sink, order('rec-2', KEY.replace('c-1', 'c-2')));
    }
  });

  it('that is another one is not delivered into, until IT says so', async () => {
    const { dataDir, share } = await desk();
    await deliver(new FolderSink(share, { dataDir }), order('rec-1'));
    const other = await desk();
    await deliver(new FolderSink(other.share, { dataDir: other.dataDir }), order('rec-0'));
    await rename(share, `${share}-away`);
    await rename(other.share, share);
    const before = await readdir(share, { recursive: true });
    const sink = new FolderSink(share, { dataDir });
    const error = await sink.begin(order('rec-2')).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'SINK_CHANGED', isPermanent: true });
    expect(await readdir(share, { recursive: true })).toEqual(before);
    // As the message says.
    const name = /named (\S+) in it/.exec(String(error))?.[1] ?? '';
    await writeFile(join(share, name), '');
    await deliver(sink, order('rec-2', KEY.replace('c-1', 'c-2')));
  });

  it('that goes away between its first look and its first byte takes nothing', async () => {
    const { dataDir, share } = await desk();
    const sink = new FolderSink(share, { dataDir });
    await deliver(sink, order('rec-1'));
    const one = order('rec-2');
    // The journal is written in between.
    one.resume.save = async () => {
      await rename(share, `${share}-away`);
      await mkdir(share);
    };
    await expect(sink.begin(one)).rejects.toMatchObject({ code: 'SINK_CHANGED' });
    const files = await readdir(share, { recursive: true, withFileTypes: true });
    expect(files.filter((file) => file.isFile())).toEqual([]);
  });

  it('is shared by many desks, also those that use it first at the same time', async () => {
    const { share } = await desk();
    const desks = await Promise.all(Array.from({ length: 12 }, () => desk()));
    const use = (index: number, again: string): Promise<string> =>
      deliver(
        new FolderSink(share, { dataDir: desks[index]!.dataDir }),
        order(`rec-${index}${again}`, KEY.replace('c-1', `c-${index}${again}`)),
      );
    await Promise.all(desks.map((_, index) => use(index, '')));
    await Promise.all(desks.map((_, index) => use(index, '-again')));
    const late = await desk();
    await deliver(
      new FolderSink(share, { dataDir: late.dataDir }),
      order('rec-late', KEY.replace('c-1', 'late')),
    );
    expect((await markersIn(share)).length).toBeLessThanOrEqual(desks.length);
  });

  it('has a marker that does not look old to those who clear shares, and may be read-only', async () => {
    const { dataDir, share } = await desk();
    await deliver(new FolderSink(share, { dataDir }), order('rec-1'));
    const marker = join(share, (await markersIn(share))[0]!);
    await utimes(marker, new Date(0), new Date(0));
    await deliver(new FolderSink(share, { dataDir }), order('rec-2', KEY.replace('c-1', 'c-2')));
    expect(Date.now() - (await stat(marker)).mtimeMs).toBeLessThan(60_000);
  });

  it('of which the desk’s memory cannot be read is not guessed at', async () => {
    const { dataDir, share } = await desk();
    await writeFile(join(dataDir, 'sinks.json'), '{"version":1,"sinks":');
    await expect(new FolderSink(share, { dataDir }).begin(order('rec-1'))).rejects.toMatchObject({
      code: 'SINK_CHANGED',
    });
    await expect(stat(share)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a sink folder that does not answer', () => {
  it('is given up after a while, is asked no second thing, and is delivered into when it answers', async () => {
    const { share } = await desk();
    const sink = new FolderSink(share, { dataDir: null, answerWithinMs: 300 });
    await deliver(sink, order('rec-1'));
    // A pipe with nobody at its other end: whoever opens it waits in the system, as on a share that hangs.
    const pipe = join(share, KEY.replace('c-1', 'c-2').replace('.mp4', '.json'));
    execFileSync('mkfifo', [pipe]);
    const two = order('rec-2', KEY.replace('c-1', 'c-2'));
    await expect(sink.begin(two)).rejects.toMatchObject({ code: 'UPLOAD_FAILED', isPermanent: false });
    // Another thread must not be lost: not even another recording, or another sink object, is tried there.
    const started = performance.now();
    for (let count = 0; count < 8; count += 1) {
      const another = new FolderSink(share, { dataDir: null, answerWithinMs: 60_000 });
      await expect(another.begin(order('rec-3', KEY.replace('c-1', 'c-3')))).rejects.toThrow(
        'does not answer',
      );
    }
    expect(performance.now() - started).toBeLessThan(5000);
    expect(await readFile(join(share, KEY), 'utf8')).toContain('rec-1');
    const otherEnd = await open(pipe, 'w');
    await otherEnd.close();
    await rm(pipe);
    await expect.poll(() => deliver(sink, two).catch(() => null)).toBe(two.key);
  });
});

describe('what a killed process leaves in the sink', () => {
  const hidden = async (share: string): Promise<string[]> =>
    (await readdir(share, { recursive: true })).filter((name) => name.endsWith('.part'));
  const folder = dirname(KEY);
  const nameOf = (id: string, end: string): string => `.c-1_20260102T030405Z.${end}.${id}.part`;

  it('is gone after the next try, whoever else writes there', async () => {
    const { share } = await desk();
    const sink = new FolderSink(share);
    const others = await sink.begin(order('rec-of-another-desk'));
    for (const end of ['mp4', 'json'])
      await writeFile(join(share, folder, nameOf('rec-1', end)), 'half of it');
    await deliver(sink, order('rec-1'));
    expect(await hidden(share)).toEqual([join(folder, nameOf('rec-of-another-desk', 'mp4'))]);
    await others.abort();
  });

  it('is gone, too, when the next try goes elsewhere', async () => {
    const [{ share }, { share: newShare }] = [await desk(), await desk()];
    const one = order('rec-1');
    await new FolderSink(share).begin(one);
    await writeFile(join(share, folder, nameOf('rec-1', 'json')), 'half of it');
    expect(await hidden(share)).toHaveLength(2);
    await deliver(new FolderSink(newShare), one);
    expect(await hidden(share)).toEqual([]);
    expect(await hidden(newShare)).toEqual([]);
  });
});

describe('the built program', () => {
  let display: Display;
  beforeAll(async () => (display = await startDisplay()));
  afterAll(() => display.stop());

  it('keeps what it records while the share is away, says why, and delivers when it is back', async () => {
    const home = await temporaryFolder();
    const recorder = await startRecorder({ display: display.display, home });
    const { sinkFolder } = recorder;
    try {
      const page = await recorder.connect();
      const record = async (contactId: string): Promise<void> => {
        await page.ask('contact.start', { contactId, channel: 'VOICE' });
        await page.ask('contact.stop', { contactId });
      };
      await record('c-1');
      await page.event('c-1', 'PUBLISHED');
      await rename(sinkFolder, `${sinkFolder}-away`);
      await mkdir(sinkFolder);
      await record('c-2');
      const push = await page.push(
        (one) => one.type === 'app.state' && one.uploads.reason?.code === 'SINK_CHANGED',
      );
      expect(push).toMatchObject({ uploads: { pending: 1 } });
      expect(await readdir(sinkFolder)).toEqual([]);
      await expect
        .poll(async () => (await recorder.events()).map(({ detail }) => detail.recordingStatus))
        .toEqual(['INITIATED', 'COMPLETED', 'PUBLISHED', 'INITIATED', 'COMPLETED']);
      await rm(sinkFolder, { recursive: true });
      await rename(`${sinkFolder}-away`, sinkFolder);
      await page.event('c-2', 'PUBLISHED');
      expect(await recorder.published()).toHaveLength(2);
      await page.close();
    } finally {
      await recorder.stop();
    }
  });
});
