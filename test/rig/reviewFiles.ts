// A small library for tests of the review server: recordings of two teams, each an MP4 (any bytes, or a real one) and its manifest.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { manifestSchema } from '../../main/shared/manifest.ts';

export interface ReviewFile {
  /** Of the MP4, below the library. */
  readonly key: string;
  readonly contactId: string;
  readonly bytes: Uint8Array;
}

/** @param team the first part of the recording's name @param number differs within a library */
export async function addReviewRecording(
  library: string,
  team: string,
  number: number,
  bytes: Uint8Array = patterned(64 * 1024, number),
): Promise<ReviewFile> {
  const contactId = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
  const startMs = Date.UTC(2026, 4, 4, 8, number % 60);
  const at = (ms: number): string => new Date(startMs + ms).toISOString();
  const name = `${contactId}_${at(0).slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const key = `${team}/2026/05/04/${name}.mp4`;
  const instance = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555';
  const picture = { x: 0, y: 0, width: 640, height: 360 };
  const manifest = manifestSchema.parse({
    manifestVersion: 1,
    app: { name: 'sightline', version: '0.1.0' },
    recordingId: `rec-${number}`,
    contact: { contactId, channel: 'VOICE', queue: number % 2 === 0 ? '=cmd|calc' : 'Support' },
    agent: { arn: `${instance}/agent/${team}`, username: `agent-of-${team}` },
    instance: { arn: instance },
    ...{ startTime: at(0), endTime: at(10_000), durationMs: 10_000, endCause: 'stopped' },
    video: {
      ...{ file: `${name}.mp4`, sizeBytes: bytes.byteLength, codec: 'avc1.42c01e' },
      sha256: createHash('sha256').update(bytes).digest('hex'),
      ...{ width: 640, height: 360, fps: 5, encoder: 'libopenh264', frames: 50, bitsPerSecond: 50_000 },
    },
    runs: [
      {
        ...{ runId: 'run-1', startTime: at(0), endTime: at(10_000), offsetMs: 0, leftOut: [] },
        monitors: [{ name: 'DP-1', x: 0, y: 0, width: 640, height: 360, primary: true, picture }],
      },
    ],
    ...{ gaps: [], suspensions: [], host: { os: 'linux' } },
  });
  const path = join(library, key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await writeFile(path.replace(/mp4$/, 'json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return { key, contactId, bytes };
}

/** Each byte tells where it is, so that a wrong range shows. */
function patterned(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) * 17 + seed) & 255);
}
