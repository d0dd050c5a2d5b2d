// A recording whose files were damaged on its way into a folder: what can be read is uploaded, and nothing else.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { UploadOptions, UploadResult } from '../../../main/publisher/upload.ts';
import { Upload, uploadRecording } from '../../../main/publisher/upload.ts';
import { FolderSink } from '../../../main/publisher/folderSink.ts';
import type { SpoolSession } from '../../../main/spool/spool.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { makeBadge } from '../../rig/simulated.ts';
import { temporaryFolder } from '../support/folders.ts';
import { chunksOf, makeTestVideo } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { testKeys, openedSession } from '../support/keys.ts';
import { containing } from '../support/matchers.ts';

const FRAMES = 10;
const START = 1_800_000_000_000;
const END = START + FRAMES * 200;
let chunks: Uint8Array[];

beforeAll(async () => {
  chunks = chunksOf(await makeTestVideo(FRAMES));
});

interface Complete {
  readonly session: SpoolSession;
  readonly run: string;
  readonly options: UploadOptions;
}

async function complete(deliverDamaged = true): Promise<Complete> {
  const spool = new Spool({
    root: join(await temporaryFolder(), 'spool'),
    keys: testKeys(),
    newSessionId: () => 'session',
    onUnreadable: (folder) => expect.fail(folder),
  });
  const session = await openedSession(spool);
  for (const one of [...recording('one', START, null), ...run('a', START, null)]) await session.append(one);
  const writer = await session.createRun('a.run');
  for (const chunk of chunks) await writer.append(chunk);
  await writer.close();
  await session.append({ ...entry.closed('a', END), frames: FRAMES });
  await session.append(entry.stopped('one', END));
  const options: UploadOptions = {
    sink: new FolderSink(await temporaryFolder()),
    ...{
      naming: { keyPrefix: 'recordings', instanceAlias: null, attributesForKeys: [], s3Tags: [] },
      appVersion: '0',
      os: 'test',
      deliverDamaged,
    },
    makeSlate: () => Promise.resolve(Buffer.concat([chunks[0]!, chunks[1]!])),
    makeBadge,
    blankFormat: () => Promise.resolve({ width: 160, height: 96, fps: 5, encoder: 'libx264' }),
  };
  return { session, run: join(session.folder, 'a.run'), options };
}

/** A bit of a frame, or with 'cut' the file before it. */
async function harm(path: string, picture: number, how: 'flip' | 'cut'): Promise<void> {
  const bytes = await readFile(path);
  let at = 8;
  for (let chunk = 0; chunk < picture + 1; chunk += 1) at += 4 + bytes.readUInt32BE(at);
  bytes[at + 20]! ^= 1;
  await writeFile(path, how === 'cut' ? bytes.subarray(0, at) : bytes);
}

function expectReadUpTo(pictures: number, { manifest }: UploadResult): void {
  expect(manifest).toMatchObject({
    durationMs: FRAMES * 200,
    runs: [{ runId: 'a', offsetMs: 0 }],
    gaps: [{ offsetMs: pictures * 200, durationMs: (FRAMES - pictures) * 200, reason: 'unreadable' }],
    integrity: {
      state: 'damaged',
      findings: [{ kind: 'run-damaged', runId: 'a', frames: FRAMES, readableFrames: pictures }],
    },
    // From a second on the slate is one more. Before, the last frame stays; these are too small for a badge.
    video: { frames: pictures + ((FRAMES - pictures) * 200 < 1000 ? 0 : 1) },
  });
}

describe('a damaged run', () => {
  it.each(['flip', 'cut'] as const)(
    'is uploaded up to the damage, no matter where that is (%s)',
    async (how) => {
      for (let picture = 1; picture < FRAMES; picture += 1) {
        const { session, run: path, options } = await complete();
        await harm(path, picture, how);
        expectReadUpTo(picture, await uploadRecording(session, 'one', options));
        await session.abandon();
      }
    },
  );

  it('that is whole has no mark', async () => {
    const { session, options } = await complete();
    const { manifest } = await uploadRecording(session, 'one', options);
    expect(manifest).not.toHaveProperty('integrity');
    expect(manifest.gaps).toEqual([]);
    await session.abandon();
  });

  it('is uploaded with what an upload had read before the damage', async () => {
    const { session, run: path, options } = await complete();
    const begun = new Upload(session, 'one', options);
    await begun.advance(START + 600);
    await harm(path, 7, 'cut');
    // Of so short a run that was all.
    const { manifest } = await uploadRecording(session, 'one', options, begun);
    expect(manifest).toMatchObject({ gaps: [], video: { frames: FRAMES } });
    await session.abandon();
  });

  it.each([
    ['its first picture is damaged', (path: string) => harm(path, 0, 'flip')],
    ['its file is gone', (path: string) => rm(path)],
    ['its file is empty', (path: string) => writeFile(path, '')],
    ['its file is something else', (path: string) => writeFile(path, 'something else altogether')],
  ])('of which nothing can be read is not delivered, until its file is back: %s', async (_, destroy) => {
    const { session, run: path, options } = await complete();
    const good = await readFile(path);
    await destroy(path);
    await expect(uploadRecording(session, 'one', options)).rejects.toMatchObject({
      ...{ code: 'SPOOL_UNREADABLE', message: containing('Nothing of this recording can be read') },
    });
    await session.tidy();
    await writeFile(path, good);
    const { manifest } = await uploadRecording(session, 'one', options);
    expect(manifest).not.toHaveProperty('integrity');
    await session.abandon();
  });

  it('is kept where policy says so', async () => {
    const { session, run: path, options } = await complete(false);
    await harm(path, 5, 'flip');
    await expect(uploadRecording(session, 'one', options)).rejects.toMatchObject({
      ...{ code: 'SPOOL_UNREADABLE', message: containing('deliverDamaged') },
    });
    await session.abandon();
  });
});
