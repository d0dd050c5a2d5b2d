// IT's silent installation, from the MSI to the last line in the registry, on a Windows that Wine plays: refused, installed,
// used, upgraded, not downgraded, rolled back, removed. The steps build on each other, in this order.
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
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDisplay, type Display } from '../rig/display.ts';
import { decodeFrames } from '../rig/frames.ts';
import { decodesCleanly } from '../rig/mp4.ts';
import { startPainter, type Painter } from '../rig/painter.ts';
import { isSigned } from '../../scripts/installer/signing.ts';
import { runOrThrow } from '../rig/process.ts';
import { connectPage, readPublished, type Page } from '../rig/recorder.ts';
import { registryPol } from './groupPolicy.ts';
import {
  COMMAND_LINE,
  FAILED,
  ORIGIN,
  POLICY,
  RUN,
  UNINSTALL,
  dataFolder,
  freePort,
  installedFile,
  msiexec as runMsiexec,
  shownPolicy,
  versionAt,
} from './installation.ts';
import { makeKey, makeTestMsi, type TestKey } from './msiFiles.ts';
import { startWindows, whyNoInstaller, type WindowsMachine } from './windowsMachine.ts';

const CHROME = 'HKLM\\SOFTWARE\\Policies\\Google\\Chrome';
const EDGE = 'HKLM\\SOFTWARE\\Policies\\Microsoft\\Edge';
const contactId = 'a1b2c3d4-0001-4000-8000-00000000e001';

const why = whyNoInstaller();
/** Another app's folder to put in, for example electron-builder's release/win-unpacked. */
const app = process.env.SIGHTLINE_INSTALLER_APP;
const given = app === undefined ? {} : { app };

describe.skipIf(why !== null)(`the MSI (${why === null ? 'under Wine' : `left out: ${why}`})`, () => {
  let display: Display;
  let painter: Painter;
  let windows: WindowsMachine;
  let folder: string;
  let key: TestKey;
  let port: number;
  const codes: Record<string, string> = {};

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sightline-installer-'));
    key = await makeKey(join(folder, 'key'));
    for (const version of ['1.0.0', '1.1.0']) {
      const { productCode } = await makeTestMsi({ out: msi(version), version, key, ...given });
      codes[version] = productCode;
    }
    await makeFailingMsi();
    display = await startDisplay({ width: 1280, height: 720 });
    painter = await startPainter({ display: display.display, scene: 'timecode' });
    windows = await startWindows(display.display);
    port = await freePort();
  }, 400_000);

  afterAll(async () => {
    await windows.remove();
    await painter.stop();
    await display.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const msi = (version: string): string => join(folder, `sightline-${version}.msi`);
  const installed = (path: string): string => installedFile(windows, path);
  const msiexec = (verb: '/i' | '/x', what: string, properties?: readonly string[]) =>
    runMsiexec(windows, verb, what, properties);
  const install = (version: string, properties?: readonly string[]) =>
    msiexec('/i', msi(version), properties);

  /** Version 1.2.0, whose last step fails when everything else is done. */
  async function makeFailingMsi(): Promise<void> {
    await makeTestMsi({ out: msi('1.2.0'), version: '1.2.0', key });
    const sql = [
      "INSERT INTO `Property` (`Property`, `Value`) VALUES ('Fail', 'no step')",
      "INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Fail', 3073, 'Actions', 'Apply')",
      "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('Fail', 6590)",
    ];
    for (const statement of sql) await runOrThrow('msibuild', [msi('1.2.0'), '-q', statement]);
  }

  const expectVersion = (version: string | null) =>
    expect.poll(() => versionAt(windows, port), { timeout: 30_000, interval: 200 }).toBe(version);

  describe('properties that are not right', () => {
    it('make the installation fail; the log names each bad entry and why', async () => {
      const { code, log } = await install('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=good.example,https://acme.my.connect.aws,*.example,a.example/path',
        'PORT=70000',
        'SINK=s3',
        'S3_BUCKET=UPPER',
        'S3_REGION=Frankfurt',
        'AUTOSTART=yes',
      ]);
      expect(code).toBe(FAILED);
      expect(log).toContain(
        'ALLOWED_CONNECT_DOMAINS: entry 2, "https://acme.my.connect.aws": it has a scheme',
      );
      expect(log).toContain('entry 3, "*.example": wildcards are not allowed');
      expect(log).toContain('entry 4, "a.example/path": it has a path');
      expect(log).toContain('PORT: "70000": it is no number from 1 to 65535');
      expect(log).toContain('S3_BUCKET: "UPPER": it is no name of an S3 bucket');
      expect(log).toContain('S3_REGION: "Frankfurt": it is no region');
      expect(log).toContain('AUTOSTART: "yes": it is neither 0 nor 1');
      expect(log).not.toContain('"good.example"');
    });

    it('are told also where one needs another', async () => {
      const { code, log } = await install('1.0.0', ['SINK=s3', 'BROWSER_POLICY=1']);
      expect(code).toBe(FAILED);
      expect(log).toContain('SINK: s3 needs S3_BUCKET as well');
      expect(log).toContain('BROWSER_POLICY: 1 needs ALLOWED_CONNECT_DOMAINS as well');
    });

    it('leave nothing behind', async () => {
      expect(existsSync(installed(''))).toBe(false);
      expect(await windows.registry(POLICY)).toEqual({});
      expect(await windows.registry('HKLM\\SOFTWARE\\Sightline')).toEqual({});
      expect(await windows.registry(UNINSTALL)).toEqual({});
    });
  });

  describe('a silent installation', () => {
    it('succeeds', async () => {
      // Somebody was here before.
      await windows.setRegistry(
        `${CHROME}\\LoopbackNetworkAllowedForUrls`,
        '1',
        'REG_SZ',
        'https://intranet.example',
      );
      const { code, log } = await install('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=Acme.my.connect.aws, other.example',
        `PORT=${port}`,
        'SINK=folder',
        'S3_BUCKET=acme-recordings',
        'S3_REGION=eu-central-1',
        'KMS_KEY_ID=arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555',
        'BROWSER_POLICY=1',
      ]);
      expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
    });

    it('puts the program where programs belong', () => {
      for (const path of [
        'Sightline.exe',
        'bin/sightline.exe',
        'cli/node.exe',
        'cli/sightline.mjs',
        'LICENSE',
        'resources/monitorHelper/win32-x64/sightline-monitor-helper.exe',
      ]) {
        expect(existsSync(installed(path)), path).toBe(true);
      }
      expect(readdirSync(installed('resources/slates'))).toContain('suspended.gif');
      const license = 'resources/ffmpeg/win32-x64/LICENSE.OpenH264';
      expect(readFileSync(installed(license))).toEqual(readFileSync(license));
    });

    it("writes the machine's policy", async () => {
      expect(await windows.registry(POLICY)).toEqual({
        allowedDomains: 'acme.my.connect.aws,other.example',
        port,
        sink: 'folder',
        s3Bucket: 'acme-recordings',
        awsRegion: 'eu-central-1',
        s3KmsKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555',
      });
    });

    it('adds the domains to what the browsers may already reach', async () => {
      expect(await windows.registry(CHROME)).toEqual({
        LoopbackNetworkAllowedForUrls: [
          'https://intranet.example',
          'https://acme.my.connect.aws',
          'https://other.example',
        ],
      });
      expect(await windows.registry(EDGE)).toEqual({
        LoopbackNetworkAllowedForUrls: ['https://acme.my.connect.aws', 'https://other.example'],
      });
    });

    it('starts Sightline when somebody signs in', async () => {
      expect(await windows.registry(RUN)).toEqual({
        Sightline: '"C:\\Program Files\\Sightline\\Sightline.exe"',
      });
    });

    it('is in the list of programs', async () => {
      expect(await windows.registry(UNINSTALL)).toMatchObject({
        [codes['1.0.0'] ?? '']: {
          DisplayName: 'Sightline',
          DisplayVersion: '1.0.0',
          Publisher: 'Sightline',
        },
      });
    });

    it('puts `sightline` on the PATH, with its words, output and exit code', async () => {
      expect(await windows.run('cmd', ['/c', 'sightline', '--version'])).toMatchObject({
        code: 0,
        stdout: '1.0.0\n',
      });
      const bad = await windows.run(COMMAND_LINE, ['recordings', 'retry', '--json', 'a "quoted" word % ^']);
      expect(bad.stdout + bad.stderr).not.toBe('');
      expect(bad.code).toBe(69); // no Sightline runs that could try again
    });

    it('`sightline policy` shows the values, from the machine', async () => {
      const { keys } = await shownPolicy(windows);
      expect(keys.allowedDomains).toEqual({
        value: ['acme.my.connect.aws', 'other.example'],
        source: 'HKLM',
      });
      expect(keys.port).toEqual({ value: port, source: 'HKLM' });
      expect(keys.s3Bucket).toEqual({ value: 'acme-recordings', source: 'HKLM' });
      expect(keys.fps).toEqual({ value: 5, source: 'default' });
    });
  });

  describe('the installed program', () => {
    let page: Page;

    it('gets the monitors from the monitor helper', async () => {
      const { stdout } = await windows.run(COMMAND_LINE, ['doctor', '--json']);
      const { checks } = JSON.parse(stdout) as { checks: { name: string; evidence: string }[] };
      expect(checks.find(({ name }) => name === 'display')?.evidence).toBe('DISPLAY1 1280x720');
    });

    it('records a contact', async () => {
      const { Sightline: command } = await windows.registry(RUN);
      windows.start(String(command).replaceAll('"', ''));
      await expectVersion('1.0.0');
      page = await connectPage(port, { origin: ORIGIN, open: windows.connect });
      await page.ask('contact.start', { contactId, channel: 'VOICE' });
    });

    it('is not upgraded in mid-contact', async () => {
      const { code, log } = await install('1.1.0');
      expect(code).toBe(FAILED);
      expect(log).toMatch(
        /Sightline is recording a contact \(session \d+, process \d+\)\. Try again when it has ended/,
      );
      expect(await versionAt(windows, port)).toBe('1.0.0');
    });

    it('delivers the recording, with the screen in it', async () => {
      await page.ask('contact.stop', { contactId });
      await page.event(contactId, 'PUBLISHED');
      const [published] = await readPublished(join(dataFolder(windows), 'recordings'));
      expect(published?.manifest.contact.contactId).toBe(contactId);
      expect(await decodesCleanly(published?.mp4 ?? '')).toBe('');
      const frames = await decodeFrames(published?.mp4 ?? '');
      expect(frames.filter((frame) => frame.codes[0] !== null).length).toBeGreaterThan(0);
      expect(published?.manifest.runs[0]?.monitors[0]?.name).toBe('DISPLAY1');
      await page.close();
    });
  });

  describe('an upgrade', () => {
    it('keeps the values that are not given again, takes those that are, and leaves what others changed', async () => {
      await windows.setRegistry(POLICY, 'awsRegion', 'REG_SZ', 'us-east-1');
      const { code, log } = await install('1.1.0', ['S3_BUCKET=acme-recordings-2', 'S3_REGION=eu-west-1']);
      expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
      expect(log).toContain('Policies\\Sightline\\awsRegion was set by somebody else');
      expect(await windows.registry(POLICY)).toMatchObject({
        allowedDomains: 'acme.my.connect.aws,other.example',
        port,
        s3Bucket: 'acme-recordings-2',
        awsRegion: 'us-east-1',
      });
      expect(await windows.registry(UNINSTALL)).toEqual({
        [codes['1.1.0'] ?? '']: expect.objectContaining({ DisplayVersion: '1.1.0' }) as unknown,
      });
      expect((await windows.run(COMMAND_LINE, ['--version'])).stdout).toBe('1.1.0\n');
    });

    it('starts the program again where it ran', async () => {
      await expectVersion('1.1.0');
    });

    it('can be repaired, with the values that it has and another one', async () => {
      rmSync(installed('cli/sightline.mjs'));
      const { code } = await install('1.1.0', ['REINSTALL=ALL', 'KMS_KEY_ID=alias/another']);
      expect(code).toBe(0);
      expect(existsSync(installed('cli/sightline.mjs'))).toBe(true);
      expect(await windows.registry(POLICY)).toMatchObject({
        allowedDomains: 'acme.my.connect.aws,other.example',
        port,
        s3KmsKeyId: 'alias/another',
      });
    });

    it('is not undone by an older version', async () => {
      expect((await install('1.0.0')).code).toBe(FAILED);
      expect((await windows.run(COMMAND_LINE, ['--version'])).stdout).toBe('1.1.0\n');
    });
  });

  describe('an uninstallation', () => {
    it('succeeds', async () => {
      // Group policy sets to the same what the installer set: from then on it is group policy's.
      mkdirSync(join(windows.driveC, 'ProgramData'), { recursive: true });
      writeFileSync(
        join(windows.driveC, 'ProgramData/ntuser.pol'),
        registryPol('Software\\Policies\\Sightline', 'port', port),
      );
      await windows.setRegistry(POLICY, 'fps', 'REG_DWORD', '3');
      expect((await msiexec('/x', codes['1.1.0'] ?? '')).code).toBe(0);
    });

    it('takes away what the installer wrote, and nothing that others did', async () => {
      expect(await windows.registry(POLICY)).toEqual({ awsRegion: 'us-east-1', port, fps: 3 });
      expect(await windows.registry(CHROME)).toEqual({
        LoopbackNetworkAllowedForUrls: ['https://intranet.example'],
      });
      expect(await windows.registry(EDGE)).toEqual({});
      expect(await windows.registry(RUN)).toEqual({});
      expect(await windows.registry(UNINSTALL)).toEqual({});
      expect(await windows.registry('HKLM\\SOFTWARE\\Sightline')).toEqual({});
    });

    it('ends the program, and leaves nothing but what was recorded', async () => {
      await expectVersion(null);
      expect(existsSync(installed(''))).toBe(false);
      expect(await readPublished(join(dataFolder(windows), 'recordings'))).toHaveLength(1);
    });
  });

  describe('an installation that fails at its very end', () => {
    it('leaves nothing behind', async () => {
      const before = await windows.registry('HKLM\\SOFTWARE\\Policies');
      const { code } = await install('1.2.0', ['ALLOWED_CONNECT_DOMAINS=late.example', 'BROWSER_POLICY=1']);
      expect(code).toBe(FAILED);
      expect(await windows.registry('HKLM\\SOFTWARE\\Policies')).toEqual(before);
      expect(await windows.registry('HKLM\\SOFTWARE\\Sightline')).toEqual({});
      expect(await windows.registry(RUN)).toEqual({});
      expect(existsSync(installed('Sightline.exe'))).toBe(false);
    });
  });

  // Wine does not bring the old version's files back, as Windows does; what our own actions do is to be seen here too.
  describe('an upgrade that fails at its very end', () => {
    it('leaves the policy as it was', async () => {
      await install('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws',
        'SINK=folder',
        'BROWSER_POLICY=1',
      ]);
      const before = await windows.registry('HKLM\\SOFTWARE\\Policies');
      expect(before).toMatchObject({
        Sightline: { allowedDomains: 'acme.my.connect.aws', sink: 'folder' },
      });
      const { code } = await install('1.2.0', [
        'SINK=s3',
        'S3_BUCKET=other',
        'ALLOWED_CONNECT_DOMAINS=late.example',
      ]);
      expect(code).toBe(FAILED);
      expect(await windows.registry('HKLM\\SOFTWARE\\Policies')).toEqual(before);
    });
  });

  describe('signatures', () => {
    const verify = (file: string) =>
      runOrThrow('osslsigncode', ['verify', '-ignore-cdp', '-CAfile', key.certificate, '-in', file]);

    it('are on the MSI, and on every program and library in it', async () => {
      await verify(msi('1.1.0'));
      const inside = join(folder, 'inside');
      mkdirSync(inside);
      await runOrThrow('msiextract', ['-C', inside, msi('1.1.0')]);
      const programs = readdirSync(inside, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /\.(exe|dll)$/i.test(name),
      );
      expect(programs.length).toBeGreaterThanOrEqual(4);
      for (const name of programs.filter((one) => !one.endsWith('node.exe')))
        await verify(join(inside, name));
      // Node's own, by those who made it.
      expect(isSigned(join(inside, programs.find((one) => one.endsWith('node.exe')) ?? ''))).toBe(true);
      const { stdout } = await runOrThrow('msiinfo', ['extract', msi('1.1.0'), 'Binary.Actions']);
      writeFileSync(join(folder, 'actions.dll'), stdout);
      await verify(join(folder, 'actions.dll'));
    });

    it('do not hold any more when a byte is flipped', async () => {
      const file = join(folder, 'flipped.msi');
      for (const share of [0.1, 0.5, 0.9]) {
        copyFileSync(msi('1.1.0'), file);
        const bytes = readFileSync(file);
        const at = Math.floor(bytes.length * share);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        writeFileSync(file, bytes);
        await expect(verify(file), `byte ${at}`).rejects.toThrow(/ended with code/);
      }
    });
  });
});
