import { chmod, chown, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ControlAccess } from '../../../main/server/controlFile.ts';
import {
  controlFileIn,
  newControlSecret,
  readControlFile,
  removeControlFile,
  writeControlFile,
} from '../../../main/server/controlFile.ts';
import { temporaryFolder } from '../support/folders.ts';

const access = (): ControlAccess => ({
  version: 1,
  pid: 4711,
  port: 5431,
  token: newControlSecret(),
  proof: newControlSecret(),
});

describe('control.json', () => {
  it('gives back what was written, for its owner only and with nothing beside it', async () => {
    const folder = await temporaryFolder();
    const written = access();
    await writeControlFile(folder, written);
    expect(await readControlFile(folder)).toEqual(written);
    expect((await stat(controlFileIn(folder))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['control.json']);
  });

  it('replaces what a crashed process left, and a link that somebody laid there', async () => {
    const folder = await temporaryFolder();
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'untouched', { mode: 0o644 });
    await symlink(elsewhere, controlFileIn(folder));
    const written = access();
    await writeControlFile(folder, written);
    expect(await readFile(elsewhere, 'utf8')).toBe('untouched');
    expect(await readControlFile(folder)).toEqual(written);
    expect((await stat(controlFileIn(folder))).mode & 0o777).toBe(0o600);
  });

  it('is removed, and removing what is not there is no error', async () => {
    const folder = await temporaryFolder();
    await writeControlFile(folder, access());
    await removeControlFile(folder);
    await removeControlFile(folder);
    expect(await readControlFile(folder)).toBeNull();
  });

  it('is not there in a folder that is not there', async () => {
    expect(await readControlFile(join(await temporaryFolder(), 'nowhere'))).toBeNull();
  });

  it.each([0o640, 0o604, 0o620, 0o666])('of mode %o is not believed', async (mode) => {
    const folder = await temporaryFolder();
    await writeControlFile(folder, access());
    await chmod(controlFileIn(folder), mode);
    await expect(readControlFile(folder)).rejects.toMatchObject({ code: 'CLIENT_AUTH_ERROR' });
  });

  const needsRoot = process.getuid?.() === 0 ? '' : ' (left out: only root can give a file to another user)';
  it.skipIf(needsRoot !== '')(`of another user is not believed${needsRoot}`, async () => {
    const folder = await temporaryFolder();
    await writeControlFile(folder, access());
    await chown(controlFileIn(folder), 65534, 65534);
    await expect(readControlFile(folder)).rejects.toThrow(/belongs to another user/);
  });

  it.each([
    ['nothing', ''],
    ['a torn text', '{"version":1,"pid":'],
    ['a newer version', JSON.stringify({ ...access(), version: 2 })],
    ['a short token', JSON.stringify({ ...access(), token: 'short' })],
    ['a token that would break a header', JSON.stringify({ ...access(), token: `${'A'.repeat(41)}\r\n` })],
    ['no port', JSON.stringify({ ...access(), port: 0 })],
    ['no end', JSON.stringify({ ...access(), more: 'x'.repeat(5000) })],
  ])('with %s in it is refused, and nothing of it repeated', async (_, text) => {
    const folder = await temporaryFolder();
    await writeFile(controlFileIn(folder), text, { mode: 0o600 });
    const error: unknown = await readControlFile(folder).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'CLIENT_AUTH_ERROR' });
    expect(String(error)).toMatch(/is not what this version of Sightline writes/);
    for (const secret of /[\w-]{43}/.exec(text) ?? []) expect(String(error)).not.toContain(secret);
  });
});

describe('a secret', () => {
  it('is 32 bytes, and never the same', () => {
    const secrets = Array.from({ length: 100 }, newControlSecret);
    expect(new Set(secrets).size).toBe(100);
    for (const secret of secrets) expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  });
});
