// Uploads to a folder that begin during the contact. Real spool and assembly; ffmpeg's test picture as frames.
import { createHash } from 'node:crypto';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FolderSink } from '../../main/publisher/folderSink.ts';
import { newId, rig } from '../rig/s3Judge.ts';
import { temporaryFolder } from '../unit/support/folders.ts';

async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

/** The digest of the same recording, uploaded after its end. */
async function digestAfterwards(spool: Awaited<ReturnType<typeof rig>>, id: string): Promise<string> {
  const root = await temporaryFolder();
  await spool.deliver(id, new FolderSink(root));
  const video = (await filesIn(root)).find((path) => path.endsWith('.mp4'))!;
  return createHash('sha256')
    .update(await readFile(video))
    .digest('hex');
}

it('grows under a hidden name during the contact, and is whole and visible after it', async () => {
  const root = await temporaryFolder();
  const spool = await rig();
  const id = newId();
  const run = await spool.begin(id);
  const sink = new FolderSink(root);
  const upload = spool.live(id, sink);
  for (let step = 0; step < 8; step += 1) {
    await run.grow(60);
    await upload.advance(run.endTime - 5000);
  }
  const [partial, ...others] = await filesIn(root);
  expect(others).toEqual([]);
  expect(partial).toMatch(/\/\.[^/]+\.mp4\..+\.part$/);
  const during = (await stat(partial!)).size;
  await spool.end(id, run);
  const { receipt, manifest } = await spool.deliver(id, sink, upload);
  const [json, mp4, ...more] = (await filesIn(root)).sort();
  expect(more).toEqual([]);
  expect(json).toMatch(/\.json$/);
  const video = await readFile(mp4!);
  // Five seconds of nearly a hundred, and the moov's padding, were all that was left.
  expect(during).toBeGreaterThan(video.length * 0.8);
  const sha256 = createHash('sha256').update(video).digest('hex');
  expect(receipt.digest).toEqual({ sha256 });
  expect(manifest.video.sizeBytes).toBe(video.length);
  expect(JSON.parse(await readFile(json!, 'utf8'))).toMatchObject({ video: { sha256 } });
});

it('after a crash it is written anew over what the crash left', async () => {
  const root = await temporaryFolder();
  const spool = await rig();
  const id = newId();
  const run = await spool.begin(id);
  await run.grow(300);
  const first = spool.live(id, new FolderSink(root));
  await first.advance(run.endTime);
  expect(await filesIn(root)).toHaveLength(1);
  await spool.end(id, run);
  await spool.reopen();
  await spool.deliver(id, new FolderSink(root));
  const files = await filesIn(root);
  expect(files.map((path) => path.replace(/^.*\./, '')).sort()).toEqual(['json', 'mp4']);
  const video = await readFile(files.find((path) => path.endsWith('.mp4'))!);
  expect(createHash('sha256').update(video).digest('hex')).toBe(await digestAfterwards(spool, id));
  await first.abort();
  expect(await filesIn(root)).toHaveLength(2);
});
