import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FolderSink } from '../../../main/publisher/folderSink.ts';
import { Moov } from '../../../main/media/moov.ts';
import type { SinkOrder } from '../../../main/publisher/sink.ts';
import { temporaryFolder } from '../support/folders.ts';

const KEY = 'connect/acme/2026/01/02/contact_20260102T030405Z.mp4';
const FOLDER = 'connect/acme/2026/01/02';
const MP4 = 'contact_20260102T030405Z.mp4';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
const manifest = (recordingId: string): string => JSON.stringify({ recordingId });

const noHead = new Moov([], 0, 0);
const headOf = (text: string): Moov => new Moov([{ position: 0, data: bytes(text) }], text.length, 0);

function order(recordingId: string): SinkOrder {
  const resume = { saved: null, save: () => Promise.resolve() };
  return { key: KEY, recordingId, contactId: 'contact', agentArn: 'agent', instanceArn: 'instance', resume };
}

/** The path of the file that grows under a hidden name. */
async function partialOf(root: string): Promise<string> {
  const [name, ...others] = (await readdir(join(root, FOLDER))).filter((one) => one.startsWith('.'));
  expect(others).toEqual([]);
  return join(root, FOLDER, name ?? 'no partial file');
}

async function deliver(sink: FolderSink, recordingId: string, text: string): Promise<string> {
  const object = await sink.begin(order(recordingId));
  await object.write(0, bytes(text));
  const { key } = await object.finish(noHead);
  await sink.putManifest(order(recordingId), key, manifest(recordingId));
  return key;
}

describe('an upload to a folder', () => {
  it('reports each part that has been written', async () => {
    const moved: number[] = [];
    const told = { ...order('rec-1'), onSent: (count: number) => moved.push(count) };
    const object = await new FolderSink(await temporaryFolder()).begin(told);
    await object.write(0, bytes('whole'));
    await object.write(5, bytes('sale'));
    expect(moved).toEqual([5, 4]);
    await object.abort();
  });

  it('reports what it reads back, once', async () => {
    const verified: number[] = [];
    const reporting = { ...order('rec-1'), onVerified: (count: number) => verified.push(count) };
    const object = await new FolderSink(await temporaryFolder()).begin(reporting);
    await object.write(0, bytes('whole'));
    await object.write(5, bytes('sale'));
    await object.finish(noHead);
    expect(verified).toEqual([5, 4]);
  });

  it('has the recording’s name only when it is whole', async () => {
    const root = await temporaryFolder();
    const object = await new FolderSink(root).begin(order('rec-1'));
    await object.write(0, bytes('whole'));
    expect(await readdir(join(root, FOLDER))).toEqual([`.${MP4}.rec-1.part`]);
    await object.finish(noHead);
    expect(await readdir(join(root, FOLDER))).toEqual([MP4]);
    expect(await readFile(join(root, KEY), 'utf8')).toBe('whole');
  });

  it('leaves alone what lies at the manifest’s name and is none', async () => {
    const root = await temporaryFolder();
    const sink = new FolderSink(root);
    await deliver(sink, 'rec-1', 'first');
    await writeFile(join(root, KEY.replace('.mp4', '.json')), 'not JSON');
    expect(await deliver(sink, 'rec-2', 'second')).toBe(KEY.replace('.mp4', '_rec-2.mp4'));
    expect(await readFile(join(root, KEY), 'utf8')).toBe('first');
  });

  it('reports its place, size and checksum', async () => {
    const root = await temporaryFolder();
    const data = randomBytes(3 * 1024 * 1024 + 5);
    const object = await new FolderSink(root).begin(order('rec-1'));
    await object.write(0, data);
    expect(await object.finish(noHead)).toEqual({
      key: KEY,
      location: pathToFileURL(join(root, KEY)).href,
      sizeBytes: data.length,
      digest: { sha256: sha256(data) },
    });
  });

  it('takes the frames first and the moov last', async () => {
    const root = await temporaryFolder();
    const object = await new FolderSink(root).begin(order('rec-1'));
    await object.write(4, bytes('da'));
    await object.write(6, bytes('ta'));
    const digest = { sha256: sha256(bytes('moovdata')) };
    expect(await object.finish(headOf('moov'))).toMatchObject({ sizeBytes: 8, digest });
    expect(await readFile(join(root, KEY), 'utf8')).toBe('moovdata');
  });

  it('has its manifest beside it', async () => {
    const root = await temporaryFolder();
    await deliver(new FolderSink(root), 'rec-1', 'one');
    expect((await readdir(join(root, FOLDER))).sort()).toEqual([MP4.replace('.mp4', '.json'), MP4]);
  });

  it('that is given up leaves nothing behind', async () => {
    const root = await temporaryFolder();
    const object = await new FolderSink(root).begin(order('rec-1'));
    await object.write(0, bytes('half'));
    await object.abort();
    expect(await readdir(join(root, FOLDER))).toEqual([]);
  });
});

describe('another recording of the same name', () => {
  it('gets a longer one, and the first one is left as it is', async () => {
    const root = await temporaryFolder();
    const sink = new FolderSink(root);
    expect(await deliver(sink, 'aaaaaaaa-1111', 'one')).toBe(KEY);
    const second = await deliver(sink, 'bbbbbbbb-2222', 'two');
    expect(second).toBe(KEY.replace('.mp4', '_bbbbbbbb.mp4'));
    expect(await readFile(join(root, KEY), 'utf8')).toBe('one');
    expect(await readFile(join(root, second), 'utf8')).toBe('two');
    expect(await readFile(join(root, KEY.replace('.mp4', '.json')), 'utf8')).toBe(manifest('aaaaaaaa-1111'));
  });

  it('may be written at the same time without disturbing it', async () => {
    const root = await temporaryFolder();
    const sink = new FolderSink(root);
    const [one, two] = await Promise.all([sink.begin(order('rec-1')), sink.begin(order('rec-2'))]);
    await one.write(0, bytes('one'));
    await two.write(0, bytes('two'));
    await one.abort();
    expect(await readFile(await partialOf(root), 'utf8')).toBe('two');
    await two.abort();
  });
});

describe('another try of the same recording', () => {
  it('replaces the one before, manifest and all', async () => {
    const root = await temporaryFolder();
    const sink = new FolderSink(root);
    await deliver(sink, 'rec-1', 'first try, and longer');
    expect(await deliver(sink, 'rec-1', 'second try')).toBe(KEY);
    expect((await readdir(join(root, FOLDER))).sort()).toEqual([MP4.replace('.mp4', '.json'), MP4]);
    expect(await readFile(join(root, KEY), 'utf8')).toBe('second try');
  });

  it('begins anew where a crash left half a file', async () => {
    const root = await temporaryFolder();
    const sink = new FolderSink(root);
    const crashed = await sink.begin(order('rec-1'));
    await crashed.write(0, bytes('half of a longer one'));
    const again = await sink.begin(order('rec-1'));
    await again.write(0, bytes('whole'));
    expect(await again.finish(noHead)).toMatchObject({
      sizeBytes: 5,
      digest: { sha256: sha256(bytes('whole')) },
    });
    expect(await readdir(join(root, FOLDER))).toEqual([MP4]);
    await crashed.abort();
    expect(await readFile(join(root, KEY), 'utf8')).toBe('whole');
  });
});

describe('a faulty disk or share', () => {
  /** Writes two parts and lets the disk do something to the file before it is checked. */
  async function deliverDamaged(damage: (partial: string) => Promise<void>): Promise<string[]> {
    const root = await temporaryFolder();
    const object = await new FolderSink(root).begin(order('rec-1'));
    await object.write(0, bytes('first part, '));
    await object.write(12, randomBytes(2 * 1024 * 1024));
    await damage(await partialOf(root));
    await expect(object.finish(noHead)).rejects.toThrow('does not contain what was written to it');
    await object.abort();
    return readdir(join(root, FOLDER));
  }

  async function flip(path: string, position: number): Promise<void> {
    const file = await open(path, 'r+');
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, position);
    await file.close();
  }

  it.each([
    ['the first byte', 0],
    ['a byte in the middle', 1024 * 1024 + 7],
    ['the last byte', 2 * 1024 * 1024 + 11],
  ])('is found out when %s differs: nothing gets the recording’s name', async (_, position) => {
    expect(await deliverDamaged((path) => flip(path, position))).toEqual([]);
  });

  it('is found out when the end is missing', async () => {
    expect(await deliverDamaged((path) => truncate(path, 2 * 1024 * 1024))).toEqual([]);
  });

  it('is found out when the file is empty', async () => {
    expect(await deliverDamaged((path) => truncate(path, 0))).toEqual([]);
  });
});

describe('a folder that cannot be had', () => {
  it('keeps the system’s reason', async () => {
    const root = join(await temporaryFolder(), 'file');
    await writeFile(root, 'in the way');
    await expect(new FolderSink(root).begin(order('rec-1'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it('is made where it is not there yet', async () => {
    const root = join(await temporaryFolder(), 'new', 'folder');
    await deliver(new FolderSink(root), 'rec-1', 'one');
    expect(await readFile(join(root, KEY), 'utf8')).toBe('one');
  });
});
