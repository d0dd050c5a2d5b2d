// What a recording in a store must be, judged by ffmpeg and by its own manifest; and recordings to put there.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { manifestSchema } from '../../main/shared/manifest.ts';
import { temporaryFolder } from '../unit/support/folders.ts';
import { SpoolRig } from './uploads.ts';
import { decodesCleanly, probe, topLevelBoxes } from './mp4.ts';
import type { S3Store } from './s3Store.ts';

/** Of 62 kB each: one part holds 84 or 85. */
export const SHORT = 50;
export const LONG = 240;
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

export async function rig(): Promise<SpoolRig> {
  const spool = new SpoolRig(await temporaryFolder());
  await spool.open();
  onTestFinished(() => spool.close());
  return spool;
}

export async function recordingsIn(store: S3Store, recordingId: string) {
  const mine = (await store.objects()).filter(
    (one) => one.metadata['sightline-recording-id'] === recordingId,
  );
  const videos = mine.filter((one) => one.key.endsWith('.mp4'));
  const manifests = mine.filter((one) => one.key.endsWith('.json'));
  return { videos, manifests };
}

export async function expectWhole(store: S3Store, recordingId: string, frames: number): Promise<string> {
  const { videos, manifests } = await recordingsIn(store, recordingId);
  expect(videos).toHaveLength(1);
  expect(manifests).toHaveLength(1);
  const [{ key, bytes }] = videos as [(typeof videos)[0]];
  expect(manifests[0]?.key).toBe(key.replace('.mp4', '.json'));
  const path = join(await temporaryFolder(), 'video.mp4');
  await writeFile(path, bytes);
  expect(await decodesCleanly(path)).toBe('');
  expect((await probe(path)).packets).toBe(frames);
  expect((await topLevelBoxes(path)).slice(0, 2)).toEqual(['ftyp', 'moov']);
  const { video } = manifestSchema.parse(JSON.parse(String(manifests[0]?.bytes)));
  expect(video.sizeBytes).toBe(bytes.byteLength);
  if (video.sha256 !== undefined) expect(video.sha256).toBe(sha256(bytes));
  let at = 0;
  for (const part of video.parts ?? []) {
    expect(sha256(bytes.subarray(at, at + part.sizeBytes))).toBe(part.sha256);
    at += part.sizeBytes;
  }
  expect(video.parts === undefined || at === bytes.byteLength).toBe(true);
  expect((video.sha256 === undefined) !== (video.parts === undefined)).toBe(true);
  return key;
}

let count = 0;
export const newId = (): string => `rec-${(count += 1).toString().padStart(8, '0')}`;
