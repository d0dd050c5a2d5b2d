import { mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeLeftBehind, renameOver, writeFileAtomically } from '../../../main/platform/atomicFile.ts';
import { temporaryFolder } from '../support/folders.ts';

describe('a file that is written at once', () => {
  it('holds the text, and nothing is left beside it', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.json');
    await writeFileAtomically(path, '{"ä":1}\n');
    expect(await readFile(path, 'utf8')).toBe('{"ä":1}\n');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('replaces the one before, with its whole length', async () => {
    const path = join(await temporaryFolder(), 'a.json');
    await writeFileAtomically(path, 'a long text');
    await writeFileAtomically(path, 'short');
    expect(await readFile(path, 'utf8')).toBe('short');
  });

  it('has its folder made where there is none', async () => {
    const path = join(await temporaryFolder(), 'a', 'b', 'c.json');
    await writeFileAtomically(path, 'text');
    expect(await readFile(path, 'utf8')).toBe('text');
  });

  it('has the mode that was asked for', async () => {
    const path = join(await temporaryFolder(), 'a.json');
    await writeFileAtomically(path, 'text', 0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is one of the texts, whole, when several are written at the same time', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.json');
    const texts = Array.from({ length: 8 }, (_, n) => String(n).repeat(10_000 + n));
    await Promise.all(texts.map((text) => writeFileAtomically(path, text)));
    expect(texts).toContain(await readFile(path, 'utf8'));
    expect(await readdir(folder)).toEqual(['a.json']);
  });
});

describe('a file that cannot be written', () => {
  it('leaves what was there, and nothing beside it', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.json');
    await mkdir(path); // a folder cannot be replaced by a file
    await writeFile(join(path, 'kept.txt'), 'kept');
    await expect(writeFileAtomically(path, 'text')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['a.json']);
    expect(await readFile(join(path, 'kept.txt'), 'utf8')).toBe('kept');
  });
});

describe('a rename on Windows', () => {
  const busy = (): Error => Object.assign(new Error('in use'), { code: 'EPERM' });

  it('waits for whoever has the file open', async () => {
    let tries = 0;
    const move = (): Promise<void> => (++tries < 3 ? Promise.reject(busy()) : Promise.resolve());
    await renameOver('a', 'b', { platform: 'win32', move });
    expect(tries).toBe(3);
  });

  it('gives up after two seconds, and at once where waiting cannot help', async () => {
    let [tries, nowMs] = [0, 0];
    const now = (): number => (nowMs += 700);
    const move = (): Promise<void> => Promise.reject(((tries += 1), busy()));
    await expect(renameOver('a', 'b', { platform: 'win32', move, now })).rejects.toThrow('in use');
    expect(tries).toBe(3);
    await expect(renameOver('a', 'b', { platform: 'linux', move, now })).rejects.toThrow('in use');
    expect(tries).toBe(4);
    await expect(
      renameOver(join(await temporaryFolder(), 'none'), 'b', { platform: 'win32' }),
    ).rejects.toThrow('ENOENT');
  });
});

describe('what a killed process left half-written', () => {
  it('is removed when it is old, and nothing else is', async () => {
    const folder = await temporaryFolder();
    const names = ['control.json.0a1b2c3d.tmp', 'control.json', 'my.tmp', 'x.0a1b2c3d.tmp.keep'];
    for (const name of [...names, 'new.json.0a1b2c3d.tmp']) await writeFile(join(folder, name), '');
    for (const name of names) await utimes(join(folder, name), new Date(0), new Date(0));
    await removeLeftBehind(folder);
    expect((await readdir(folder)).sort()).toEqual([...names.slice(1), 'new.json.0a1b2c3d.tmp'].sort());
    await removeLeftBehind(join(folder, 'no such folder'));
  });
});
