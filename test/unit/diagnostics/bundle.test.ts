import fc from 'fast-check';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BundlePart } from '../../../main/diagnostics/bundle.ts';
import { writeBundle } from '../../../main/diagnostics/bundle.ts';
import { lastLines, listFolder } from '../../../main/diagnostics/files.ts';
import {
  journalShape,
  keep,
  keepOfLogLine,
  manifestShape,
  statusEventShape,
} from '../../../main/diagnostics/supportShapes.ts';
import { readZip } from '../../rig/zip.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-bundle-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const about = 'something';
const write = (parts: BundlePart[], more: { deadlineMs?: number; maxBytes?: number } = {}) =>
  writeBundle({
    out: join(folder, 'b.zip'),
    parts,
    redaction: { home: null, hostName: null, secrets: ['known-secret'] },
    now: new Date('2026-11-21T00:00:00Z'),
    appVersion: '1.2.3',
    ...more,
  });
async function* each(...lines: unknown[]): AsyncGenerator {
  for (const line of lines) yield await Promise.resolve(line);
}

describe('a bundle', () => {
  it('contains each part, redacted, and a README about all of them, for its owner only', async () => {
    const { sizeBytes, problems } = await write([
      { name: 'a.json', about, read: () => Promise.resolve({ a: 'known-secret', n: 1 }) },
      { name: 'b/c.ndjson', about: 'lines', read: () => each('plain known-secret', { x: 1 }) },
    ]);
    expect(problems).toEqual([]);
    const { size, mode } = await stat(join(folder, 'b.zip'));
    expect([size, mode & 0o777]).toEqual([sizeBytes, 0o600]);
    const entries = await readZip(join(folder, 'b.zip'));
    expect([...entries.keys()]).toEqual(['a.json', 'b/c.ndjson', 'README.txt']);
    expect(JSON.parse(entries.get('a.json')!.toString())).toEqual({ a: '[left-out]', n: 1 });
    expect(entries.get('b/c.ndjson')!.toString()).toBe('plain [left-out]\n{"x":1}\n');
    expect(entries.get('README.txt')!.toString()).toMatch(
      /Sightline 1\.2\.3, 2026-11-21[^]*a\.json\n +something/,
    );
  });

  it('reports a part that fails or hangs, and continues', async () => {
    const failing = (async function* () {
      yield await Promise.resolve({ first: true });
      throw new Error('no known-secret');
    })();
    const { problems } = await write(
      [
        { name: 'hangs.json', about, read: () => new Promise(() => undefined) },
        { name: 'fails.ndjson', about, read: () => failing },
        { name: 'well.json', about, read: () => Promise.resolve(1) },
      ],
      { deadlineMs: 50 },
    );
    expect(problems).toMatchObject([
      { part: 'hangs.json', message: 'no answer within 0.05 s' },
      { part: 'fails.ndjson', message: 'no [left-out]' },
    ]);
    const entries = await readZip(join(folder, 'b.zip'));
    expect(entries.get('fails.ndjson')!.toString()).toMatch(/^\{"first":true\}\n\{"problem":/);
    expect(entries.get('well.json')!.toString()).toBe('1\n');
    expect(entries.get('README.txt')!.toString()).toContain('fails.ndjson: UNKNOWN: no [left-out]');
  });

  it('stays within its size, and reads no more than fits', async () => {
    let asked = 0;
    const endless = (async function* () {
      for (;;) yield await Promise.resolve(`${(asked += 1)} ${'x'.repeat(1000)}`);
    })();
    await write(
      [
        { name: 'endless.txt', about, read: () => endless },
        { name: 'long.txt', about, read: () => each('y'.repeat(100_000)) },
      ],
      { maxBytes: 100_000 },
    );
    const entries = await readZip(join(folder, 'b.zip'));
    expect(asked).toBeLessThan(110);
    expect(entries.get('endless.txt')!.byteLength).toBeLessThan(101_000);
    expect(entries.get('endless.txt')!.toString()).toMatch(/truncated here/);
    expect(entries.get('long.txt')!.toString()).not.toContain('yy');
  });

  it('replaces a link and not what it names; a folder of its name stays', async () => {
    await writeFile(join(folder, 'precious'), 'precious');
    await symlink(join(folder, 'precious'), join(folder, 'b.zip'));
    await write([]);
    expect(await readFile(join(folder, 'precious'), 'utf8')).toBe('precious');
    await rm(join(folder, 'b.zip'));
    await mkdir(join(folder, 'b.zip'));
    await expect(write([])).rejects.toMatchObject({ code: 'BUNDLE_NOT_WRITTEN' });
    expect((await readdir(folder)).sort()).toEqual(['b.zip', 'precious']);
  });
});

describe('the fields of our files that support sees', () => {
  const secret = 'a-customer-name';
  const started = {
    type: 'contact.started',
    recordingId: 'r',
    at: 1,
    contact: { contactId: 'c', channel: 'VOICE', queue: secret, attributes: { [secret]: secret } },
    agent: { agentArn: 'arn:a', instanceArn: 'arn:i', agentUsername: secret },
  };

  it('leaves out queue, attributes, user name and the free text of pages of a journal', () => {
    expect(keep(started, journalShape)).toEqual({
      type: 'contact.started',
      recordingId: 'r',
      at: 1,
      contact: { contactId: 'c', channel: 'VOICE' },
      agent: { agentArn: 'arn:a', instanceArn: 'arn:i' },
    });
    expect(keep({ type: 'contact.suspended', at: 1, reason: secret }, journalShape)).toEqual({
      type: 'contact.suspended',
      at: 1,
    });
    expect(keep({ type: 'capture.paused', reason: 'locked' }, journalShape)).toMatchObject({
      reason: 'locked',
    });
    expect(keep({ type: 'upload.begun', key: 'k', uploadId: secret }, journalShape)).toEqual({
      type: 'upload.begun',
      key: 'k',
    });
  });

  it('leaves out fields that are not listed, at any depth, and objects in place of texts', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom(journalShape, manifestShape, statusEventShape),
        (value, shape) => {
          const hidden = { new: value, type: { a: secret }, contact: { more: secret, contactId: [secret] } };
          expect(JSON.stringify(keep(hidden, shape))).not.toContain(secret);
          expect(Object.keys(keep(hidden, shape) as object)).not.toContain('new');
        },
      ),
    );
  });

  it('includes numbers and the texts of known fields of a log line, and marks others', () => {
    expect(
      keepOfLogLine({ message: 'm', port: 1, note: secret, fields: { secret }, on: true, no: null }),
    ).toEqual({
      message: 'm',
      port: 1,
      note: '[left-out]',
      fields: '[left-out]',
      on: true,
      no: null,
    });
  });
});

describe('the end of a file', () => {
  it('is its last complete lines; empty without a file; a link or a folder is refused', async () => {
    const path = join(folder, 'f');
    await writeFile(path, 'one\ntwo\nthree\n');
    expect(await lastLines(path, 100)).toEqual(['one', 'two', 'three']);
    expect(await lastLines(path, 8)).toEqual(['three']);
    expect(await lastLines(join(folder, 'none'), 8)).toEqual([]);
    await symlink(path, join(folder, 'link'));
    await expect(lastLines(join(folder, 'link'), 8)).rejects.toThrow(/ELOOP/);
    await expect(lastLines(folder, 8)).rejects.toThrow(/is not a file/);
  });
});

describe('the listing of a folder', () => {
  it('lists its files, follows no link, and is limited in length', async () => {
    await mkdir(join(folder, 'in'));
    await writeFile(join(folder, 'in', 'a'), '12345');
    await symlink('/', join(folder, 'root'));
    for (let n = 0; n < 310; n += 1) await writeFile(join(folder, 'in', `n${n}`), '');
    await chmod(join(folder, 'in'), 0o700);
    const { files, more } = await listFolder(folder);
    expect(files.find(({ name }) => name === 'root')).toMatchObject({ kind: 'other' });
    expect(files.filter(({ name }) => name.startsWith('root/'))).toEqual([]);
    expect(files.filter(({ name }) => name.startsWith('in/'))).toHaveLength(300);
    expect(more).toBe(11);
  });
});
