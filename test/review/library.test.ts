// The library over real recordings, which the recorder has delivered into a folder and into the rig's S3 server: rows, details,
// frames, a key frame that decodes, and the SHA-256.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import { openLibrary } from '../../review/server/library/openLibrary.ts';
import type { Library, Recording } from '../../review/server/library/ports.ts';
import { readRange } from '../../review/server/library/source.ts';
import { oneMonitor, startDesk, type Desk } from '../rig/desk.ts';
import { startPainter } from '../rig/painter.ts';
import { probe } from '../rig/mp4.ts';
import { FFMPEG_HINT, findTool, run } from '../rig/process.ts';
import { startRecorder } from '../rig/recorder.ts';
import { s3Options } from '../rig/s3Recorder.ts';
import { BUCKET, REGION, startStrictStore, type S3Store } from '../rig/s3Store.ts';

const never = new AbortController().signal;
let desk: Desk;
let store: S3Store;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  [desk, store] = await Promise.all([startDesk({ monitors: oneMonitor }), startStrictStore()]);
  const painter = await startPainter({ display: desk.display, scene: 'timecode' });
  try {
    await Promise.all([record('folder', []), record('s3', s3Options(store).flags)]);
  } finally {
    await painter.stop();
  }
});
afterAll(async () => {
  await Promise.all([desk.stop(), store.stop()]);
  await rm(home, { recursive: true, force: true });
});

/** A contact of some seconds with a suspension. */
async function record(name: string, flags: readonly string[]): Promise<void> {
  const recorder = await startRecorder({
    ...{ display: desk.display, home: join(home, name), flags },
    environment: s3Options(store).environment,
  });
  const page = await recorder.connect();
  await page.ask('contact.start', { contactId: `contact-${name}`, channel: 'VOICE', queue: 'Support' });
  await sleep(2000);
  await page.ask('contact.suspend', { contactId: `contact-${name}` });
  await sleep(1200);
  await page.ask('contact.resume', { contactId: `contact-${name}` });
  await sleep(1500);
  await page.ask('contact.stop', { contactId: `contact-${name}` });
  await page.event(`contact-${name}`, 'PUBLISHED');
  await page.close();
  await recorder.stop();
}

describe.each(['folder', 's3'])('recordings in %s', (name) => {
  let library: Library;
  let recording: Recording;

  beforeAll(async () => {
    const location = name === 's3' ? `s3://${BUCKET}/connect/acme` : join(home, 'folder', 'sink');
    library = openLibrary({
      ...{
        location,
        cacheFolder: join(home, 'cache'),
        network: new NodeNetwork(),
        credentials: store.credentials,
      },
      policy: { awsRegion: REGION, awsProfile: null, s3Endpoint: store.endpoint, s3PathStyle: true },
    });
    await library.refresh();
    recording = library.find(library.list({}, ['']).rows[0]?.id ?? '', [''])!;
  });
  afterAll(() => library.close());

  it('have a row, a manifest and an MP4 that agree', async () => {
    const { row } = recording;
    expect(row).toMatchObject({
      contactId: `contact-${name}`,
      agent: 'alice',
      queue: 'Support',
      suspensions: 1,
      problems: [],
    });
    const { manifest, key } = await recording.detail();
    expect(key.endsWith(manifest.video.file)).toBe(true);
    expect((await recording.video()).sizeBytes).toBe(manifest.video.sizeBytes);
    expect(row.durationMs).toBe(manifest.durationMs);
    expect(await recording.verify(never)).toMatchObject({ verdict: 'intact' });
  });

  it('have the frames that ffprobe finds, and a key frame that decodes', async () => {
    const video = await recording.video();
    const path = join(home, `${name}.mp4`);
    await writeFile(path, await readRange(video, 0, video.sizeBytes - 1, never));
    const { packets, keyframes, width, height, durationMs } = await probe(path);
    const { timesMs, bytes, keyFrames } = await recording.activity();
    expect({ packets: timesMs.length, keyframes: keyFrames.length }).toEqual({ packets, keyframes });
    expect(timesMs[0]).toBe(0);
    expect(Math.max(...timesMs)).toBeLessThan(durationMs);
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(video.sizeBytes);
    const last = timesMs[keyFrames.at(-1)!]!;
    const found = await recording.keyFrame(1e9);
    expect(found).toMatchObject({ timeMs: last, width, height });
    const annexB = await decoded(join(home, `${name}.h264`), found.description, found.data);
    expect(annexB).toBe('');
  });
});

/** As a decoder wants it: parameter sets, then the frame. @returns what ffmpeg complains of */
async function decoded(path: string, description: string, data: string): Promise<string> {
  const start = Buffer.from([0, 0, 0, 1]);
  const avcc = Buffer.from(description, 'base64');
  const units: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    for (let left = avcc[at++]! & mask; left > 0; left -= 1) {
      const size = avcc.readUInt16BE(at);
      units.push(start, avcc.subarray(at + 2, at + 2 + size));
      at += 2 + size;
    }
  }
  const frame = Buffer.from(data, 'base64');
  for (let next = 0; next < frame.byteLength; next += 4 + frame.readUInt32BE(next))
    units.push(start, frame.subarray(next + 4, next + 4 + frame.readUInt32BE(next)));
  await writeFile(path, Buffer.concat(units));
  const { stderr, code } = await run(findTool(['ffmpeg'], FFMPEG_HINT), [
    ...['-v', 'error', '-xerror', '-f', 'h264', '-i', path, '-frames:v', '1', '-f', 'null', '-'],
  ]);
  return stderr.trim() || (code === 0 ? '' : `code ${String(code)}`);
}
