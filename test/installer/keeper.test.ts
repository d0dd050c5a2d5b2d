// What starts the installed Sightline again after it has ended, and what must not. Under Wine, whose Task Scheduler takes the task and
// never runs it: the tests run what the task would.
import { copyFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runOrThrow } from '../rig/process.ts';
import { POLICY, PROGRAM_FOLDER, RUN, describeMsi, type Machine } from './installation.ts';

const KEEPER = `${PROGRAM_FOLDER}\\bin\\sightline-keeper.exe`;
const TASK = 'windows/system32/tasks/Sightline keeper';
/** Longer than the keeper takes to start Sightline again the first time. */
const QUIET_MS = 8000;

async function prepare(machine: Machine): Promise<void> {
  const source = fileURLToPath(new URL('endProgram.c', import.meta.url));
  await runOrThrow('x86_64-w64-mingw32-gcc', [
    '-municode',
    source,
    '-o',
    join(machine.folder, 'endProgram.exe'),
  ]);
  for (const version of ['1.0.0', '1.1.0']) await machine.build(version);
}

describeMsi('the keeper of an installation', prepare, (machine) => {
  const task = () => existsSync(join(machine.windows.driveC, TASK));
  const running = (name: string) =>
    machine.windows.processes().filter(({ program }) => program.endsWith(`\\${name}`));
  const end = async (name: string, code: 0 | 1) =>
    expect((await machine.windows.run('C:\\endProgram.exe', [name, String(code)])).code).toBe(0);
  /** Sightline, by the process of its first program. */
  const sightline = () => running('Sightline.exe').map(({ pid }) => pid);
  const expectAnother = async (than: readonly number[]) => {
    await expect.poll(() => sightline().some((pid) => !than.includes(pid)), { timeout: 20_000 }).toBe(true);
    await machine.expectVersion('1.0.0');
  };
  const staysAway = async () => {
    await sleep(QUIET_MS);
    expect(sightline()).toEqual([]);
  };
  const signIn = async () => {
    const { Sightline: command } = await machine.windows.registry(RUN);
    machine.windows.start(String(command).replaceAll('"', ''));
    await machine.expectVersion('1.0.0');
  };

  beforeAll(async () => {
    copyFileSync(join(machine.folder, 'endProgram.exe'), join(machine.windows.driveC, 'endProgram.exe'));
    await machine.installed('1.0.0', ['ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws', `PORT=${machine.port}`]);
  }, 120_000);

  it('starts with each sign-in, and has a task', async () => {
    expect(await machine.windows.registry(RUN)).toEqual({ Sightline: `"${KEEPER}"` });
    expect(task()).toBe(true);
    await signIn();
    expect(running('sightline-keeper.exe')).toHaveLength(1);
  });

  it('starts Sightline again after it was killed', async () => {
    const before = sightline();
    await end('Sightline.exe', 1);
    await expectAnother(before);
  });

  it('a second one, which the task starts, takes over after the first has died, with the Sightline that runs', async () => {
    machine.windows.start(KEEPER, ['/net']);
    await expect.poll(() => running('sightline-keeper.exe')).toHaveLength(2);
    const [first] = running('sightline-keeper.exe')
      .map(({ pid }) => pid)
      .sort((a, b) => a - b);
    const before = sightline();
    process.kill(first ?? 0, 'SIGKILL');
    await expect.poll(() => running('sightline-keeper.exe')).toHaveLength(1);
    await sleep(2000);
    expect(sightline()).toEqual(before);
    await end('Sightline.exe', 1);
    await expectAnother(before);
  });

  it('after the keeper died as well, the task starts both', async () => {
    const before = sightline();
    await end('sightline-keeper.exe', 1);
    await end('Sightline.exe', 1);
    machine.windows.start(KEEPER, ['/net']);
    await expectAnother(before);
  });

  it('is ended by an upgrade, which starts it again with Sightline', async () => {
    await machine.installed('1.1.0');
    await machine.expectVersion('1.1.0');
    expect(running('sightline-keeper.exe')).toHaveLength(1);
    expect(task()).toBe(true);
  });

  it('starts nothing after Sightline has ended as it was told to', async () => {
    await end('Sightline.exe', 0);
    await staysAway();
    // Otherwise the task would start the next one.
    expect(running('sightline-keeper.exe')).toHaveLength(1);
    await end('sightline-keeper.exe', 1);
  });

  describe('with policy autostart off', () => {
    it('starts nothing again', async () => {
      machine.windows.start(KEEPER);
      await machine.expectVersion('1.1.0');
      await machine.windows.setRegistry(POLICY, 'autostart', 'REG_DWORD', '0');
      await end('Sightline.exe', 1);
      await staysAway();
      await end('sightline-keeper.exe', 1);
      machine.windows.start(KEEPER, ['/net']);
      await staysAway();
    });

    it('has neither start nor task', async () => {
      await machine.installed('1.1.0', ['REINSTALL=ALL', 'AUTOSTART=0']);
      expect(await machine.windows.registry(RUN)).toEqual({});
      expect(task()).toBe(false);
      await machine.windows.setRegistry(POLICY, 'autostart', 'REG_DWORD', '1');
      await machine.installed('1.1.0', ['REINSTALL=ALL', 'AUTOSTART=1']);
      expect(task()).toBe(true);
    });
  });

  it('is gone after the removal, with its task', async () => {
    machine.windows.start(KEEPER);
    await machine.expectVersion('1.1.0');
    await machine.uninstalled('1.1.0');
    expect(running('sightline-keeper.exe')).toEqual([]);
    expect(task()).toBe(false);
    expect(existsSync(machine.file(''))).toBe(false);
  });
});
