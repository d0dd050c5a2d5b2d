// IT's silent installation under Wine, from the MSI to the last registry value: refused, installed, used, upgraded, not
// downgraded, rolled back, removed. One file, because the steps build on each other in this order.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isSigned } from '../../scripts/installer/signing.ts';
import { startPainter } from '../rig/painter.ts';
import { runOrThrow } from '../rig/process.ts';
import type { Page } from '../rig/recorder.ts';
import { registryPol } from './groupPolicy.ts';
import {
  BUSY,
  COMMAND_LINE,
  FAILED,
  OUR_KEY,
  POLICY,
  PROGRAM_FOLDER,
  RUN,
  TRY_LATER,
  UNINSTALL,
  describeMsi,
  type Machine,
} from './installation.ts';
import { makeKey, type TestKey } from './msiFiles.ts';

const POLICIES = 'HKLM\\SOFTWARE\\Policies';
const CHROME = `${POLICIES}\\Google\\Chrome`;
const WINDOWS = 'HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion';
const EDGE = `${POLICIES}\\Microsoft\\Edge`;
const KMS_KEY = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555';
const WRAPPER = 'sightline-msiexec.cmd';
const contactId = 'a1b2c3d4-0001-4000-8000-00000000e001';
let key: TestKey;

async function prepare(machine: Machine): Promise<void> {
  const painter = await startPainter({ display: machine.display.display, scene: 'timecode' });
  machine.onEnd(() => painter.stop());
  key = await makeKey(join(machine.folder, 'key'));
  // Another app to install, for example electron-builder's release/win-unpacked.
  const app = process.env.SIGHTLINE_INSTALLER_APP;
  for (const version of ['1.0.0', '1.1.0']) await machine.build(version, { key, app });
  await buildFailing(machine);
}

/** Version 1.2.0, whose last step fails when everything else is done. */
async function buildFailing(machine: Machine): Promise<void> {
  await machine.build('1.2.0', { key });
  const sql = [
    "INSERT INTO `Property` (`Property`, `Value`) VALUES ('Fail', 'no step')",
    "INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('Fail', 3073, 'Actions', 'Apply')",
    "INSERT INTO `InstallExecuteSequence` (`Action`, `Sequence`) VALUES ('Fail', 6590)",
  ];
  for (const statement of sql) await runOrThrow('msibuild', [machine.msi('1.2.0'), '-q', statement]);
}

function ffmpegs(machine: Machine) {
  return machine.windows.processes().filter(({ program }) => program.endsWith('\\ffmpeg.exe'));
}

describeMsi('the MSI', prepare, (machine) => {
  const registry = (name: string) => machine.windows.registry(name);

  describe('invalid properties', () => {
    it('make the installation fail; the log names each bad entry and why', async () => {
      const { code, log } = await machine.install('1.0.0', [
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
      expect(log).toContain('PORT: "70000": it is not a number from 1 to 65535');
      expect(log).toContain('S3_BUCKET: "UPPER": it is not a valid name of an S3 bucket');
      expect(log).toContain('S3_REGION: "Frankfurt": it is not a region');
      expect(log).toContain('AUTOSTART: "yes": it is neither 0 nor 1');
      expect(log).not.toContain('"good.example"');
    });

    it('include one that needs another', async () => {
      const { code, log } = await machine.install('1.0.0', ['SINK=s3', 'BROWSER_POLICY=1']);
      expect(code).toBe(FAILED);
      expect(log).toContain('SINK: s3 also needs S3_BUCKET');
      expect(log).toContain('BROWSER_POLICY: 1 also needs ALLOWED_CONNECT_DOMAINS');
    });

    it('leave nothing behind', async () => {
      expect(existsSync(machine.file(''))).toBe(false);
      expect(await registry(POLICY)).toEqual({});
      expect(await registry(OUR_KEY)).toEqual({});
      expect(await registry(UNINSTALL)).toEqual({});
    });
  });

  describe('an ARM64 computer', () => {
    /** Wine sets the variable for the first program of a chain only. */
    async function install(build: string) {
      const { windows } = machine;
      await windows.setRegistry(WINDOWS, 'CurrentBuildNumber', 'REG_SZ', build);
      const command = `msiexec /i "${windows.path(machine.msi('1.0.0'))}" /qn /l*v C:\\msi.log PORT=0`;
      const lines = ['@set PROCESSOR_ARCHITECTURE=ARM64', `@${command}`, '@exit /b %errorlevel%'];
      writeFileSync(join(windows.driveC, 'arm64.cmd'), lines.join('\r\n'));
      const { code } = await windows.run('cmd', ['/c', 'C:\\arm64.cmd']);
      return { code, log: readFileSync(join(windows.driveC, 'msi.log'), 'utf8') };
    }
    /** Wine does not log the condition's text. */
    const REFUSED = 'LaunchConditions. Return value 0';

    it('needs Windows 11', async () => {
      const { code, log } = await install('19045');
      expect(log).toContain(REFUSED);
      expect(code).toBe(FAILED);
    });

    it('with Windows 11 comes to the checks of the properties', async () => {
      const { log } = await install('22631');
      expect(log).not.toContain(REFUSED);
      expect(log).toContain('PORT: "0": it is not a number from 1 to 65535');
    });
  });

  describe('a silent installation', () => {
    it('succeeds', async () => {
      // An entry of someone else.
      await machine.windows.setRegistry(
        `${CHROME}\\LoopbackNetworkAllowedForUrls`,
        '1',
        'REG_SZ',
        'https://intranet.example',
      );
      await machine.installed('1.0.0', [
        'ALLOWED_CONNECT_DOMAINS=Acme.my.connect.aws, other.example',
        `PORT=${machine.port}`,
        'SINK=folder',
        'S3_BUCKET=acme-recordings',
        'S3_REGION=eu-central-1',
        `KMS_KEY_ID=${KMS_KEY}`,
        'BROWSER_POLICY=1',
      ]);
    });

    it('installs all files', () => {
      for (const path of [
        'Sightline.exe',
        'bin/sightline.exe',
        'cli/node.exe',
        'cli/sightline.mjs',
        'LICENSE',
        'resources/windowsHelper/win32-x64/sightline-helper.exe',
      ]) {
        expect(existsSync(machine.file(path)), path).toBe(true);
      }
      expect(readdirSync(machine.file('resources/slates'))).toContain('masks.json');
      const license = 'resources/ffmpeg/win32-x64/LICENSE.OpenH264';
      expect(readFileSync(machine.file(license))).toEqual(readFileSync(license));
    });

    it("writes the machine's policy", async () => {
      expect(await registry(POLICY)).toEqual({
        allowedDomains: 'acme.my.connect.aws,other.example',
        port: machine.port,
        sink: 'folder',
        s3Bucket: 'acme-recordings',
        awsRegion: 'eu-central-1',
        s3KmsKeyId: KMS_KEY,
        agentMayQuit: 0,
      });
    });

    it("adds the domains to the browsers' lists", async () => {
      expect(await registry(CHROME)).toEqual({
        LoopbackNetworkAllowedForUrls: [
          'https://intranet.example',
          'https://acme.my.connect.aws',
          'https://other.example',
        ],
      });
      expect(await registry(EDGE)).toEqual({
        LoopbackNetworkAllowedForUrls: ['https://acme.my.connect.aws', 'https://other.example'],
      });
    });

    it('starts Sightline at sign-in', async () => {
      expect(await registry(RUN)).toEqual({ Sightline: `"${PROGRAM_FOLDER}\\bin\\sightline-keeper.exe"` });
    });

    it('is in the list of programs', async () => {
      expect(await registry(UNINSTALL)).toMatchObject({
        [machine.productCode('1.0.0')]: {
          DisplayName: 'Sightline',
          DisplayVersion: '1.0.0',
          Publisher: 'Sightline',
        },
      });
    });

    it('puts `sightline` on the PATH, which passes on arguments, output and exit code', async () => {
      expect(await machine.windows.run('cmd', ['/c', 'sightline', '--version'])).toMatchObject({
        code: 0,
        stdout: '1.0.0\n',
      });
      const retry = ['recordings', 'retry', '--json', 'a "quoted" word % ^'];
      const bad = await machine.windows.run(COMMAND_LINE, retry);
      expect(bad.stdout + bad.stderr).not.toBe('');
      expect(bad.code).toBe(69); // no Sightline is running
    });

    it('`sightline policy` shows the values of the machine', async () => {
      expect(await machine.policy()).toMatchObject({
        allowedDomains: { value: ['acme.my.connect.aws', 'other.example'], source: 'HKLM' },
        port: { value: machine.port, source: 'HKLM' },
        s3Bucket: { value: 'acme-recordings', source: 'HKLM' },
        fps: { value: 5, source: 'default' },
      });
    });
  });

  describe('the installed program', () => {
    let page: Page;

    it('gets the monitors from the Windows helper', async () => {
      const { stdout } = await machine.windows.run(COMMAND_LINE, ['doctor', '--json']);
      const { checks } = JSON.parse(stdout) as { checks: { name: string; evidence: string }[] };
      expect(checks.find(({ name }) => name === 'display')?.evidence).toBe('DISPLAY1 1280x720');
    });

    it('records a contact', async () => {
      const { Sightline: command } = await registry(RUN);
      machine.windows.start(String(command).replaceAll('"', ''));
      await machine.expectVersion('1.0.0');
      page = await machine.connectPage();
      await page.ask('contact.start', { contactId, channel: 'VOICE' });
    });

    const CONTACT =
      /Sightline was not changed, because a contact is in progress:\nsession \d+, process \d+\nTry again after the contact/;

    it('is not upgraded during a contact', async () => {
      const { code, log } = await machine.install('1.1.0');
      expect(code).toBe(BUSY);
      expect(log).toMatch(CONTACT);
      expect(await machine.version()).toBe('1.0.0');
    });

    it('is neither upgraded nor removed while the contact is suspended', async () => {
      await page.ask('contact.suspend', { contactId });
      await expect.poll(() => ffmpegs(machine)).toEqual([]);
      const { code, log } = await machine.install('1.1.0');
      expect(log).toMatch(CONTACT);
      expect(code).toBe(BUSY);
      expect((await machine.uninstall('1.0.0')).code).toBe(BUSY);
      expect(await machine.version()).toBe('1.0.0');
    });

    it('a deployment with the wrapper is told to try later', async () => {
      const { windows } = machine;
      copyFileSync(join(machine.folder, WRAPPER), join(windows.driveC, WRAPPER));
      const words = ['/i', windows.path(machine.msi('1.1.0')), '/l*v', 'C:\\msi.log', 'S3_REGION=eu-west-1'];
      const { code } = await windows.run('cmd', ['/c', `C:\\${WRAPPER}`, ...words]);
      expect(readFileSync(join(windows.driveC, 'msi.log'), 'utf8')).toContain('a contact is in progress');
      expect(code).toBe(TRY_LATER);
      await page.ask('contact.resume', { contactId });
    });

    it('uploads the recording, with the screen in it', async () => {
      const monitor = await machine.expectRecording(page, contactId);
      expect(monitor?.name).toBe('DISPLAY1');
    });
  });

  describe('a repair', () => {
    it('is not refused because of a run of `sightline doctor`', async () => {
      const { windows } = machine;
      windows.start(COMMAND_LINE, ['doctor']);
      const grabbing = await expect
        .poll(() => ffmpegs(machine), { timeout: 20_000 })
        .toHaveLength(1)
        .then(() => ffmpegs(machine));
      // It grabs for two seconds: stopped, it is still there when the installer looks.
      for (const { pid } of grabbing) process.kill(pid, 'SIGSTOP');
      const log = await machine.installed('1.0.0', ['REINSTALL=ALL']);
      expect(log).not.toContain('a contact is in progress');
      // Wine ends a stopped process when it continues, or has ended it already.
      for (const { pid } of ffmpegs(machine)) spawnSync('kill', ['-CONT', String(pid)]);
      await expect.poll(() => ffmpegs(machine)).toEqual([]);
      await machine.expectVersion('1.0.0');
    });
  });

  describe('an upgrade', () => {
    it('keeps values that are not given again, sets those that are, and keeps changes by others', async () => {
      await machine.windows.setRegistry(POLICY, 'awsRegion', 'REG_SZ', 'us-east-1');
      const log = await machine.installed('1.1.0', ['S3_BUCKET=acme-recordings-2', 'S3_REGION=eu-west-1']);
      expect(log).toContain('Policies\\Sightline\\awsRegion was not set by this installer');
      expect(await registry(POLICY)).toMatchObject({
        allowedDomains: 'acme.my.connect.aws,other.example',
        port: machine.port,
        s3Bucket: 'acme-recordings-2',
        awsRegion: 'us-east-1',
      });
      expect(await registry(UNINSTALL)).toEqual({
        [machine.productCode('1.1.0')]: expect.objectContaining({ DisplayVersion: '1.1.0' }) as unknown,
      });
      expect((await machine.windows.run(COMMAND_LINE, ['--version'])).stdout).toBe('1.1.0\n');
    });

    it('starts the program again if it was running', async () => {
      await machine.expectVersion('1.1.0');
    });

    it('starts it outside its own folder, which a child of a closed program could keep from being removed', () => {
      const ours = machine.windows
        .processes()
        .filter(({ program }) => program.startsWith(`${PROGRAM_FOLDER}\\`));
      expect(ours.map(({ program }) => program)).toContain(`${PROGRAM_FOLDER}\\cli\\node.exe`);
      for (const { program, currentFolder } of ours)
        expect(currentFolder, program).toBe(join(machine.windows.driveC, 'windows/system32'));
    });

    it('can be repaired, with the values that it has and another one', async () => {
      rmSync(machine.file('cli/sightline.mjs'));
      await machine.installed('1.1.0', ['REINSTALL=ALL', 'KMS_KEY_ID=alias/another']);
      expect(existsSync(machine.file('cli/sightline.mjs'))).toBe(true);
      expect(await registry(POLICY)).toMatchObject({
        allowedDomains: 'acme.my.connect.aws,other.example',
        port: machine.port,
        s3KmsKeyId: 'alias/another',
      });
    });

    it('is not undone by an older version', async () => {
      expect((await machine.install('1.0.0')).code).toBe(FAILED);
      expect((await machine.windows.run(COMMAND_LINE, ['--version'])).stdout).toBe('1.1.0\n');
    });
  });

  describe('a removal', () => {
    it('succeeds', async () => {
      // Group policy sets the same value as the installer: from then on it belongs to group policy.
      mkdirSync(join(machine.windows.driveC, 'ProgramData'), { recursive: true });
      writeFileSync(
        join(machine.windows.driveC, 'ProgramData/ntuser.pol'),
        registryPol('Software\\Policies\\Sightline', 'port', machine.port),
      );
      await machine.windows.setRegistry(POLICY, 'fps', 'REG_DWORD', '3');
      await machine.uninstalled('1.1.0');
    });

    it('removes what the installer wrote, and nothing that others did', async () => {
      expect(await registry(POLICY)).toEqual({ awsRegion: 'us-east-1', port: machine.port, fps: 3 });
      expect(await registry(CHROME)).toEqual({
        LoopbackNetworkAllowedForUrls: ['https://intranet.example'],
      });
      for (const name of [EDGE, RUN, UNINSTALL, OUR_KEY]) expect(await registry(name), name).toEqual({});
    });

    it('closes the program, and leaves only the recordings', async () => {
      await machine.expectVersion(null);
      expect(existsSync(machine.file(''))).toBe(false);
      expect(await machine.published()).toHaveLength(1);
    });
  });

  describe('an installation whose last step fails', () => {
    it('leaves nothing behind', async () => {
      const before = await registry(POLICIES);
      const properties = ['ALLOWED_CONNECT_DOMAINS=late.example', 'BROWSER_POLICY=1'];
      expect((await machine.install('1.2.0', properties)).code).toBe(FAILED);
      expect(await registry(POLICIES)).toEqual(before);
      for (const name of [OUR_KEY, RUN]) expect(await registry(name), name).toEqual({});
      expect(existsSync(machine.file('Sightline.exe'))).toBe(false);
    });
  });

  // Wine does not restore the old version's files, as Windows does. Our own actions can be tested here.
  describe('an upgrade whose last step fails', () => {
    it('leaves the policy unchanged', async () => {
      await machine.install('1.0.0', [
        ...['ALLOWED_CONNECT_DOMAINS=acme.my.connect.aws', 'SINK=folder', 'BROWSER_POLICY=1'],
      ]);
      const before = await registry(POLICIES);
      expect(before).toMatchObject({
        Sightline: { allowedDomains: 'acme.my.connect.aws', sink: 'folder' },
      });
      const properties = ['SINK=s3', 'S3_BUCKET=other', 'ALLOWED_CONNECT_DOMAINS=late.example'];
      expect((await machine.install('1.2.0', properties)).code).toBe(FAILED);
      expect(await registry(POLICIES)).toEqual(before);
    });
  });

  describe('signatures', () => {
    const verify = (file: string) =>
      runOrThrow('osslsigncode', ['verify', '-ignore-cdp', '-CAfile', key.certificate, '-in', file]);

    it('are on the MSI, and on every program and library in it', async () => {
      const msi = machine.msi('1.1.0');
      await verify(msi);
      const inside = join(machine.folder, 'inside');
      mkdirSync(inside);
      await runOrThrow('msiextract', ['-C', inside, msi]);
      const programs = readdirSync(inside, { recursive: true, encoding: 'utf8' }).filter((name) =>
        /\.(exe|dll)$/i.test(name),
      );
      expect(programs.length).toBeGreaterThanOrEqual(4);
      for (const name of programs.filter((one) => !one.endsWith('node.exe')))
        await verify(join(inside, name));
      // The OpenJS Foundation's own signature.
      expect(isSigned(join(inside, programs.find((one) => one.endsWith('node.exe')) ?? ''))).toBe(true);
      const { stdout } = await runOrThrow('msiinfo', ['extract', msi, 'Binary.Actions']);
      writeFileSync(join(machine.folder, 'actions.dll'), stdout);
      await verify(join(machine.folder, 'actions.dll'));
    });

    it('are invalid after a byte is flipped', async () => {
      const file = join(machine.folder, 'flipped.msi');
      for (const share of [0.1, 0.5, 0.9]) {
        copyFileSync(machine.msi('1.1.0'), file);
        const bytes = readFileSync(file);
        const at = Math.floor(bytes.length * share);
        bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
        writeFileSync(file, bytes);
        await expect(verify(file), `byte ${at}`).rejects.toThrow(/ended with code/);
      }
    });
  });
});
