// `sightline verify`, the real command, over recordings that the recorder's own upload has stored in a folder and in S3.
import { copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderSink } from '../../main/publisher/folderSink.ts';
import type { UploadResult } from '../../main/publisher/upload.ts';
import type { RecordingResult, VerifySummary } from '../../review/server/verify/verifyLibrary.ts';
import { run } from '../rig/process.ts';
import { builtProgram } from '../rig/program.ts';
import { BUCKET, REGION, startStrictStore } from '../rig/s3Store.ts';
import { s3SinkFor } from '../rig/uploads.ts';
import { flipBit, forgeManifest, publishedEvent, publishedRecordings } from '../rig/verifyCases.ts';

let home: string;
let library: string;
let events: string;
let recordings: UploadResult[];

const COUNT = 8;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-verify-'));
  library = join(home, 'library');
  recordings = await publishedRecordings(new FolderSink(library), COUNT);
  events = join(home, 'events.ndjson');
  await writeFile(events, recordings.map((one) => `${publishedEvent(one)}\n`).join(''));
});
afterAll(() => rm(home, { recursive: true, force: true }));

async function verify(args: readonly string[], environment: Record<string, string> = {}) {
  const env = { ...process.env, HOME: home, XDG_DATA_HOME: join(home, 'share'), ...environment };
  const { code, stdout, stderr } = await run(process.execPath, [builtProgram, 'verify', ...args], { env });
  return { code, stdout: String(stdout), stderr: String(stderr) };
}

async function verifyJson(args: readonly string[], environment?: Record<string, string>) {
  const { code, stdout, stderr } = await verify([...args, '--json'], environment);
  expect(stderr).toBe('');
  const answer = JSON.parse(stdout) as VerifySummary & { recordings: RecordingResult[] };
  const byName = Object.fromEntries(answer.recordings.map((one) => [one.name, one]));
  return { code, ...answer, byName };
}

const keyOf = (index: number): string => recordings[index]!.receipt.key;
const mp4Of = (index: number): string => fileURLToPath(recordings[index]!.receipt.location);
const manifestOf = (index: number): string => mp4Of(index).replace(/mp4$/, 'json');

// In this order: each test changes more of the same library.
describe.sequential('sightline verify FOLDER', () => {
  it('finds a library as it was stored intact, and says so in one line', async () => {
    expect(await verify([library])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^8 recordings in [\d.]+ s \([\d.]+ MB, \d+ MB\/s\): 8 intact\.\n$/,
      ) as string,
      stderr: '',
    });
    const compared = await verify([library, '--events', events, '--jobs', '1']);
    expect(compared).toMatchObject({ code: 0, stderr: '' });
    expect(compared.stdout).toContain('Compared with 8 PUBLISHED events.');
  });

  it('names each recording that is not, with what was found', async () => {
    await flipBit(mp4Of(0), 100_000);
    await rm(manifestOf(1));
    await rm(mp4Of(2));
    // Any other JSON file is no recording; a name cannot write on the terminal.
    await writeFile(join(library, 'transcript.json'), '{"Transcript":[]}');
    await mkdir(join(library, 'other'));
    await writeFile(join(library, 'other', 'a\u001b[2Jb.mp4'), 'x');

    const { code, stdout } = await verify([library]);
    expect(code).toBe(1);
    expect(stdout).toContain(`CHANGED  ${keyOf(0)}\n    The MP4's SHA-256 is not that of the manifest`);
    expect(stdout).toContain(`WITHOUT A MANIFEST  ${keyOf(1)}\n`);
    expect(stdout).toContain(`WITHOUT AN MP4  ${keyOf(2)}\n`);
    expect(stdout).toContain('WITHOUT A MANIFEST  other/a\ufffd[2Jb.mp4\n');
    expect(stdout).toContain('5 intact, 1 changed, 2 without a manifest, 1 without an MP4.');
    await rm(join(library, 'other'), { recursive: true });
  });

  it('finds with the events what was forged and deleted, and without them what has another one’s place', async () => {
    await flipBit(mp4Of(0), 100_000); // as it was
    // Both files, and all digests in them, are right again.
    await forgeManifest(manifestOf(3), (manifest) => (manifest['suspensions'] = []));
    await rm(mp4Of(4));
    await rm(manifestOf(4));
    // Recording 6 has another one's place, which is intact.
    await copyFile(mp4Of(7), mp4Of(6));
    await copyFile(manifestOf(7), manifestOf(6));
    for (const index of [1, 2]) await rm(index === 1 ? mp4Of(1) : manifestOf(2));

    const without = await verifyJson([library]);
    expect(without).toMatchObject({ code: 1, counts: { intact: 4 }, recordings: [{ name: keyOf(6) }] });

    const { code, byName, counts } = await verifyJson([library, '--events', events]);
    expect(code).toBe(1);
    expect(byName[keyOf(3)]).toMatchObject({
      verdict: 'changed',
      findings: [expect.stringContaining('not the one of the PUBLISHED event')],
    });
    for (const index of [1, 2, 4]) expect(byName[keyOf(index)]?.verdict).toBe('missing');
    expect(byName[keyOf(6)]).toMatchObject({
      verdict: 'changed',
      findings: [expect.stringContaining('in the place of another recording')],
    });
    expect(counts).toMatchObject({ intact: 3, changed: 2, missing: 3 });
  });

  it('misses nothing where recordings were copied to another place', async () => {
    const elsewhere = join(home, 'copies');
    for (const path of [mp4Of(0), manifestOf(0)]) {
      const copy = path.replace(library, elsewhere);
      await mkdir(dirname(copy), { recursive: true });
      await copyFile(path, copy);
    }
    const { code, counts } = await verifyJson([elsewhere, '--events', events]);
    expect([code, counts.intact, counts.missing]).toEqual([0, 1, 0]);
  });

  it('ends with 69 where there is nothing to read, and with 64 for mistakes', async () => {
    expect(await verify([join(home, 'nowhere')])).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringContaining(
        'LIBRARY_UNAVAILABLE: The folder with the recordings does not exist',
      ) as string,
    });
    const none = await verify([library, '--events', join(home, 'none.ndjson')]);
    expect([none.code, none.stderr]).toEqual([
      69,
      expect.stringContaining('file with the events cannot be read'),
    ]);
    for (const args of [['s3://a/../b'], [library, '--jobs', '0']])
      expect((await verify(args)).code, args[0]).toBe(64);
    // A file whose events are not JSON proves nothing, and is not an error.
    const broken = join(home, 'broken.ndjson');
    await writeFile(broken, 'not JSON\n{"detail":1}\n');
    const { events: read, counts } = await verifyJson([library, '--events', broken]);
    expect(read).toEqual({ recordings: 0, unreadableLines: 1 });
    expect(counts.intact).toBe(0);
  });
});

it('verifies an S3 prefix: parts one by one, without a request that writes', async () => {
  const store = await startStrictStore();
  try {
    const sink = s3SinkFor(store);
    // A frame of 60 kB: the first one takes several parts.
    const [long] = await publishedRecordings(sink, 1, { frames: 60, kbitPerSecond: 2500 });
    await publishedRecordings(sink, 3);
    expect(long!.manifest.video.parts?.length).toBeGreaterThan(1);
    const file = join(home, 's3-events.ndjson');
    await writeFile(file, `${publishedEvent(long!)}\n`);
    const args = [
      `s3://${BUCKET}/connect`,
      '--s3-endpoint',
      store.endpoint,
      '--s3-path-style',
      '--aws-region',
      REGION,
    ];
    const environment = {
      AWS_ACCESS_KEY_ID: store.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    expect(await verifyJson(args, environment)).toMatchObject({
      code: 0,
      counts: { intact: 4 },
      recordings: [],
    });
    const { code, byName, counts } = await verifyJson([...args, '--events', file], environment);
    // Of the others there is no event.
    expect([code, counts.intact, counts['not-verifiable'], byName[long!.receipt.key]]).toEqual([
      1,
      1,
      3,
      undefined,
    ]);
  } finally {
    await store.stop();
  }
});
