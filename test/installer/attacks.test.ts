// What users of a machine, or a mistake of an administrator, could do with the MSI: settings through a repair, a folder of the
// system, a blocked upgrade, code that the installed command line loads. Under Wine.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runOrThrow } from '../rig/process.ts';
import { BUSY, FAILED, POLICY, PROGRAM_FOLDER, RUN, describeMsi, type Machine } from './installation.ts';

const FFMPEG = `${PROGRAM_FOLDER}\\resources\\ffmpeg\\win32-x64\\ffmpeg.exe`;
const STRANGER = 'C:\\Program Files\\Other\\stranger.exe';

async function prepare(machine: Machine): Promise<void> {
  const source = fileURLToPath(new URL('asUser.c', import.meta.url));
  await runOrThrow('x86_64-w64-mingw32-gcc', [
    ...['-municode', source, '-o', join(machine.folder, 'asUser.exe')],
  ]);
  await machine.build('1.0.0');
}

describeMsi('attacks on the MSI', prepare, (machine) => {
  beforeAll(() => {
    const { driveC } = machine.windows;
    mkdirSync(join(driveC, 'Program Files/Other'), { recursive: true });
    for (const path of ['Program Files/Other/stranger.exe', 'asUser.exe'])
      copyFileSync(join(machine.folder, 'asUser.exe'), join(driveC, path));
  });

  const running = (name: string): boolean =>
    machine.windows.processes().some(({ program }) => program.endsWith(`\\${name}`));
  const isRunning = (name: string): Promise<void> =>
    expect.poll(() => running(name), { timeout: 20_000 }).toBe(true);

  it('only administrators can pass settings to the MSI', async () => {
    const { stdout } = await runOrThrow('msiinfo', ['export', machine.msi('1.0.0'), 'Property']);
    const [, value] = /^SecureCustomProperties\t(.*?)\r?$/m.exec(stdout.toString()) ?? [];
    expect(value?.split(';').sort()).toEqual([
      'NEWER_VERSION',
      'OLDER_VERSION',
      'PREVIOUS_INSTALLDIR',
      'WINDOWS_BUILD',
    ]);
  });

  it.each(['C:\\Program Files', 'C:\\Program Files\\Common Files\\..', 'C:\\users\\Public\\Sightline'])(
    'INSTALLDIR=%s is refused, and no program below it is closed',
    async (where) => {
      if (!running('stranger.exe')) machine.windows.start(STRANGER);
      await isRunning('stranger.exe');
      const { code, log } = await machine.install('1.0.0', [`INSTALLDIR=${where}`]);
      expect(log).toContain('INSTALLDIR: "');
      expect(log).toContain('this folder is or overlaps a folder of the system');
      expect(code).toBe(FAILED);
      expect(running('stranger.exe')).toBe(true);
      expect(existsSync(join(machine.windows.driveC, 'Program Files/Sightline.exe'))).toBe(false);
    },
  );

  it('a folder with other programs is allowed, and they keep running', async () => {
    await machine.installed('1.0.0', ['INSTALLDIR=C:\\Program Files\\Other']);
    expect(running('stranger.exe')).toBe(true);
    await machine.uninstalled('1.0.0');
    expect(running('stranger.exe')).toBe(true);
  });

  describe('after the installation', () => {
    beforeAll(async () => {
      await machine.installed('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws',
        `PORT=${machine.port}`,
      ]);
    }, 120_000);

    it("a user's repair changes no setting, and the log says why", async () => {
      const { windows } = machine;
      const before = await windows.registry(POLICY);
      const start = await windows.registry(RUN);
      rmSync(machine.file('LICENSE'));
      const { code } = await windows.run('C:\\asUser.exe', [
        ...['--', 'msiexec', '/i', windows.path(machine.msi('1.0.0')), '/qn', '/l*v', 'C:\\user.log'],
        ...['REINSTALL=ALL', 'ALLOWED_CONNECT_DOMAINS=evil.example', 'PORT=6666', 'AUTOSTART=0'],
      ]);
      expect(code).toBe(0);
      expect(existsSync(machine.file('LICENSE'))).toBe(true);
      expect(await windows.registry(POLICY)).toEqual(before);
      expect(await windows.registry(RUN)).toEqual(start);
      const log = readFileSync(join(windows.driveC, 'user.log'), 'utf8');
      for (const name of ['ALLOWED_CONNECT_DOMAINS', 'PORT', 'AUTOSTART'])
        expect(log).toContain(`Sightline: ${name} is ignored: only an administrator can set it.`);
    });

    it('a repair with another folder is refused, and the start at sign-in does not change', async () => {
      const before = await machine.windows.registry(RUN);
      const { code, log } = await machine.install('1.0.0', ['REINSTALL=ALL', 'INSTALLDIR=C:\\Evil']);
      expect(log).toContain(`INSTALLDIR: Sightline is already installed in ${PROGRAM_FOLDER}\\`);
      expect(code).toBe(FAILED);
      expect(await machine.windows.registry(RUN)).toEqual(before);
    });

    it('our ffmpeg.exe, started by a user, blocks nothing', async () => {
      const grab = ['-f', 'gdigrab', '-framerate', '1', '-i', 'desktop', '-c:v', 'libopenh264'];
      machine.windows.start(FFMPEG, [...grab, '-f', 'mp4', '-y', 'C:\\mine.mp4']);
      await isRunning('ffmpeg.exe');
      const log = await machine.installed('1.0.0', ['REINSTALL=ALL', 'PORT=5777']);
      expect(log).not.toContain('is recording a contact');
      expect(running('ffmpeg.exe')).toBe(false);
    });

    it("an administrator's repair changes settings", async () => {
      expect(await machine.windows.registry(POLICY)).toMatchObject({ port: 5777 });
    });

    it("another program that takes the name of Sightline's pipe blocks no upgrade, and hides no contact", async () => {
      const { windows } = machine;
      await machine.installed('1.0.0', ['REINSTALL=ALL', `PORT=${machine.port}`]);
      windows.start(`${PROGRAM_FOLDER}\\Sightline.exe`);
      await machine.expectVersion('1.0.0');
      const pipe = `\\\\.\\pipe\\sightline-contact-${machine.recorderPid()}`;
      copyFileSync(machine.file('cli/node.exe'), join(windows.driveC, 'Program Files/Other/node.exe'));
      const hold = `require('node:net').createServer().listen(${JSON.stringify(pipe)}, ready);`;
      const ready = "function ready() { require('node:fs').writeFileSync('C:/held', ''); }";
      writeFileSync(join(windows.driveC, 'hold.cjs'), `${hold}\n${ready}\n`);
      windows.start('C:\\Program Files\\Other\\node.exe', ['C:\\hold.cjs']);
      await expect.poll(() => existsSync(join(windows.driveC, 'held')), { timeout: 20_000 }).toBe(true);

      const page = await machine.connectPage();
      await page.ask('contact.start', { contactId: 'held', channel: 'VOICE' });
      await page.push((push) => push.type === 'app.state' && push.state === 'recording');
      const { code, log } = await machine.install('1.0.0', ['REINSTALL=ALL']);
      expect(log).toContain('a contact is in progress');
      expect(code).toBe(BUSY);
      await page.ask('contact.stop', { contactId: 'held' });
      await page.event('held', 'PUBLISHED');
      await page.close();
      await machine.installed('1.0.0', ['REINSTALL=ALL']);
    });

    it("the command line takes nothing from the user's environment", async () => {
      const { driveC } = machine.windows;
      const trace = "require('node:fs').appendFileSync('C:/loaded', 'x');";
      for (const name of ['bufferutil', 'ffmpeg-static']) {
        mkdirSync(join(driveC, 'node_modules', name), { recursive: true });
        writeFileSync(join(driveC, 'node_modules', name, 'index.js'), trace);
      }
      writeFileSync(join(driveC, 'evil.cjs'), trace);
      const policy = await machine.policy({
        ...{ NODE_OPTIONS: '--require C:/evil.cjs', NODE_V8_COVERAGE: 'C:\\coverage', NODE_PATH: 'C:\\' },
        ...{ SIGHTLINE_INDICATOR: 'off', SIGHTLINE_SINK_FOLDER: 'C:\\stolen', LOCALAPPDATA: 'C:\\mine' },
        OPENSSL_CONF: 'C:\\evil.cnf',
      });
      expect(policy.indicator).toEqual({ value: 'required', source: 'default' });
      expect(policy.sinkFolder?.value).toMatch(/^C:\\users\\[^\\]+\\AppData\\Local\\Sightline\\recordings$/);
      for (const name of ['loaded', 'coverage']) expect(existsSync(join(driveC, name))).toBe(false);
    });
  });
});
