// Libraries of recordings for tests and measurements of the review tool: manifests as the recorder writes them, of many agents, queues
// and days, with gaps and problems among them. The same number always gives the same library.
import { copyFile, link, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { manifestSchema, type Manifest } from '../../main/shared/manifest.ts';

const QUEUES = ['Support', 'Sales', 'Billing', 'Rückfragen', 'Claims', 'Returns', 'Technical', 'VIP'];
const FIRST = Date.parse('2026-03-02T06:00:00.000Z');
const EVERY_MS = 61_000;
const SUFFIX = 12;
/** ext4 allows 65,000 names for one file. */
const MAX_LINKS = 60_000;

export interface MadeRecording {
  /** Of the MP4, below the library. */
  readonly key: string;
  readonly manifest: Manifest;
}

/** @param index of the recording in its library; later ones begin later */
export function madeRecording(index: number, video: Partial<Manifest['video']> = {}): MadeRecording {
  const startMs = FIRST + index * EVERY_MS;
  const at = (ms: number): string => new Date(startMs + ms).toISOString();
  const durationMs = 60_000 + ((index * 7919) % 1_700_000);
  const contactId = `${hex(index, 8)}-1c2d-4e5f-8a9b-${hex(index * 31 + 7, SUFFIX)}`;
  const agent = `agent${(index * 13) % 400}`;
  const instance = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555';
  const isSuspended = index % 5 === 0;
  const compact = at(0).slice(0, 19).replaceAll(/[-:]/g, '');
  const name = `${contactId}_${compact}Z`;
  const gap = (offsetMs: number, lengthMs: number, reason: Manifest['gaps'][number]['reason']) => ({
    ...{ startTime: at(offsetMs), endTime: at(offsetMs + lengthMs), offsetMs, durationMs: lengthMs, reason },
    ...(reason === 'suspended'
      ? ({ by: 'page', endedBy: 'page' } as const)
      : ({ by: 'sightline', endedBy: 'sightline' } as const)),
  });
  const monitor = { name: 'DP-1', x: 0, y: 0, width: 1920, height: 1080, primary: true };
  const run = (from: number, to: number) => ({
    ...{ runId: `${hex(index, 8)}-${hex(from, 8)}`, startTime: at(from), endTime: at(to), offsetMs: from },
    ...{ monitors: [{ ...monitor, picture: { x: 0, y: 0, width: 1920, height: 1080 } }], leftOut: [] },
  });
  const gaps = [
    ...(isSuspended ? [gap(10_000, 12_000, 'suspended')] : []),
    ...(index % 97 === 0 ? [gap(40_000, 2_000, 'interrupted')] : []),
  ];
  const edges = [0, ...gaps.flatMap((one) => [one.offsetMs, one.offsetMs + one.durationMs]), durationMs];
  const runs = edges.flatMap((from, edge) => (edge % 2 === 0 ? [run(from, edges[edge + 1]!)] : []));
  const manifest: Manifest = {
    manifestVersion: 1,
    app: { name: 'sightline', version: '0.1.0' },
    recordingId: `${hex(index, 8)}-8a55-4a8e-9d5c-${hex(index, SUFFIX)}`,
    contact: {
      ...{ contactId, channel: (['VOICE', 'VOICE', 'CHAT', 'TASK'] as const)[index % 4]! },
      ...{
        queue: QUEUES[index % QUEUES.length]!,
        attributes: { case: String(4711 + index), language: 'de' },
      },
    },
    agent: { arn: `${instance}/agent/${hex(index % 400, 12)}`, username: agent },
    instance: { arn: instance, alias: 'acme' },
    ...{ startTime: at(0), endTime: at(durationMs), durationMs },
    endCause: index % 53 === 0 ? 'page-lost' : 'stopped',
    video: {
      ...{ file: `${name}.mp4`, sizeBytes: 1_500_000 + index, sha256: hex(index, 64), codec: 'avc1.42c028' },
      ...{ width: 1920, height: 1080, fps: 5, encoder: 'libopenh264', frames: 300, bitsPerSecond: 61_200 },
      ...video,
    },
    ...{ runs, gaps },
    suspensions: isSuspended
      ? [{ suspendedAt: at(10_100), resumedAt: at(21_900), resumedBy: 'page', reason: 'card number' }]
      : [],
    host: { os: 'win32 10.0.26100 x64', browser: 'Chrome 141' },
  };
  const day = at(0).slice(0, 10).replaceAll('-', '/');
  return {
    key: `connect/acme/ScreenRecordings/${day}/${name}.mp4`,
    manifest: manifestSchema.parse(manifest),
  };
}

/**
 * Writes manifests `from` to `to` (exclusive) with their MP4s below a folder.
 * @param mp4 is linked as each MP4, in this file system; null: an MP4 is a few bytes
 */
export async function makeLibrary(
  folder: string,
  { from = 0, to, mp4 = null }: { from?: number; to: number; mp4?: string | null },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const links = { path: join(folder, '.linked.mp4'), count: 0 };
  if (mp4 === null) await writeFile(links.path, 'not really an MP4');
  else await copyFile(mp4, links.path);
  const originals = new Map<number, Promise<string>>([[0, Promise.resolve(links.path)]]);
  const original = (number: number): Promise<string> => {
    const path = join(folder, `.linked-${number}.mp4`);
    const found = originals.get(number) ?? copyFile(links.path, path).then(() => path);
    originals.set(number, found);
    return found;
  };
  const made = new Set<string>();
  let next = from;
  const writer = async (): Promise<void> => {
    while (next < to) {
      const { key, manifest } = madeRecording(next++);
      const path = join(folder, key);
      if (!made.has(dirname(path))) await mkdir(dirname(path), { recursive: true });
      made.add(dirname(path));
      await writeFile(path.replace(/mp4$/, 'json'), `${JSON.stringify(manifest, null, 2)}\n`);
      await link(await original(Math.floor(links.count++ / MAX_LINKS)), path);
    }
  };
  await Promise.all(Array.from({ length: 16 }, writer));
}

function hex(value: number, length: number): string {
  return value.toString(16).padStart(length, '0').slice(-length);
}
