// The part of `npm run bench` about what comes after capture: how long a call's length is felt at its end, how quick an
// upload is beside a plain PUT of the same bytes, and what an hour's assembly takes of memory. Recordings are simulated
// (a minute of ffmpeg's test picture, repeated), spool, assembly, SDK and socket are real; S3 is our strict stand-in in a
// separate process.

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createLogger } from '../main/platform/log.ts';
import { Upload, uploadRecording } from '../main/publisher/upload.ts';
import { FolderSink } from '../main/publisher/folderSink.ts';
import { LiveUploads } from '../main/publisher/liveUploads.ts';
import type { Sink } from '../main/publisher/sink.ts';
import { uploadOptions, s3SinkFor, SpoolRig, START } from '../test/rig/uploads.ts';
import { TEST_KEY } from '../test/rig/s3Server.ts';
import { BUCKET, REGION, type S3Store } from '../test/rig/s3Store.ts';
import {
  makeMinute,
  SIMULATED,
  SimulatedRun,
  startRecording,
  stopRecording,
  type Minute,
} from '../test/rig/simulated.ts';

const FRAMES_A_MINUTE = SIMULATED.fps * 60;
const TRIES = 3;

export interface DeliveryFigures {
  /** Milliseconds from the stop to the sink's confirmation, medians, by the call's length in minutes. */
  readonly stopToPublished: Record<'folder' | 's3' | 's3 without the live part', Record<number, number>>;
  readonly megabytes: number;
  readonly deliverMbPerSecond: number;
  readonly putMbPerSecond: number;
  /** MiB above what was there before, by the recording's length in minutes. */
  readonly assembly: Record<number, { heapMiB: number; residentMiB: number; ms: number; megabytes: number }>;
}

setFlagsFromString('--expose_gc');
const collectGarbage = runInNewContext('gc') as () => void;
const log = createLogger({ folder: join(tmpdir(), 'sightline-bench-logs'), level: 'error', stderr: false });

export async function benchUpload(note: (text: string) => void): Promise<DeliveryFigures> {
  const server = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(new URL('../test/rig/s3ServerProcess.ts', import.meta.url))],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const [said] = (await once(server.stdout, 'data')) as [Buffer];
  const store = { endpoint: said.toString().trim(), credentials: TEST_KEY } as S3Store;
  const folder = await mkdtemp(join(tmpdir(), 'sightline-bench-delivery-'));
  try {
    note('one minute of a usual desktop, made');
    const usual = await makeMinute(200);
    const stopToPublished: DeliveryFigures['stopToPublished'] = {
      folder: {},
      s3: {},
      's3 without the live part': {},
    };
    for (const minutes of [1, 10, 60]) {
      note(`calls of ${minutes} simulated minutes`);
      for (const name of ['folder', 's3', 's3 without the live part'] as const) {
        const sink = name === 'folder' ? new FolderSink(join(folder, 'sink')) : s3SinkFor(store);
        const all: number[] = [];
        for (let count = 0; count < TRIES; count += 1)
          all.push(await timeStop(folder, sink, usual, minutes, name !== 's3 without the live part'));
        stopToPublished[name][minutes] = median(all);
      }
    }
    note('an upload beside a plain PUT');
    const throughput = await compareWithPut(folder, store);
    note('memory of assembling');
    const assembly: DeliveryFigures['assembly'] = {};
    for (const minutes of [10, 60]) assembly[minutes] = await weighAssembly(folder, usual, minutes);
    return { stopToPublished, ...throughput, assembly };
  } finally {
    server.stdin.end();
    await once(server, 'exit');
    await rm(folder, { recursive: true, force: true });
  }
}

let recordings = 0;

async function newRecording(folder: string, minute: Minute) {
  const rig = new SpoolRig(join(folder, `spool-${(recordings += 1)}`));
  const session = await rig.open();
  const recordingId = `bench-${recordings}-${process.pid}`;
  const startTime = START + recordings * 86_400_000;
  await startRecording(session, recordingId, startTime);
  const run = await SimulatedRun.open(session, 'run', startTime, minute);
  return { rig, session, recordingId, run };
}

/** @returns milliseconds from the stop to the confirmation */
async function timeStop(
  folder: string,
  sink: Sink,
  minute: Minute,
  minutes: number,
  isLive: boolean,
): Promise<number> {
  const { rig, session, recordingId, run } = await newRecording(folder, minute);
  const clock = { now: () => run.endTime, fromWall: (wall: number) => wall, steps: 0 };
  const options = uploadOptions(sink);
  const live = new LiveUploads({
    begin: () => new Upload(session, recordingId, options),
    clock,
    random: Math.random,
    log,
  });
  for (let second = 0; second < minutes * 60; second += 1) {
    const bytes = await run.grow(SIMULATED.fps);
    if (isLive) live.grew(session, bytes);
    // A call gives it all the time it needs between two seconds.
    await live.idle();
  }
  await run.close();
  await stopRecording(session, recordingId, run.endTime);
  const began = performance.now();
  await uploadRecording(session, recordingId, options, await live.take(recordingId));
  const tookMs = performance.now() - began;
  await session.abandon();
  await rm(rig.root, { recursive: true, force: true });
  return tookMs;
}

async function compareWithPut(folder: string, store: S3Store) {
  const { rig, session, recordingId, run } = await newRecording(folder, await makeMinute(2500, 20));
  await run.grow(FRAMES_A_MINUTE * 5);
  await run.close();
  await stopRecording(session, recordingId, run.endTime);
  const fileOptions = uploadOptions(new FolderSink(join(folder, 'same')));
  const { receipt } = await uploadRecording(session, recordingId, fileOptions);
  const bytes = await readFile(new URL(receipt.location));
  const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({
    endpoint: store.endpoint,
    region: REGION,
    forcePathStyle: true,
    credentials: TEST_KEY,
  });
  const puts: number[] = [];
  const deliveries: number[] = [];
  for (let count = 0; count < TRIES; count += 1) {
    let began = performance.now();
    await client.send(
      new PutObjectCommand({
        ChecksumAlgorithm: 'SHA256',
        Bucket: BUCKET,
        Key: `plain-${count}`,
        Body: bytes,
      }),
    );
    puts.push(performance.now() - began);
    const common = uploadOptions(s3SinkFor(store));
    const options = { ...common, naming: { ...common.naming, keyPrefix: `try-${count}` } };
    began = performance.now();
    await new Upload(session, recordingId, options).finish();
    deliveries.push(performance.now() - began);
  }
  client.destroy();
  await session.abandon();
  await rm(rig.root, { recursive: true, force: true });
  const megabytes = bytes.byteLength / 1e6;
  return {
    megabytes,
    putMbPerSecond: megabytes / (median(puts) / 1000),
    deliverMbPerSecond: megabytes / (median(deliveries) / 1000),
  };
}

async function weighAssembly(folder: string, minute: Minute, minutes: number) {
  const { rig, session, recordingId, run } = await newRecording(folder, minute);
  const bytes = await run.grow(minutes * FRAMES_A_MINUTE);
  await run.close();
  await stopRecording(session, recordingId, run.endTime);
  collectGarbage();
  collectGarbage();
  const before = process.memoryUsage();
  const most = { heap: 0, resident: 0 };
  const look = (): void => {
    const now = process.memoryUsage();
    most.heap = Math.max(most.heap, now.heapUsed + now.external - before.heapUsed - before.external);
    most.resident = Math.max(most.resident, now.rss - before.rss);
  };
  const timer = setInterval(look, 5);
  const began = performance.now();
  await uploadRecording(session, recordingId, uploadOptions(new FolderSink(join(folder, 'weighed'))));
  const tookMs = performance.now() - began;
  look();
  clearInterval(timer);
  await session.abandon();
  await rm(rig.root, { recursive: true, force: true });
  const mib = 1024 * 1024;
  return {
    heapMiB: most.heap / mib,
    residentMiB: most.resident / mib,
    ms: tookMs,
    megabytes: bytes / 1e6,
  };
}

function median(all: readonly number[]): number {
  return [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? NaN;
}

export function deliveryLines(figures: DeliveryFigures): string[] {
  const { stopToPublished, assembly } = figures;
  const lengths = [1, 10, 60];
  return [
    '| stop to confirmed by the sink, after a call of | 1 min | 10 min | 60 min |',
    '| --- | ---: | ---: | ---: |',
    ...Object.entries(stopToPublished).map(
      ([name, by]) =>
        `| ${name} | ${lengths.map((minutes) => `${Math.round(by[minutes] ?? NaN)} ms`).join(' | ')} |`,
    ),
    '',
    `Upload of ${figures.megabytes.toFixed(0)} MB out of the spool: ${figures.deliverMbPerSecond.toFixed(0)} MB/s; one plain PUT of the ` +
      `same bytes out of memory: ${figures.putMbPerSecond.toFixed(0)} MB/s.`,
    '',
    '| assembling | 10 min | 60 min |',
    '| --- | ---: | ---: |',
    `| size | ${[10, 60].map((minutes) => `${assembly[minutes]?.megabytes.toFixed(0)} MB`).join(' | ')} |`,
    `| time | ${[10, 60].map((minutes) => `${assembly[minutes]?.ms.toFixed(0)} ms`).join(' | ')} |`,
    `| most memory in JavaScript | ${[10, 60].map((minutes) => `${assembly[minutes]?.heapMiB.toFixed(0)} MiB`).join(' | ')} |`,
    `| most memory resident | ${[10, 60].map((minutes) => `${assembly[minutes]?.residentMiB.toFixed(0)} MiB`).join(' | ')} |`,
  ];
}
