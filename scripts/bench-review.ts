// How fast a review library is: `npm run bench:review`, with `-- --sizes 10000,100000` and `-- --json FILE`. It makes libraries with
// the real manifests of test/rig/reviewLibrary.ts in a temporary folder (`--dir`), and measures in a new process each: time to the
// first page, time of the whole index, memory, size of the cache, and typical searches. Figures: docs/review.md.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NodeNetwork } from '../main/platform/network/nodeNetwork.ts';
import type { RecordingQuery } from '../review/contract.ts';
import { keepHeapSmall } from '../review/server/heap.ts';
import { openLibrary } from '../review/server/library/openLibrary.ts';
import { makeLibrary, madeRecording } from '../test/rig/reviewLibrary.ts';
import { firstPageLine, measureFirstPage } from '../test/rig/reviewPage.ts';
import { measureSeeks, seekLine } from '../test/rig/reviewPlayer.ts';
import { startReview } from '../test/rig/reviewProgram.ts';
import { recordForReview } from '../test/rig/reviewRecording.ts';
import { measureSync, syncLine } from '../test/rig/reviewSync.ts';
import { startS3Server, TEST_KEY } from '../test/rig/s3Server.ts';

const S3_RECORDINGS = 10_000;
const PAGE = 50;
const BUCKET = 'recordings';
/** Of each search. */
const TIMES = 20;

const searches: Readonly<Record<string, RecordingQuery>> = {
  'newest first': { limit: PAGE },
  'last page': { limit: PAGE, offset: 9_900 },
  'a word': { text: 'billing', limit: PAGE },
  'three words that few have': { text: 'agent13 voice rückfragen', limit: PAGE },
  'a contact id': { text: '000003e8-1c2d', limit: PAGE },
  'no match': { text: 'nothing has this', limit: PAGE },
  'agent, a week, suspended, longest first': {
    ...{ agent: 'agent26', from: '2026-03-02T00:00:00.000Z', to: '2026-03-09T00:00:00.000Z' },
    ...{ suspended: true, sort: 'durationMs', descending: true, limit: PAGE },
  },
  'any problem, by queue': { problem: 'any', sort: 'queue', limit: PAGE },
};

interface Order {
  readonly location: string;
  readonly cacheFolder: string;
  readonly endpoint: string | null;
}

interface Measured {
  readonly recordings: number;
  readonly firstPageMs: number;
  readonly readyMs: number;
  readonly heapMb: number;
  readonly rssMb: number;
  readonly cacheMb: number;
  readonly processorMs: number;
  readonly searchMs: Readonly<Record<string, SearchTime>>;
}

interface SearchTime {
  readonly firstMs: number;
  readonly medianMs: number;
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10000,100000' },
    dir: { type: 'string' },
    json: { type: 'string' },
    measure: { type: 'string' },
  },
});

if (values.measure === undefined) await bench();
else console.log(JSON.stringify(await measure(JSON.parse(values.measure) as Order)));

/** From a click in the timeline to its frame, and how far the call's audio is from the video, in Chromium over a real recording. */
async function player(home: string): Promise<void> {
  const { folder, audioFolder } = await recordForReview(home);
  const review = await startReview(home, [folder, '--audio', audioFolder]);
  try {
    const link = review.link.href;
    console.log('\nThe player in Chromium');
    console.log(seekLine(await measureSeeks(link)));
    // The link works once.
    const second = await startReview(join(home, 'sync'), [folder, '--audio', audioFolder]);
    try {
      console.log(syncLine(await measureSync(second.link.href)));
    } finally {
      await second.stop();
    }
  } finally {
    await review.stop();
  }
}

async function bench(): Promise<void> {
  const dir = values.dir ?? (await mkdtemp(join(tmpdir(), 'sightline-bench-review-')));
  const results: Record<string, Measured> = {};
  try {
    for (const size of values.sizes.split(',').map(Number)) {
      const location = join(dir, `library-${size}`);
      const began = performance.now();
      await makeLibrary(location, { to: size });
      console.log(`\n${size} recordings in a folder (made in ${seconds(performance.now() - began)})`);
      const order = { location, cacheFolder: join(dir, `cache-${size}`), endpoint: null };
      console.log(
        `  files' contents ${(await forgetFiles()) ? 'are not' : 'may be'} in the system's memory before the cold start`,
      );
      Object.assign(results, await coldAndWarm(`folder, ${size}`, order));
      const review = await startReview(join(dir, `page-${size}`), [location]);
      try {
        console.log(firstPageLine(await measureFirstPage(review.link.href)));
      } finally {
        await review.stop();
      }
      await rm(location, { recursive: true });
    }
    Object.assign(results, await s3(dir));
    await player(join(dir, 'player'));
  } finally {
    if (values.dir === undefined) await rm(dir, { recursive: true, force: true });
  }
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
}

async function s3(dir: string): Promise<Record<string, Measured>> {
  const server = await startS3Server({ buckets: [BUCKET], accessKeys: [TEST_KEY] });
  try {
    for (let index = 0; index < S3_RECORDINGS; index += 1) {
      const { key, manifest } = madeRecording(index);
      server.put(BUCKET, key.replace(/mp4$/, 'json'), Buffer.from(JSON.stringify(manifest, null, 2)));
      server.put(BUCKET, key, Buffer.from('an MP4 that nobody opens'));
    }
    console.log(`\n${S3_RECORDINGS} recordings in the test rig's S3 server`);
    const order = {
      ...{ location: `s3://${BUCKET}/connect/acme`, cacheFolder: join(dir, 'cache-s3') },
      endpoint: server.endpoint,
    };
    return await coldAndWarm(`S3, ${S3_RECORDINGS}`, order);
  } finally {
    await server.close();
  }
}

async function coldAndWarm(name: string, order: Order): Promise<Record<string, Measured>> {
  const results: Record<string, Measured> = {};
  for (const kind of ['cold', 'warm']) {
    const measured = await inNewProcess(order);
    results[`${name}, ${kind}`] = measured;
    const { firstPageMs, readyMs, processorMs, heapMb, rssMb, cacheMb } = measured;
    console.log(
      `  ${kind}: first page ${seconds(firstPageMs)}, whole index ${seconds(readyMs)} (processor ${seconds(processorMs)}), heap +${heapMb} MB, process +${rssMb} MB, cache ${cacheMb} MB`,
    );
    for (const [search, { firstMs, medianMs }] of Object.entries(measured.searchMs))
      if (kind === 'warm')
        console.log(`    ${medianMs.toFixed(1).padStart(6)} ms (first ${firstMs.toFixed(0)} ms)  ${search}`);
  }
  return results;
}

async function inNewProcess(order: Order): Promise<Measured> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--import', 'tsx', fileURLToPath(import.meta.url), '--measure', JSON.stringify(order)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ...{ AWS_ACCESS_KEY_ID: TEST_KEY.accessKeyId, AWS_SECRET_ACCESS_KEY: TEST_KEY.secretAccessKey },
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  );
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`the measurement ended with ${String(code)}`);
  return JSON.parse(output) as Measured;
}

async function measure({ location, cacheFolder, endpoint }: Order): Promise<Measured> {
  keepHeapSmall();
  const policy = { awsRegion: 'eu-west-1', awsProfile: null, s3Endpoint: endpoint, s3PathStyle: true };
  globalThis.gc?.();
  const before = process.memoryUsage();
  const cpu = process.cpuUsage();
  const began = performance.now();
  const library = openLibrary({ location, policy, network: new NodeNetwork(), cacheFolder });
  const ready = library.refresh();
  while (library.list({ limit: PAGE }, ['']).rows.length < PAGE && library.state.state !== 'ready')
    await sleep(2);
  const firstPageMs = performance.now() - began;
  await ready;
  const readyMs = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  if (library.state.state !== 'ready') throw new Error(JSON.stringify(library.state));
  const searchMs = Object.fromEntries(
    Object.entries(searches).map(([name, query]) => [name, timesOf(() => library.list(query, ['connect/']))]),
  );
  globalThis.gc?.();
  const after = process.memoryUsage();
  const recordings = library.state.indexed;
  await library.close();
  const megabytes = (bytes: number): number => Math.round(bytes / 1e5) / 10;
  return {
    ...{ recordings, firstPageMs, readyMs, searchMs, processorMs: (user + system) / 1000 },
    heapMb: megabytes(after.heapUsed + after.external - before.heapUsed - before.external),
    rssMb: megabytes(after.rss - before.rss),
    cacheMb: megabytes(await bytesIn(cacheFolder)),
  };
}

/** The median of TIMES calls; the first one, which may have to sort, is another figure. */
function timesOf(call: () => unknown): SearchTime {
  const timeOf = (): number => {
    const began = performance.now();
    call();
    return performance.now() - began;
  };
  const firstMs = timeOf();
  const others = Array.from({ length: TIMES }, timeOf).sort((one, other) => one - other);
  return { firstMs, medianMs: others[TIMES / 2] ?? NaN };
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

/** Linux, as root: otherwise what has just been written is read from the system's memory. */
async function forgetFiles(): Promise<boolean> {
  return writeFile('/proc/sys/vm/drop_caches', '3').then(
    () => true,
    () => false,
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
