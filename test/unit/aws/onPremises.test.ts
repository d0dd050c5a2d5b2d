// The retention job of docs/on-premises.md, as it is printed there.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { needsPosix, orLeftOut } from '../../rig/leftOut.ts';

const DAY_MS = 86_400_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-retention-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function files(ageDays: number, ...names: string[]): Promise<void> {
  const time = new Date(Date.now() - ageDays * DAY_MS);
  for (const name of names) {
    const path = join(folder, '2026', 'a day', name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '');
    await utimes(path, time, time);
  }
}

async function job(...args: string[]) {
  const text = await readFile(
    fileURLToPath(new URL('../../../docs/on-premises.md', import.meta.url)),
    'utf8',
  );
  const [, script = ''] = /```sh\n(#!\/bin\/sh\n[^`]*)```/.exec(text) ?? [];
  expect(script).not.toBe('');
  return spawnSync('sh', ['-c', script, 'expire-recordings.sh', ...args], { encoding: 'utf8' });
}

const left = async () => (await readdir(join(folder, '2026', 'a day'))).toSorted();

describe.skipIf(needsPosix !== null)(orLeftOut('the retention job', needsPosix), () => {
  it('deletes old recordings only, with their manifests', async () => {
    await files(400, 'old.mp4', 'old.json', '-rf x.mp4', '-rf x.json');
    await files(300, 'new.mp4', 'new.json');
    const { status, stdout } = await job(folder, '365');
    expect(status).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(2);
    expect(await left()).toEqual(['new.json', 'new.mp4']);
  });

  it('keeps what is held or not complete', async () => {
    await files(400, 'held.mp4', 'held.json', 'held.hold', 'incomplete.mp4');
    expect((await job(folder, '365')).stdout).toContain('held ');
    expect(await left()).toEqual(['held.hold', 'held.json', 'held.mp4', 'incomplete.mp4']);
  });

  it('finishes what an earlier one began', async () => {
    await files(400, 'half.json');
    await files(1, 'other.json');
    await job(folder, '365');
    expect(await left()).toEqual(['other.json']);
  });

  it.each([['0'], ['-1'], ['all'], ['']])('deletes nothing for the days "%s"', async (days) => {
    await files(400, 'old.mp4', 'old.json');
    expect((await job(folder, days)).status).not.toBe(0);
    expect(await left()).toEqual(['old.json', 'old.mp4']);
  });
});
