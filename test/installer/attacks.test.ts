// What users of a machine, or a slip of an administrator's, could make of the MSI: settings through a repair, a folder that is
// not Sightline's own, an upgrade that is held up, code that the installed command line loads. On a Windows that Wine plays.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import { runOrThrow } from '../rig/process.ts';
import {
  COMMAND_LINE,
  FAILED,
  POLICY,
  RUN,
  freePort,
  installedFile,
  msiexec,
  type ShownPolicy,
} from './installation.ts';
import { makeTestMsi } from './msiFiles.ts';
import { startWindows, whyNoInstaller, type WindowsMachine } from './windowsMachine.ts';

const why = whyNoInstaller();
const FFMPEG = 'C:\\Program Files\\Sightline\\resources\\ffmpeg\\win32-x64\\ffmpeg.exe';
const STRANGER = 'C:\\Program Files\\Other\\stranger.exe';

describe.skipIf(why !== null)(
  `attacks on the MSI (${why === null ? 'under Wine' : `left out: ${why}`})`,
  () => {
    let display: Display;
    let windows: WindowsMachine;
    let folder: string;
    let msi: string;
    let productCode: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sightline-attacks-'));
      msi = join(folder, 'sightline.msi');
      display = await startDisplay({ width: 640, height: 480 });
      const source = fileURLToPath(new URL('asUser.c', import.meta.url));
      [{ productCode }, windows] = await Promise.all([
        makeTestMsi({ out: msi, version: '1.0.0' }),
        startWindows(display.display),
        runOrThrow('x86_64-w64-mingw32-gcc', ['-municode', source, '-o', join(folder, 'asUser.exe')]),
      ]);
      mkdirSync(join(windows.driveC, 'Program Files/Other'), { recursive: true });
      copyFileSync(join(folder, 'asUser.exe'), join(windows.driveC, 'Program Files/Other/stranger.exe'));
      copyFileSync(join(folder, 'asUser.exe'), join(windows.driveC, 'asUser.exe'));
    }, 180_000);

    afterAll(async () => {
      await windows.remove();
      await display.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    /** Wine's tasklist lists nothing; its processes are this system's. */
    const running = (program: string): boolean =>
      readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .some((pid) => {
          try {
            const read = (name: string) => readFileSync(join('/proc', pid, name), 'utf8').split('\0');
            const isOurs = read('environ').includes(`WINEPREFIX=${dirname(windows.driveC)}`);
            return isOurs && (read('cmdline')[0] ?? '').endsWith(`\\${program}`);
          } catch {
            return false; // it has just ended
          }
        });
    const isRunning = (name: string): Promise<void> =>
      expect.poll(() => running(name), { timeout: 20_000 }).toBe(true);

    it('the MSI lets nobody but an administrator pass settings', async () => {
      const { stdout } = await runOrThrow('msiinfo', ['export', msi, 'Property']);
      const [, value] = /^SecureCustomProperties\t(.*?)\r?$/m.exec(stdout.toString()) ?? [];
      expect(value?.split(';').sort()).toEqual(['NEWER_VERSION', 'OLDER_VERSION', 'PREVIOUS_INSTALLDIR']);
    });

    it.each(['C:\\Program Files', 'C:\\Program Files\\Common Files\\..', 'C:\\users\\Public\\Sightline'])(
      'INSTALLDIR=%s is refused, and no program below it is ended',
      async (where) => {
        if (!running('stranger.exe')) windows.start(STRANGER);
        await isRunning('stranger.exe');
        const { code, log } = await msiexec(windows, '/i', msi, [`INSTALLDIR=${where}`]);
        expect(log).toContain('INSTALLDIR: "');
        expect(log).toContain('Sightline needs a folder of its own');
        expect(code).toBe(FAILED);
        expect(running('stranger.exe')).toBe(true);
        expect(existsSync(join(windows.driveC, 'Program Files/Sightline.exe'))).toBe(false);
      },
    );

    it('a folder that holds others’ programs too takes Sightline in, and leaves them alone', async () => {
      const { code } = await msiexec(windows, '/i', msi, ['INSTALLDIR=C:\\Program Files\\Other']);
      expect(code).toBe(0);
      expect(running('stranger.exe')).toBe(true);
      expect((await msiexec(windows, '/x', productCode)).code).toBe(0);
      expect(running('stranger.exe')).toBe(true);
    });

    describe('once installed', () => {
      let port: number;

      beforeAll(async () => {
        port = await freePort();
        const { code, log } = await msiexec(windows, '/i', msi, [
          'ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws',
          `PORT=${port}`,
        ]);
        expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
      }, 120_000);

      const repair = ['REINSTALL=ALL', 'ALLOWED_CONNECT_DOMAINS=evil.example', 'PORT=6666', 'AUTOSTART=0'];

      it('a user’s repair changes no setting, and the log says why', async () => {
        const before = await windows.registry(POLICY);
        const start = await windows.registry(RUN);
        rmSync(installedFile(windows, 'LICENSE'));
        const line = ['msiexec', '/i', windows.path(msi), '/qn', '/l*v', 'C:\\user.log', ...repair];
        const { code } = await windows.run('C:\\asUser.exe', ['--', ...line]);
        expect(code).toBe(0);
        expect(existsSync(installedFile(windows, 'LICENSE'))).toBe(true);
        expect(await windows.registry(POLICY)).toEqual(before);
        expect(await windows.registry(RUN)).toEqual(start);
        const log = readFileSync(join(windows.driveC, 'user.log'), 'utf8');
        for (const name of ['ALLOWED_CONNECT_DOMAINS', 'PORT', 'AUTOSTART'])
          expect(log).toContain(`Sightline: ${name} is ignored: only an administrator sets it.`);
      });

      it('a repair that names another folder is refused: every user’s start at sign-in stays where it is', async () => {
        const before = await windows.registry(RUN);
        const { code, log } = await msiexec(windows, '/i', msi, ['REINSTALL=ALL', 'INSTALLDIR=C:\\Evil']);
        expect(log).toContain(
          'INSTALLDIR: Sightline is installed in C:\\Program Files\\Sightline\\ and stays',
        );
        expect(code).toBe(FAILED);
        expect(await windows.registry(RUN)).toEqual(before);
      });

      it('anybody’s ffmpeg.exe of ours, started by itself, holds up nothing', async () => {
        const grab = ['-f', 'gdigrab', '-framerate', '1', '-i', 'desktop', '-c:v', 'libopenh264'];
        windows.start(FFMPEG, [...grab, '-f', 'mp4', '-y', 'C:\\mine.mp4']);
        await isRunning('ffmpeg.exe');
        const { code, log } = await msiexec(windows, '/i', msi, ['REINSTALL=ALL', 'PORT=5777']);
        expect(log).not.toContain('is recording a contact');
        expect(code).toBe(0);
        expect(running('ffmpeg.exe')).toBe(false);
      });

      it('an administrator’s repair does change settings', async () => {
        expect(await windows.registry(POLICY)).toMatchObject({ port: 5777 });
      });

      it('the command line takes nothing from the user’s environment', async () => {
        const trace = "require('node:fs').appendFileSync('C:/loaded', 'x');";
        for (const name of ['bufferutil', 'ffmpeg-static']) {
          mkdirSync(join(windows.driveC, 'node_modules', name), { recursive: true });
          writeFileSync(join(windows.driveC, 'node_modules', name, 'index.js'), trace);
        }
        writeFileSync(join(windows.driveC, 'evil.cjs'), trace);
        const environment = {
          ...{ NODE_OPTIONS: '--require C:/evil.cjs', NODE_V8_COVERAGE: 'C:\\coverage', NODE_PATH: 'C:\\' },
          ...{ SIGHTLINE_INDICATOR: 'off', SIGHTLINE_SINK_FOLDER: 'C:\\stolen', LOCALAPPDATA: 'C:\\mine' },
          OPENSSL_CONF: 'C:\\evil.cnf',
        };
        const { code, stdout } = await windows.run(COMMAND_LINE, ['policy', '--json'], { environment });
        expect(code).toBe(0);
        const { keys } = JSON.parse(stdout) as ShownPolicy;
        expect(keys.indicator).toEqual({ value: 'required', source: 'default' });
        expect(keys.sinkFolder?.value).toMatch(/^C:\\users\\[^\\]+\\AppData\\Local\\Sightline\\recordings$/);
        for (const name of ['loaded', 'coverage']) expect(existsSync(join(windows.driveC, name))).toBe(false);
      });
    });
  },
);
