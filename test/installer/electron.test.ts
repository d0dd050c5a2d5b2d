// The MSI with the whole app in a real Electron for Windows (9.4.1, docs/electron.md), installed and used under Wine: its windows
// open, a page's contact is recorded and uploaded. With SIGHTLINE_PICTURES=FOLDER it saves screenshots there.
import { existsSync, mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { electron9ForWindows } from '../../scripts/electron9.mjs';
import { makeElectronAppForWindows } from '../rig/electron9/windowsApp.ts';
import { compileForWindows } from '../rig/compiled.ts';
import { startPainter } from '../rig/painter.ts';
import { runOrThrow } from '../rig/process.ts';
import type { Page } from '../rig/recorder.ts';
import { toPalette } from '../rig/trayDesk.ts';
import { PROGRAM_FOLDER, RUN, describeMsi, type Machine } from './installation.ts';
import { addTahoma } from './windowsMachine.ts';

const electron = electron9ForWindows();
const PROGRAM = `${PROGRAM_FOLDER}\\Sightline.exe`;
/** Wine has no sandbox and no GPU. The start at sign-in does not use these. */
const FOR_WINE = ['--no-sandbox', '--disable-gpu'];
const contactId = 'a1b2c3d4-0001-4000-8000-00000000e009';
/** Below the icon that Wine shows in the upper left corner where there is no taskbar. */
const PAINTED = { x: 0, y: 60, width: 1280, height: 660 };
/** On the pill above its text, and on the window; the painter's screen is dark there. */
const INDICATOR = { x: 1190, y: 672 };
const WINDOW = { x: 700, y: 590 };
const LIGHT = 200;
const TELL_WINDOW = fileURLToPath(new URL('../rig/c/tellWindow.c', import.meta.url));
/** Message, and its two parameters, of a sign-out. */
const QUERY_END_SESSION = ['0x11', '0', '0x80000000'];
const END_SESSION = ['0x16', '1', '0x80000000'];
const pictures = process.env.SIGHTLINE_PICTURES;

async function prepare(machine: Machine): Promise<void> {
  const app = join(machine.folder, 'app');
  await makeElectronAppForWindows(electron ?? '', app);
  const painter = await startPainter({
    display: machine.display.display,
    scene: 'timecode',
    area: PAINTED,
  });
  machine.onEnd(() => painter.stop());
  await machine.build('1.0.0', { app });
}

describeMsi(
  'the MSI with the app in Electron for Windows',
  prepare,
  (machine) => {
    let page: Page;

    const grab = (size: string, from: string, to: readonly string[]) =>
      runOrThrow('ffmpeg', [
        ...['-loglevel', 'error', '-y', '-f', 'x11grab', '-draw_mouse', '0', '-video_size', size],
        ...['-i', `${machine.display.display}${from}`, '-frames:v', '1', ...to],
      ]);
    /** Of the whole screen, for docs/pictures. */
    async function screenshot(name: string): Promise<void> {
      if (pictures === undefined) return;
      const file = join(machine.folder, `${name}.png`);
      await grab('1280x720', '', [file]);
      mkdirSync(pictures, { recursive: true });
      await toPalette(file, join(pictures, `${name}.png`));
    }
    /** 0 to 255. */
    async function brightnessAt({ x, y }: { x: number; y: number }): Promise<number> {
      const { stdout } = await grab('16x16', `+${x},${y}`, ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1']);
      return stdout.reduce((sum, one) => sum + one, 0) / stdout.length;
    }
    const expectLight = (at: { x: number; y: number }) =>
      expect.poll(() => brightnessAt(at), { timeout: 20_000 }).toBeGreaterThan(LIGHT);

    it('is installed', async () => {
      await addTahoma(machine.windows);
      await machine.installed('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws',
        `PORT=${machine.port}`,
      ]);
      for (const path of ['Sightline.exe', 'resources/app/dist/main/index.js', 'locales/en-US.pak'])
        expect(existsSync(machine.file(path)), path).toBe(true);
      expect(await machine.windows.registry(RUN)).toEqual({
        Sightline: `"${PROGRAM_FOLDER}\\bin\\sightline-keeper.exe"`,
      });
    });

    it('starts with the port and the domains of the registry', async () => {
      machine.windows.start(PROGRAM, FOR_WINE);
      await machine.expectVersion('0.1.0');
      await expect(machine.connectPage('https://other.example')).rejects.toThrow('403');
    });

    it("adds no start at sign-in to the MSI's", async () => {
      expect(await machine.windows.registry(RUN.replace('HKLM', 'HKCU'))).toEqual({});
    });

    it('records a contact, with the indicator on the screen, and the window once it is opened', async () => {
      page = await machine.connectPage();
      await page.ask('contact.start', { contactId, channel: 'VOICE' });
      await page.push((push) => push.type === 'app.state' && push.state === 'recording');
      await expectLight(INDICATOR);
      await screenshot('windows-recording');
      expect(await brightnessAt(WINDOW)).toBeLessThan(LIGHT);
      // A second start opens the window of the first.
      machine.windows.start(PROGRAM, FOR_WINE);
      await expectLight(WINDOW);
      await screenshot('windows-recording-window');
    });

    it('uploads the recording, with the screen in it', async () => {
      const monitor = await machine.expectRecording(page, contactId, { monitors: [PAINTED] });
      expect(monitor).toMatchObject({ x: 0, y: 0, width: 1280, height: 720, primary: true });
    });

    it('completes and uploads a recording before the session ends, and leaves nothing in the roaming profile', async () => {
      const second = contactId.replace(/9$/, 'a');
      page = await machine.connectPage();
      await page.ask('contact.start', { contactId: second, channel: 'VOICE' });
      await sleep(1000);
      // Windows tells the helper before the app, which Electron would end at once; Wine has no such order.
      const tell = machine.windows.path(await compileForWindows(TELL_WINDOW));
      const { stdout } = await machine.windows.run(tell, [...QUERY_END_SESSION, ...END_SESSION]);
      expect(stdout.split(/\s+/)).toEqual(['1', '0', '']);
      await machine.expectVersion(null);
      const found = (await machine.published()).map(({ manifest }) => manifest.contact.contactId);
      expect(found.sort()).toEqual([contactId, second]);
      const profile = join(machine.windows.driveC, 'users', userInfo().username, 'AppData');
      expect(existsSync(join(profile, 'Local', 'Sightline', 'Electron'))).toBe(true);
      // Electron makes empty folders there before our first line.
      const roaming = join(profile, 'Roaming', 'Sightline');
      const entries = await readdir(roaming, { recursive: true, withFileTypes: true }).catch(() => []);
      expect(entries.filter((one) => one.isFile())).toEqual([]);
      machine.windows.start(PROGRAM, FOR_WINE);
      await machine.expectVersion('0.1.0');
    });

    it('is removed while it runs', async () => {
      await machine.uninstalled('1.0.0');
      await machine.expectVersion(null);
      await machine.expectRemoved();
      expect(await machine.published()).toHaveLength(2);
    });
  },
  electron === null ? 'Electron for Windows could not be downloaded (pip)' : null,
);
