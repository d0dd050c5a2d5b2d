import { randomBytes } from 'node:crypto';
import { copyFile, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunReader } from '../../../main/spool/runFiles.ts';
import { createRunFile, openRunFile } from '../../../main/spool/runFiles.ts';
import { temporaryFolder } from '../support/folders.ts';

const key = randomBytes(32);
const bytes = (text: string): Uint8Array => Buffer.from(text);

async function runPath(name = 'a.run'): Promise<string> {
  return join(await temporaryFolder(), name);
}

async function textOf(reader: RunReader): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of reader.contents()) parts.push(part);
  return Buffer.concat(parts).toString();
}

/** What can be read, and the code with which reading ended. */
async function read(path: string, dataKey = key): Promise<{ text: string; code: string | null }> {
  const reader = await openRunFile(path, dataKey);
  const parts: Uint8Array[] = [];
  try {
    for await (const part of reader.contents()) parts.push(part);
    return { text: Buffer.concat(parts).toString(), code: null };
  } catch (error) {
    return { text: Buffer.concat(parts).toString(), code: (error as { code: string }).code };
  } finally {
    await reader.close();
  }
}

async function write(path: string, ...parts: string[]): Promise<number> {
  const writer = await createRunFile(path, key);
  await Promise.all(parts.map((part) => writer.append(bytes(part))));
  return writer.close();
}

describe('a run file', () => {
  it('returns what was appended, in the order of the calls, and its size', async () => {
    const path = await runPath();
    const size = await write(path, 'one ', 'two ', 'three');
    expect(await read(path)).toEqual({ text: 'one two three', code: null });
    expect((await stat(path)).size).toBe(size);
  });

  it('contains nothing readable', async () => {
    const path = await runPath();
    await write(path, 'moof mdat ftyp '.repeat(100));
    expect((await readFile(path)).toString('latin1')).not.toMatch(/moof|mdat|ftyp/);
  });

  it('never looks the same twice, even for the same frames', async () => {
    const [one, two] = [await runPath(), await runPath()];
    await write(one, 'the same');
    await write(two, 'the same');
    expect((await readFile(one)).equals(await readFile(two))).toBe(false);
  });

  it('is private', async () => {
    const path = await runPath();
    await write(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is never written over', async () => {
    const path = await runPath();
    await writeFile(path, 'an earlier run');
    await expect(createRunFile(path, key)).rejects.toMatchObject({ code: 'SPOOL_UNREADABLE' });
    expect(await readFile(path, 'utf8')).toBe('an earlier run');
  });

  it('can be read while it is being written, and on when there is more', async () => {
    const path = await runPath();
    const writer = await createRunFile(path, key);
    const reader = await openRunFile(path, key);
    expect(await reader.next()).toBeNull();
    await writer.append(bytes('before'));
    expect(String(await reader.next())).toBe('before');
    expect(await reader.next()).toBeNull();
    await writer.append(bytes('after'));
    await writer.append(bytes(' that'));
    expect(await textOf(reader)).toBe('after that');
    await reader.close();
    await writer.close();
  });

  it('is read from an incomplete chunk once that is complete', async () => {
    const path = await runPath();
    await write(path, 'one', 'two');
    const whole = await readFile(path);
    await truncate(path, whole.byteLength - 1);
    const reader = await openRunFile(path, key);
    expect(String(await reader.next())).toBe('one');
    expect(await reader.next()).toBeNull();
    await writeFile(path, whole);
    expect(String(await reader.next())).toBe('two');
    await reader.close();
  });

  it('is read in parts, however large it is', async () => {
    const path = await runPath();
    const part = 'x'.repeat(400_000);
    await write(path, ...Array<string>(8).fill(part));
    const reader = await openRunFile(path, key);
    let parts = 0;
    let length = 0;
    for await (const one of reader.contents()) {
      parts += 1;
      length += one.byteLength;
      expect(one.byteLength).toBeLessThan(2_000_000);
    }
    await reader.close();
    expect(length).toBe(8 * part.length);
    expect(parts).toBeGreaterThan(2);
  });

  it('that is not there is SPOOL_UNREADABLE', async () => {
    await expect(openRunFile(await runPath(), key)).rejects.toMatchObject({
      name: 'SightlineError',
      code: 'SPOOL_UNREADABLE',
    });
  });
});

describe('a run file that was truncated', () => {
  it('is read to its last whole chunk, wherever the cut is', async () => {
    const path = await runPath();
    const parts = ['one', 'two', 'three'];
    const size = await write(path, ...parts);
    const whole = await readFile(path);
    const texts = new Set<string>();
    for (let length = size; length >= 0; length -= 1) {
      await truncate(path, length);
      const { text, code } = await read(path);
      expect(code, `cut at ${length}`).toBeNull();
      texts.add(text);
    }
    expect([...texts]).toEqual(['onetwothree', 'onetwo', 'one', '']);
    await writeFile(path, whole);
    expect((await read(path)).text).toBe('onetwothree');
  });
});

describe('a run file that was changed', () => {
  it('is refused from the chunk on in which a single bit is another', async () => {
    const path = await runPath();
    await write(path, 'one', 'two', 'three');
    const good = await readFile(path);
    for (let at = 0; at < good.byteLength; at += 1) {
      const bad = Buffer.from(good);
      bad[at]! ^= 0x40;
      await writeFile(path, bad);
      const { text, code } = await read(path);
      expect('onetwothree'.startsWith(text) && text !== 'onetwothree', `bit at ${at}`).toBe(true);
      // A length that has become larger than the file looks like a cut.
      if (text === '' || code !== null) continue;
      expect(bad.byteLength).toBe(good.byteLength);
    }
  });

  it('with chunks swapped, repeated or left out is refused', async () => {
    const path = await runPath();
    await write(path, 'one', 'two', 'six');
    const good = await readFile(path);
    const length = (good.byteLength - 8) / 3;
    const chunk = (n: number): Buffer => good.subarray(8 + n * length, 8 + (n + 1) * length);
    const head = good.subarray(0, 8);
    for (const order of [
      [1, 0, 2],
      [0, 0, 1],
      [1, 2],
      [0, 2],
    ]) {
      await writeFile(path, Buffer.concat([head, ...order.map(chunk)]));
      expect((await read(path)).code, order.join()).toBe('SPOOL_UNREADABLE');
    }
  });

  it('in place of another run is refused', async () => {
    const path = await runPath('a.run');
    await write(path, 'one');
    const other = join(dirname(path), 'b.run');
    await copyFile(path, other);
    expect(await read(other)).toEqual({ text: '', code: 'SPOOL_UNREADABLE' });
    await rename(other, path);
    expect((await read(path)).text).toBe('one');
  });

  it('is refused with another key, and where it is something else altogether', async () => {
    const path = await runPath();
    await write(path, 'one');
    expect(await read(path, randomBytes(32))).toEqual({ text: '', code: 'SPOOL_UNREADABLE' });
    await writeFile(path, 'not a run file at all');
    expect((await read(path)).code).toBe('SPOOL_UNREADABLE');
  });
});
