// The MSI with the whole app in a real Electron for Windows (9.4.1, docs/electron.md), installed and used under Wine: its windows
// come up, a page's contact is recorded and delivered. With SIGHTLINE_PICTURES=FOLDER it leaves pictures of the screen there.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { electron9ForWindows } from '../../scripts/electron9.mjs';
import { startDisplay, type Display } from '../rig/display.ts';
import { makeElectronAppForWindows } from '../rig/electron9/windowsApp.ts';
import { decodeFrames } from '../rig/frames.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { startPainter, type Painter } from '../rig/painter.ts';
import { runOrThrow } from '../rig/process.ts';
import { connectPage, readPublished, type Page } from '../rig/recorder.ts';
import { toPalette } from '../rig/trayDesk.ts';
import {
  ORIGIN,
  POLICY,
  RUN,
  UNINSTALL,
  dataFolder,
  freePort,
  installedFile,
  msiexec,
  versionAt,
} from './installation.ts';
import { makeTestMsi } from './msiFiles.ts';
import { startWindows, whyNoInstaller, type WindowsMachine } from './windowsMachine.ts';

const electron = electron9ForWindows();
const why =
  whyNoInstaller() ?? (electron === null ? 'Electron for Windows could not be fetched (pip)' : null);
const PROGRAM = 'C:\\Program Files\\Sightline\\Sightline.exe';
/** What Wine lacks: a sandbox, and a GPU. Signing in would start it without them. */
const FOR_WINE = ['--no-sandbox', '--disable-gpu'];
const contactId = 'a1b2c3d4-0001-4000-8000-00000000e009';
/** Below the icon, which Wine puts into the upper left corner where there is no task bar. */
const PAINTED = { x: 0, y: 60, width: 1280, height: 660 };
/** On the pill above its text, and on the window; the painter's screen is dark there. */
const PILL = { x: 1190, y: 672 };
const WINDOW = { x: 700, y: 590 };
const LIGHT = 200;
const pictures = process.env.SIGHTLINE_PICTURES;

describe.skipIf(why !== null)(
  `the MSI with the app in Electron for Windows (${why === null ? 'under Wine' : `left out: ${why}`})`,
  () => {
    let display: Display;
    let painter: Painter;
    let windows: WindowsMachine;
    let folder: string;
    let productCode: string;
    let port: number;
    let page: Page;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sightline-electron-'));
      const app = join(folder, 'app');
      await makeElectronAppForWindows(electron ?? '', app);
      display = await startDisplay({ width: 1280, height: 720 });
      painter = await startPainter({ display: display.display, scene: 'timecode', area: PAINTED });
      [{ productCode }, windows, port] = await Promise.all([
        makeTestMsi({ out: join(folder, 'sightline.msi'), version: '1.0.0', app }),
        startWindows(display.display, { withTahoma: true }),
        freePort(),
      ]);
    }, 400_000);

    afterAll(async () => {
      await windows.remove();
      await painter.stop();
      await display.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    const grab = (size: string, from: string, to: readonly string[]) =>
      runOrThrow('ffmpeg', [
        ...['-loglevel', 'error', '-y', '-f', 'x11grab', '-draw_mouse', '0', '-video_size', size],
        ...['-i', `${display.display}${from}`, '-frames:v', '1', ...to],
      ]);
    /** Of the whole screen, for docs/pictures. */
    async function picture(name: string): Promise<void> {
      if (pictures === undefined) return;
      const file = join(folder, `${name}.png`);
      await grab('1280x720', '', [file]);
      mkdirSync(pictures, { recursive: true });
      await toPalette(file, join(pictures, `${name}.png`));
    }
    /** 0 to 255. */
    async function brightnessAt({ x, y }: { x: number; y: number }): Promise<number> {
      const { stdout } = await grab('16x16', `+${x},${y}`, ['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1']);
      return stdout.reduce((sum, one) => sum + one, 0) / stdout.length;
    }
    it('is installed', async () => {
      const { code, log } = await msiexec(windows, '/i', join(folder, 'sightline.msi'), [
        'ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws',
        `PORT=${port}`,
      ]);
      expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
      for (const path of ['Sightline.exe', 'resources/app/dist/main/index.js', 'locales/en-US.pak'])
        expect(existsSync(installedFile(windows, path)), path).toBe(true);
      expect(await windows.registry(RUN)).toEqual({ Sightline: `"${PROGRAM}"` });
    });

    it('starts with the port and the domains of the registry', async () => {
      windows.start(PROGRAM, FOR_WINE);
      await expect.poll(() => versionAt(windows, port), { timeout: 60_000, interval: 200 }).toBe('0.1.0');
      await expect(
        connectPage(port, { origin: 'https://other.example', open: windows.connect }),
      ).rejects.toThrow('403');
    });

    it('adds no start of its own at sign-in to the MSI’s', async () => {
      expect(await windows.registry(RUN.replace('HKLM', 'HKCU'))).toEqual({});
    });

    it('records a contact, with the pill on the screen and the window when it is opened', async () => {
      page = await connectPage(port, { origin: ORIGIN, open: windows.connect });
      await page.ask('contact.start', { contactId, channel: 'VOICE' });
      await page.push((push) => push.type === 'app.state' && push.state === 'recording');
      await expect.poll(() => brightnessAt(PILL), { timeout: 20_000 }).toBeGreaterThan(LIGHT);
      await picture('windows-recording');
      expect(await brightnessAt(WINDOW)).toBeLessThan(LIGHT);
      // Whoever starts it once more gets its window.
      windows.start(PROGRAM, FOR_WINE);
      await expect.poll(() => brightnessAt(WINDOW), { timeout: 20_000 }).toBeGreaterThan(LIGHT);
      await picture('windows-recording-window');
    });

    it('delivers the recording, with the screen in it', async () => {
      await page.ask('contact.stop', { contactId });
      await page.event(contactId, 'PUBLISHED');
      const [published] = await readPublished(join(dataFolder(windows), 'recordings'));
      expect(await decodesCleanly(published?.mp4 ?? '')).toBe('');
      const frames = await decodeFrames(published?.mp4 ?? '', { monitors: [PAINTED] });
      expect(frames.filter((frame) => frame.codes[0] !== null).length).toBeGreaterThan(0);
      const [monitor] = published?.manifest.runs[0]?.monitors ?? [];
      expect(monitor).toMatchObject({ x: 0, y: 0, width: 1280, height: 720, primary: true });
      await page.close();
    });

    it('is removed, with the program that runs', async () => {
      expect((await msiexec(windows, '/x', productCode)).code).toBe(0);
      await expect.poll(() => versionAt(windows, port)).toBe(null);
      expect(existsSync(installedFile(windows, ''))).toBe(false);
      for (const key of [POLICY, RUN, UNINSTALL, 'HKLM\\SOFTWARE\\Sightline'])
        expect(await windows.registry(key), key).toEqual({});
      expect(await readPublished(join(dataFolder(windows), 'recordings'))).toHaveLength(1);
    });
  },
);
