import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lockDataFolder, lockHolder } from '../../../main/platform/instanceLock.ts';
import { SightlineError } from '../../../main/shared/errors.ts';
import { temporaryFolder } from '../support/folders.ts';
import { needsLinux, needsPosix, orLeftOut } from '../../rig/leftOut.ts';

const LOCK = 'sightline.lock';
const onWindows = process.platform === 'win32';

/** A data folder with a lock as a process leaves it that has ended without giving it back. */
async function leftLock(...names: string[]): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, LOCK));
  for (const name of names) await writeFile(join(folder, LOCK, name), '');
  return folder;
}

const holders = (folder: string): Promise<string[]> => readdir(join(folder, LOCK));

async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--eval', '0'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid!;
}

describe('the lock of a data folder', () => {
  it('makes the folder, for this user alone, and names this process', async () => {
    const folder = join(await temporaryFolder(), 'new', 'data');
    lockDataFolder(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(lockHolder(folder)).toBe(process.pid);
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

describe.skipIf(needsPosix !== null)(orLeftOut('a lock that a crash left behind', needsPosix), () => {
  it('is taken over when its process is gone', async () => {
    const folder = await leftLock(`${await deadProcess()}.1.00000000`);
    expect(lockHolder(folder)).toBeNull();
    lockDataFolder(folder);
    expect(lockHolder(folder)).toBe(process.pid);
    expect(await holders(folder)).toHaveLength(1);
  });

  it.each([['nothing'], ['a name that is none of ours', '.directory'], ['no number', 'x.1.2']])(
    'is taken over when it holds %s',
    async (_, ...names) => {
      const folder = await leftLock(...names);
      lockDataFolder(folder);
      expect(lockHolder(folder)).toBe(process.pid);
    },
  );

  it('leaves nothing behind of one that was killed before it had the lock', async () => {
    const folder = await temporaryFolder();
    const name = `${await deadProcess()}.1.00000000`;
    await mkdir(join(folder, `${LOCK}.${name}`));
    await writeFile(join(folder, `${LOCK}.${name}`, name), '');
    lockDataFolder(folder);
    expect(await readdir(folder)).toEqual([LOCK]);
  });

  it.skipIf(needsLinux !== null)(
    orLeftOut('is taken over when another process has its number now', needsLinux),
    async () => {
      const folder = await leftLock(`${process.pid}.1.00000000`);
      lockDataFolder(folder);
      expect(await holders(folder)).toEqual([expect.stringMatching(`^${process.pid}[.](?!1[.])`)]);
    },
  );

  it('is respected when its process is alive', async () => {
    const child = spawn(process.execPath, ['--eval', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const folder = await leftLock(`${child.pid ?? 0}.unknown.00000000`);
    expect(() => lockDataFolder(folder)).toThrow(`process ${child.pid ?? 0}`);
    expect(await readdir(folder)).toEqual([LOCK]);
  });
});

/** Real processes that try in the same millisecond, over and over. */
describe('a race for the lock', () => {
  const RACERS = 6;
  const ROUNDS = 120;

  it(`of ${RACERS} processes exactly one has it, in ${ROUNDS} rounds`, { timeout: 90_000 }, async () => {
    const racers = await Promise.all(Array.from({ length: RACERS }, () => startRacer()));
    const dead = `${await deadProcess()}.1.00000000`;
    for (let round = 0; round < ROUNDS; round += 1) {
      // In turn: a new folder, a lock that a crash left, and a lock that is given back in that very moment.
      const folder = round % 3 === 1 && !onWindows ? await leftLock(dead) : await temporaryFolder();
      const [first, ...others] = racers;
      const givesBack = round % 3 === 2;
      if (givesBack) expect(await first!.run('lock', folder, Date.now())).toBe('locked');
      const at = Date.now() + 15;
      const back = givesBack ? first!.run('give-back', folder, at) : Promise.resolve('');
      const tried = await Promise.all(
        (givesBack ? others : racers).map((racer) => racer.run('lock', folder, at)),
      );
      await back;
      const locked = tried.filter((result) => result === 'locked').length;
      const late = givesBack && locked === 0 ? [await others[0]!.run('lock', folder, Date.now())] : [];
      expect([...tried, ...late].sort()).toEqual(
        ['locked', ...Array<string>(tried.length + late.length - 1).fill('taken')].sort(),
      );
      await Promise.all(racers.map((racer) => racer.run('give-back', folder, Date.now())));
      expect(lockHolder(folder)).toBeNull();
    }
  });
});

interface Racer {
  run(what: 'lock' | 'give-back', folder: string, atWallMs: number): Promise<string>;
}

async function startRacer(): Promise<Racer> {
  const program = fileURLToPath(new URL('../support/lockRacer.ts', import.meta.url));
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const child = spawn(process.execPath, ['--import', tsx, program], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout });
  const line = async (): Promise<string> => ((await once(lines, 'line')) as [string])[0];
  expect(await line()).toBe('ready');
  return {
    run(what, folder, atWallMs) {
      const answer = line();
      child.stdin.write(`${JSON.stringify({ what, folder, atWallMs })}\n`);
      return answer;
    },
  };
}

describe('a data folder that cannot be had', () => {
  it('is SPOOL_UNREADABLE, with the system’s reason', async () => {
    const folder = join(await temporaryFolder(), 'file');
    await writeFile(folder, 'in the way');
    expect(() => lockDataFolder(folder)).toThrow(SightlineError);
    expect(() => lockDataFolder(folder)).toThrow(`The data folder ${folder} cannot be used: EEXIST`);
  });
});
