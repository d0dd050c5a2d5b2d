// How the app ends in a real Electron: not by the agent where policy forbids it, and with a dump where it crashes, which leaves this
// computer only on request.
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findCrashDumps } from '../../main/platform/crashDumps.ts';
import type { ElectronApp } from '../rig/electronApp.ts';
import { findElectron, startElectronApp } from '../rig/electronApp.ts';
import { builtProgram } from '../rig/program.ts';
import { runOrThrow } from '../rig/process.ts';
import type { TrayDesk } from '../rig/trayDesk.ts';
import { missingForTrayDesk, startTrayDesk } from '../rig/trayDesk.ts';
import { readZip } from '../rig/zip.ts';

const electron = await findElectron();
const missing = electron === null ? 'there is no Electron on this machine' : missingForTrayDesk();
const WINDOW = '^Sightline: ';

describe.skipIf(missing !== null)(
  missing === null ? `the end of the app in ${electron!.name}` : `the end of the app: left out, ${missing}`,
  () => {
    let desk: TrayDesk;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sightline-endings-'));
      desk = await startTrayDesk();
    });
    afterAll(async () => {
      await desk.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function start(environment: Record<string, string> = {}): Promise<ElectronApp> {
      const app = await startElectronApp({
        electron: electron!,
        display: desk.display,
        environment: { ...desk.environment, HOME: folder, ...environment },
      });
      onTestFinished(() => app.dispose());
      return app;
    }
    const ended = (app: ElectronApp, withinMs: number): Promise<boolean> =>
      Promise.race([app.exited.then(() => true), sleep(withinMs, false)]);
    const chooseLastOfMenu = async (): Promise<void> => {
      await sleep(700); // the panel shows the icon
      await desk.openTrayMenu();
      await desk.key('Up', 'Return');
    };

    it('is Quit in the menu, by default', async () => {
      const app = await start();
      await chooseLastOfMenu();
      expect(await ended(app, 10_000)).toBe(true);
    });

    it('is none of Quit, a second start and a closed window where policy forbids it; SIGTERM is one', async () => {
      const app = await start({ SIGHTLINE_AGENT_MAY_QUIT: 'false' });
      await chooseLastOfMenu();
      expect(await ended(app, 2000)).toBe(false);
      await desk.key('Escape'); // the last entry is About, which waits to be closed
      expect(await app.startAgain()).toBe(0);
      await desk.window(WINDOW);
      await desk.closeWindow(WINDOW);
      await expect.poll(() => desk.isShown(WINDOW)).toBe(false);
      expect(await ended(app, 2000)).toBe(false);
      expect(await app.quit()).toBe(0);
    });

    it('leaves a dump after a crash, of a window or of the app, on this computer only', async () => {
      const app = await start();
      const logs = join(app.dataDir, 'logs');
      expect(await app.startAgain()).toBe(0);
      await desk.window(WINDOW);
      for (const pid of await renderersOf(app.pid)) process.kill(pid, 'SIGSEGV');
      await expect.poll(() => findCrashDumps(logs).length, { timeout: 10_000 }).toBe(1);
      expect(await ended(app, 500)).toBe(false);

      process.kill(app.pid, 'SIGSEGV');
      expect(await ended(app, 10_000)).toBe(true);
      const dumps = findCrashDumps(logs);
      expect(dumps).toHaveLength(2);
      // Breakpad puts a header before it.
      for (const { path } of dumps) expect((await readFile(path)).includes('MDMP')).toBe(true);

      const listed = await exported(app.dataDir);
      const { files } = JSON.parse(listed.get('data-folder.json')!.toString()) as {
        files: { name: string }[];
      };
      expect(files.filter(({ name }) => name.endsWith('.dmp'))).toHaveLength(2);
      expect([...listed.keys()].filter((name) => name.endsWith('.dmp'))).toEqual([]);

      const included = await exported(app.dataDir, '--include-crash-dumps');
      for (const { name, path } of dumps) expect(included.get(`dumps/${name}`)).toEqual(await readFile(path));
    });

    async function exported(dataDir: string, ...flags: string[]): Promise<Map<string, Buffer>> {
      const out = join(folder, 'diagnostics.zip');
      const words = [builtProgram, 'diagnostics', '--data-dir', dataDir, '--out', out, ...flags];
      await runOrThrow(process.execPath, words);
      return readZip(out);
    }
  },
);

/** The processes of windows, below the app's. */
async function renderersOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.join(' ').split(/\s+/).filter(Boolean).map(Number);
  const found = await Promise.all(
    children.map(async (child) => {
      const words = await readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '');
      return words.includes('--type=renderer') ? [child] : renderersOf(child);
    }),
  );
  return found.flat();
}
