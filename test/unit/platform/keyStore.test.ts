import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dpapiStore, keyFileStore, safeStorageStore } from '../../../main/platform/keyStore.ts';
import { sessionKeys } from '../../../main/spool/sessionKeys.ts';
import { temporaryFolder } from '../support/folders.ts';
import { containing } from '../support/matchers.ts';

async function keyPath(): Promise<string> {
  return join(await temporaryFolder(), 'below', 'spool.key');
}

describe('a key file', () => {
  it('is made when it is first needed, for its owner only, and says what it is worth', async () => {
    const path = await keyPath();
    const store = keyFileStore(path);
    expect(store.warning).toContain(path);
    const key = randomBytes(32);
    const wrapped = await store.wrap(key);
    expect(wrapped.includes(key)).toBe(false);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    // Another process of the same user.
    expect((await keyFileStore(path).unwrap(wrapped)).equals(key)).toBe(true);
  });

  it('is the same for two that make it at once', async () => {
    const path = await keyPath();
    const [one, two] = [keyFileStore(path), keyFileStore(path)];
    const wrapped = await Promise.all([one.wrap(Buffer.from('one')), two.wrap(Buffer.from('two'))]);
    expect((await two.unwrap(wrapped[0])).toString()).toBe('one');
    expect((await one.unwrap(wrapped[1])).toString()).toBe('two');
  });

  it('that is another one unlocks nothing', async () => {
    const wrapped = await keyFileStore(await keyPath()).wrap(Buffer.from('key'));
    const another = await keyPath();
    await keyFileStore(another).wrap(Buffer.from('key'));
    await expect(keyFileStore(another).unwrap(wrapped)).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: containing('another user, machine or installation'),
    });
  });

  it('that is gone is not made anew to unlock something', async () => {
    const path = await keyPath();
    const wrapped = await keyFileStore(path).wrap(Buffer.from('key'));
    await rm(path);
    await expect(keyFileStore(path).unwrap(wrapped)).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: containing('is gone'),
    });
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it.each([
    ['empty, as a process leaves it that is killed while it makes one', Buffer.alloc(0)],
    ['cut off, as a full disk leaves it', randomBytes(7)],
  ])('that is %s, is replaced where it has sealed nothing', async (_, damaged) => {
    const path = await keyPath();
    await mkdir(dirname(path));
    await writeFile(path, damaged, { mode: 0o600 });
    const store = keyFileStore(path, () => Promise.resolve(false));
    const wrapped = await store.wrap(Buffer.from('key'));
    expect((await readFile(path)).byteLength).toBe(32);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await keyFileStore(path).unwrap(wrapped)).toString()).toBe('key');
    expect(await readdir(dirname(path))).toEqual(['spool.key']);
  });

  it('that is empty is left alone, and refused, where it may have sealed something', async () => {
    const path = await keyPath();
    await mkdir(dirname(path));
    await writeFile(path, '', { mode: 0o600 });
    await expect(
      keyFileStore(path, () => Promise.resolve(true)).wrap(Buffer.from('key')),
    ).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: containing('Put the right one back'),
    });
    expect((await readFile(path)).byteLength).toBe(0);
  });

  it('is not replaced while it is whole, whether it has sealed anything or not', async () => {
    const path = await keyPath();
    const wrapped = await keyFileStore(path).wrap(Buffer.from('key'));
    const another = keyFileStore(path, () => Promise.resolve(false));
    await another.wrap(Buffer.from('another'));
    expect((await another.unwrap(wrapped)).toString()).toBe('key');
  });

  it('that is damaged, or that others can read, is refused with what to do', async () => {
    const path = await keyPath();
    await keyFileStore(path).wrap(Buffer.from('key'));
    await chmod(path, 0o644);
    await expect(keyFileStore(path).wrap(Buffer.from('key'))).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: containing('chmod 600'),
    });
    await chmod(path, 0o600);
    await writeFile(path, (await readFile(path)).subarray(1));
    await expect(keyFileStore(path).wrap(Buffer.from('key'))).rejects.toMatchObject({
      message: containing('not a key of 32 bytes'),
    });
  });
});

describe('the platform’s key store', () => {
  const source = (change = {}) => ({
    isEncryptionAvailable: () => true,
    getSelectedStorageBackend: () => 'gnome_libsecret',
    encryptString: (text: string) => Buffer.from(`locked ${text}`),
    decryptString(encrypted: Buffer) {
      if (!encrypted.toString().startsWith('locked ')) throw new Error('Error while decrypting');
      return encrypted.toString().slice('locked '.length);
    },
    ...change,
  });

  it('is used where there is one that protects', async () => {
    const store = safeStorageStore(source());
    const key = randomBytes(32);
    expect((await store!.unwrap(await store!.wrap(key))).equals(key)).toBe(true);
    expect(store!.warning).toBeNull();
    await expect(store!.unwrap(Buffer.from('nonsense'))).rejects.toMatchObject({ code: 'SPOOL_UNREADABLE' });
  });

  it('is not used where it protects nothing', () => {
    expect(safeStorageStore(source({ isEncryptionAvailable: () => false }))).toBeNull();
    if (process.platform === 'linux')
      expect(safeStorageStore(source({ getSelectedStorageBackend: () => 'basic_text' }))).toBeNull();
  });

  it('leaves what a key file has locked to the key file, and the other way round says what to do', async () => {
    const file = keyFileStore(await keyPath());
    const platform = safeStorageStore(source())!;
    const before = await sessionKeys([file]).create();
    const both = sessionKeys([platform, file]);
    expect((await both.unlock(before.key)).equals(before.dataKey)).toBe(true);
    const after = await both.create();
    expect(after.key.store).toBe('safe-storage');
    await expect(sessionKeys([file]).unlock(after.key)).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: containing('"safe-storage"'),
    });
  });
});

describe('DPAPI', () => {
  const storeThat = (why: string) => dpapiStore({ ask: () => Promise.reject(new Error(why)) });

  it.each([
    ['unprotect: DPAPI (error 13)', /belongs to another user, machine or installation/],
    ['sightline-helper.exe: exit code 1', /cannot be unlocked now: .*Start Sightline again/],
  ])('says what to do after "%s"', async (why, message) => {
    await expect(storeThat(why).unwrap(Buffer.alloc(1))).rejects.toMatchObject({
      code: 'SPOOL_UNREADABLE',
      message: expect.stringMatching(message) as string,
    });
  });
});
