import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plainRunFiles } from '../../../main/spool/runFiles.ts';
import { temporaryFolder } from '../support/folders.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (data: Uint8Array): string => Buffer.from(data).toString();

async function runPath(): Promise<string> {
  return join(await temporaryFolder(), 'run.mp4');
}

describe('a run file', () => {
  it('holds what was appended, in the order of the calls, and tells its size', async () => {
    const path = await runPath();
    const writer = await plainRunFiles.create(path);
    await Promise.all(['one ', 'two ', 'three'].map((part) => writer.append(bytes(part))));
    expect(await writer.close()).toBe(13);
    expect(await readFile(path, 'utf8')).toBe('one two three');
  });

  it('can be read by nobody else', async () => {
    const path = await runPath();
    await (await plainRunFiles.create(path)).close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is never written over', async () => {
    const path = await runPath();
    await writeFile(path, 'an earlier run');
    await expect(plainRunFiles.create(path)).rejects.toMatchObject({ code: 'SPOOL_UNREADABLE' });
    expect(await readFile(path, 'utf8')).toBe('an earlier run');
  });

  it('can be read while it is being written, as far as it goes at that moment', async () => {
    const path = await runPath();
    const writer = await plainRunFiles.create(path);
    await writer.append(bytes('before'));
    const reader = await plainRunFiles.open(path);
    await writer.append(bytes(' after'));
    expect(reader.sizeBytes).toBe(6);
    expect(text(await reader.read(0, 100))).toBe('before');
    await reader.close();
    await writer.close();
  });

  it('gives any part of it, and nothing beyond its end', async () => {
    const path = await runPath();
    await writeFile(path, '0123456789');
    const reader = await plainRunFiles.open(path);
    expect(text(await reader.read(0, 10))).toBe('0123456789');
    expect(text(await reader.read(3, 5))).toBe('34');
    expect(text(await reader.read(8, 20))).toBe('89');
    expect(text(await reader.read(10, 20))).toBe('');
    expect(text(await reader.read(20, 30))).toBe('');
    await reader.close();
  });

  it('that shrank after it was opened gives what is left', async () => {
    const path = await runPath();
    await writeFile(path, '0123456789');
    const reader = await plainRunFiles.open(path);
    await writeFile(path, '0123');
    expect(text(await reader.read(2, 10))).toBe('23');
    await reader.close();
  });

  it('that is not there is SPOOL_UNREADABLE', async () => {
    await expect(plainRunFiles.open(await runPath())).rejects.toMatchObject({
      name: 'SightlineError',
      code: 'SPOOL_UNREADABLE',
    });
  });
});
