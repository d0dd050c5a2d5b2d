// Recordings to verify: made by the recorder's own upload, from simulated runs with a suspension, and the events of their publication.
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sink } from '../../main/publisher/sink.ts';
import type { UploadResult } from '../../main/publisher/upload.ts';
import { uploadRecording } from '../../main/publisher/upload.ts';
import { canonicalJson } from '../../main/shared/canonicalJson.ts';
import { statusEventSchema } from '../../main/shared/statusEvent.ts';
import {
  makeMinute,
  SimulatedRun,
  simulatedAgent,
  startRecording,
  stopRecording,
  type Minute,
} from './simulated.ts';
import { SpoolRig, START, uploadOptions } from './uploads.ts';

/** 100 kB a frame for long ones: S3 takes them in parts. */
const minutes = new Map<number, Promise<Minute>>();
function minuteOf(kbitPerSecond: number): Promise<Minute> {
  const made = minutes.get(kbitPerSecond) ?? makeMinute(kbitPerSecond, 2);
  minutes.set(kbitPerSecond, made);
  return made;
}

/** @returns each with a suspension in its middle, as `sink` stored them */
export async function publishedRecordings(
  sink: Sink,
  count: number,
  { frames = 20, kbitPerSecond = 200 } = {},
): Promise<UploadResult[]> {
  const folder = await mkdtemp(join(tmpdir(), 'sightline-verify-'));
  const rig = new SpoolRig(join(folder, 'spool'));
  const session = await rig.open();
  const minute = await minuteOf(kbitPerSecond);
  const results: UploadResult[] = [];
  for (let index = 0; index < count; index += 1) {
    const recordingId = randomUUID();
    const startTime = START + index * 86_400_000;
    await startRecording(session, recordingId, startTime);
    const one = await SimulatedRun.open(session, `${recordingId}-1`, startTime, minute);
    await one.grow(frames);
    await one.close();
    const suspension = { recordingId, at: one.endTime };
    await session.append({ type: 'contact.suspended', ...suspension, reason: 'card number' });
    await session.append({ type: 'contact.resumed', ...suspension, at: one.endTime + 2000, cause: 'page' });
    const two = await SimulatedRun.open(session, `${recordingId}-2`, one.endTime + 2000, minute);
    await two.grow(frames);
    await two.close();
    await stopRecording(session, recordingId, two.endTime);
    results.push(await uploadRecording(session, recordingId, uploadOptions(sink)));
  }
  await rig.close();
  await rm(folder, { recursive: true, force: true });
  return results;
}

/** The line of a PUBLISHED event. */
export function publishedEvent({ receipt, manifest, manifestSha256 }: UploadResult): string {
  const { agentArn, instanceArn } = simulatedAgent;
  const { startTime, endTime, durationMs, recordingId } = manifest;
  const event = statusEventSchema.parse({
    ...{
      version: '0',
      id: randomUUID(),
      source: 'sightline',
      account: '',
      time: endTime,
      region: '',
      resources: [],
    },
    'detail-type': 'Screen Recording Status Changed',
    detail: {
      ...{ version: '1.0', recordingStatus: 'PUBLISHED', eventDeduplicationId: `${recordingId}:PUBLISHED` },
      ...{ agentArn, instanceArn, contactArn: `${instanceArn}/contact/${manifest.contact.contactId}` },
      clientInfo: { appVersion: '0', os: 'test' },
      recordingInfo: {
        ...{ startTime, endTime, publishTime: endTime, location: receipt.location, manifestSha256 },
        ...{ durationInMillis: durationMs, sizeInBytes: receipt.sizeBytes },
      },
    },
  });
  return JSON.stringify(event);
}

/** As somebody does it who knows how: the manifest's own digest is right again. */
export async function forgeManifest(
  path: string,
  change: (manifest: Record<string, unknown>) => void,
): Promise<void> {
  const { contentSha256: _, ...content } = JSON.parse(await readFile(path, 'utf8')) as Record<
    string,
    unknown
  >;
  change(content);
  const contentSha256 = createHash('sha256').update(canonicalJson(content)).digest('hex');
  await writeFile(path, `${JSON.stringify({ ...content, contentSha256 }, null, 2)}\n`);
}

/** Changes one bit. */
export async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 1;
  await writeFile(path, bytes);
}
