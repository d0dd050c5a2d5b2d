// Slates are made during the contact, and they must be those that the end of the contact asks for: a difference in one field
// would make them in vain.
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { FolderSink } from '../../../main/publisher/folderSink.ts';
import { Upload, uploadRecording, type UploadOptions } from '../../../main/publisher/upload.ts';
import type { SlateOrder } from '../../../main/shared/names.ts';
import { Spool } from '../../../main/spool/spool.ts';
import { makeBadge } from '../../rig/simulated.ts';
import { temporaryFolder } from '../support/folders.ts';
import { chunksOf, makeTestVideo } from '../support/fragmentedMp4.ts';
import { entry, recording, run } from '../support/journalEntries.ts';
import { openedSession, testKeys } from '../support/keys.ts';

const FRAMES = 10;
const START = 1_800_000_000_000;
const RUN_MS = FRAMES * 200;
let chunks: Uint8Array[];

beforeAll(async () => {
  chunks = chunksOf(await makeTestVideo(FRAMES));
});

it('the slates of gaps that have ended are those of the upload; short gaps and the last one have none yet', async () => {
  const spool = new Spool({
    root: join(await temporaryFolder(), 'spool'),
    keys: testKeys(),
    newSessionId: () => 'session',
    onUnreadable: (folder) => expect.fail(folder),
  });
  const session = await openedSession(spool);
  const orders: SlateOrder[] = [];
  const options: UploadOptions = {
    sink: new FolderSink(await temporaryFolder()),
    naming: { keyPrefix: 'recordings', instanceAlias: null, attributesForKeys: [], s3Tags: [] },
    ...{ appVersion: '0', os: 'test', deliverDamaged: true, makeBadge },
    makeSlate: (order) => {
      orders.push(order);
      return Promise.resolve(Buffer.concat([chunks[0]!, chunks[1]!]));
    },
    blankFormat: () => Promise.resolve({ width: 160, height: 96, fps: 5, encoder: 'libx264' }),
  };
  const record = async (runId: string, from: number): Promise<void> => {
    for (const one of run(runId, from, null)) await session.append(one);
    const writer = await session.createRun(`${runId}.run`);
    for (const chunk of chunks) await writer.append(chunk);
    await writer.close();
  };
  const close = (runId: string, to: number): Promise<void> =>
    session.append({ ...entry.closed(runId, to), frames: FRAMES });
  const prepare = (until: number): Promise<void> => new Upload(session, 'one', options).prepareSlates(until);

  for (const one of recording('one', START, null)) await session.append(one);
  await prepare(START);
  await record('a', START);
  await session.append(entry.suspended('one', START + RUN_MS, 'Card number'));
  await close('a', START + RUN_MS);
  await prepare(START + RUN_MS + 3000);
  expect(orders).toEqual([]);

  const second = START + RUN_MS + 5000;
  await session.append(entry.resumed('one', second));
  await record('b', second);
  await prepare(second + 400);
  expect(orders).toMatchObject([
    { reason: 'suspended', from: START + RUN_MS, to: second, text: 'Card number' },
  ]);

  // Interrupted for half a second: a badge.
  await close('b', second + RUN_MS);
  const third = second + RUN_MS + 500;
  await record('c', third);
  await prepare(third + 400);
  const prepared = [...orders];
  // Earlier gaps are not asked for again: hundreds of them would not fit the cache.
  expect(prepared).toHaveLength(1);

  await close('c', third + RUN_MS);
  await session.append(entry.stopped('one', third + RUN_MS));
  orders.length = 0;
  await uploadRecording(session, 'one', options);
  expect(orders).toEqual(prepared);
  await session.abandon();
});
