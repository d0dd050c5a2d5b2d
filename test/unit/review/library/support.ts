// What the tests of the library share: a temporary folder, a library that is opened and closed, an MP4 made by the recorder's muxer.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach } from 'vitest';
import { Mp4Muxer } from '../../../../main/media/mp4Muxer.ts';
import { NodeNetwork } from '../../../../main/platform/network/nodeNetwork.ts';
import type { Manifest } from '../../../../main/shared/manifest.ts';
import { openLibrary, type LibraryOptions } from '../../../../review/server/library/openLibrary.ts';
import type { Library } from '../../../../review/server/library/ports.ts';
import { madeRecording } from '../../../rig/reviewLibrary.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

export const EVERYTHING = [''];
export const folderPolicy = { awsRegion: null, awsProfile: null, s3Endpoint: null, s3PathStyle: false };

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-review-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Resolves when the index is complete, or has failed. */
export async function opened(location: string, more: Partial<LibraryOptions> = {}): Promise<Library> {
  const network = new NodeNetwork();
  const library = openLibrary({ location, policy: folderPolicy, network, cacheFolder: null, ...more });
  undo.push(() => library.close());
  await library.refresh();
  return library;
}

export async function put(folder: string, name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}

export interface Made {
  /** Of the MP4. */
  readonly key: string;
  readonly manifest: Manifest;
}

/** A recording of test/rig/reviewLibrary.ts, changed. @param mp4 null: without an MP4 */
export async function putRecording(
  folder: string,
  index: number,
  change: (manifest: Manifest) => object = (manifest) => manifest,
  mp4: string | Uint8Array | null = 'an MP4',
): Promise<Made> {
  const { key, manifest } = madeRecording(index);
  const changed = change(manifest) as Manifest;
  await put(folder, key.replace(/mp4$/, 'json'), JSON.stringify(changed));
  if (mp4 !== null) await put(folder, key, mp4);
  return { key, manifest: changed };
}

/** Baseline profile, 16x16. */
const AVCC = Buffer.from('0142c00affe1000a6742c00ada14a5c0440101000468ce3c80'.slice(0, 46), 'hex');

/** An MP4 as the recorder writes it: a key frame each ten frames, a frame each 200 ms, frame i of 100 + i bytes. */
export async function madeMp4(frames: number): Promise<Buffer> {
  const parts: { position: number; data: Uint8Array }[] = [];
  const muxer = new Mp4Muxer(frames, (position, data) => {
    parts.push({ position, data: Uint8Array.from(data) });
    return Promise.resolve();
  });
  const decoderConfig = { codec: 'avc1.42c00a', codedWidth: 16, codedHeight: 16, description: AVCC };
  for (let index = 0; index < frames; index += 1) {
    const isKey = index % 10 === 0;
    const data = Buffer.alloc(100 + index, index % 251);
    data.writeUInt32BE(data.byteLength - 4, 0);
    data[4] = isKey ? 0x65 : 0x41;
    await muxer.add({ data, timeMs: index * 200, durationMs: 200 }, decoderConfig);
  }
  const beginning = (await muxer.finish(0)).padded();
  const end = Math.max(...parts.map(({ position, data }) => position + data.byteLength));
  const file = Buffer.alloc(end);
  file.set(beginning);
  for (const { position, data } of parts) file.set(data, position);
  return file;
}
