import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataFolder } from '../../../main/platform/instanceLock.ts';
import { SightlineError } from '../../../main/shared/errors.ts';
import { temporaryFolder } from '../support/folders.ts';

const FILE = 'sightline.pid';

async function lockFile(text: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, FILE), text);
  return folder;
}

/** What a lock of this process says. */
async function ownLock(): Promise<{ pid: number; started: string | null }> {
  const folder = await temporaryFolder();
  lockDataFolder(folder);
  return JSON.parse(await readFile(join(folder, FILE), 'utf8')) as { pid: number; started: string | null };
}

describe('the lock of a data folder', () => {
  it('makes the folder, for this user alone, and names this process', async () => {
    const folder = join(await temporaryFolder(), 'new', 'data');
    lockDataFolder(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(join(folder, FILE), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('is refused while another process holds it, which is named', async () => {
    const folder = await temporaryFolder();
    lockDataFolder(folder);
    expect(() => lockDataFolder(folder)).toThrow(SightlineError);
    expect(() => lockDataFolder(folder)).toThrow(
      `Another Sightline (process ${process.pid}) uses the data folder ${folder}.`,
    );
  });

  it('can be had again when it was given back', async () => {
    const folder = await temporaryFolder();
    lockDataFolder(folder)();
    expect(await readdir(folder)).toEqual([]);
    lockDataFolder(folder)();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is each folder’s own', async () => {
    lockDataFolder(await temporaryFolder());
    lockDataFolder(await temporaryFolder());
  });
});

describe('a lock that a crash left behind', () => {
  it('is taken over when its process is gone', async () => {
    const child = spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' });
    await once(child, 'exit');
    const folder = await lockFile(JSON.stringify({ pid: child.pid, started: '1' }));
    lockDataFolder(folder);
    expect(JSON.parse(await readFile(join(folder, FILE), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it.each([
    ['half a line', '{"pid":1'],
    ['nothing', ''],
    ['no number', '{"pid":"1"}'],
    ['null', 'null'],
  ])('is taken over when it holds %s', async (_, text) => {
    const folder = await lockFile(text);
    lockDataFolder(folder);
    expect(JSON.parse(await readFile(join(folder, FILE), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  const needsProc = process.platform === 'linux' ? '' : ' (left out: only /proc tells when a process began)';
  it.skipIf(needsProc !== '')(
    `is taken over when its process’s number is another one’s now${needsProc}`,
    async () => {
      const { pid, started } = await ownLock();
      const folder = await lockFile(JSON.stringify({ pid, started: `${started ?? ''}1` }));
      lockDataFolder(folder);
      expect(JSON.parse(await readFile(join(folder, FILE), 'utf8'))).toEqual({ pid, started });
    },
  );

  it('is respected when its process is alive', async () => {
    const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const folder = await lockFile(JSON.stringify({ pid: child.pid, started: null }));
    expect(() => lockDataFolder(folder)).toThrow(`process ${child.pid ?? 0}`);
  });
});

describe('a data folder that cannot be had', () => {
  it('is SPOOL_UNREADABLE, with the system’s reason', async () => {
    const folder = join(await temporaryFolder(), 'file');
    await writeFile(folder, 'in the way');
    expect(() => lockDataFolder(folder)).toThrow(SightlineError);
    expect(() => lockDataFolder(folder)).toThrow(`The data folder ${folder} cannot be used: EEXIST`);
  });
});
