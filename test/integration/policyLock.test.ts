// Where an administrator decides, nothing that the agent controls decides instead: variables, flags, PATH, the folders in
// which Node looks for packages. On the built program with a machine policy of its own, and on the command line that
// an installer puts on a computer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { systemDataFolder } from '../../main/platform/paths.ts';
import { bundleCommandLine } from '../../scripts/installer/commandLine.ts';
import type { Display } from '../rig/display.ts';
import { startDisplay } from '../rig/display.ts';
import { withMachinePolicy } from '../rig/mount.ts';
import { endWithUs } from '../rig/process.ts';
import { readPublished, startRecorder } from '../rig/recorder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = join(root, 'dist/main/headless.mjs');
const loopback = new URL('../rig/loopbackNetwork.mjs', import.meta.url).href;
const CODE = '"code":"POLICY_VALUE_IGNORED"';

let home: string;
let display: Display;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  display = await startDisplay({ width: 640, height: 480 });
});
afterAll(() => display.stop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sightline-lock-'));
  await mkdir(join(home, 'etc'));
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(home, { recursive: true, force: true });
});

/** Runs a program of ours; stand-ins answer in this process, so not spawnSync. */
async function sightline(
  args: readonly string[],
  { environment = {}, wrapper = [], program = built }: Start = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(DISPLAY$|AWS_|XDG_|SIGHTLINE_)|proxy$/i.test(name)),
  );
  const [command = '', ...words] = [...wrapper, process.execPath, program, ...args];
  const child = spawn(command, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...inherited, HOME: home, ...environment },
  });
  endWithUs(child);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (said[name] += text));
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...said };
}

interface Start {
  readonly environment?: Readonly<Record<string, string>>;
  readonly wrapper?: readonly string[];
  readonly program?: string;
}

interface Shown {
  readonly keys: Readonly<Record<string, { readonly value: unknown; readonly source: string }>>;
  readonly warnings: readonly string[];
}

/** A program that leaves a trace when somebody runs it. */
async function plant(file: string): Promise<() => Promise<boolean>> {
  await writeFile(file, `#!/bin/sh\necho ran >> "${file}.ran"\nexit 1\n`);
  await chmod(file, 0o755);
  return async () => (await readdir(join(file, '..'))).includes(`${file.split('/').at(-1)}.ran`);
}

/** Counts who connects. */
async function listenAt(where: string | number): Promise<{ server: Server; count: () => number }> {
  let count = 0;
  const server = createServer((socket) => {
    count += 1;
    socket.destroy();
  });
  server.listen(where);
  await once(server, 'listening');
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  return { server, count: () => count };
}

const basic = (): Record<string, unknown> => ({
  port: 0,
  dataDir: join(home, 'data'),
  sinkFolder: join(home, 'sink'),
  display: display.display,
  allowLoopbackOrigins: true,
});
const policed = (policy: Record<string, unknown> = basic()): string[] =>
  withMachinePolicy(join(home, 'etc'), policy);

describe('with a machine policy', () => {
  it('flags and variables set what a user may set, and `policy` names all that is ignored', async () => {
    const { code, stdout, stderr } = await sightline(
      ['policy', '--json', '--indicator', 'off', '--fps', 'many', '--log-level', 'debug'],
      {
        wrapper: policed(),
        environment: {
          SIGHTLINE_SINK_FOLDER: '/tmp/elsewhere',
          SIGHTLINE_FFMPEG_PATH: '/tmp/evil',
          SIGHTLINE_UPLOAD_LIMIT_KBIT: '100',
        },
      },
    );
    expect(code, stderr).toBe(0);
    const { keys, warnings } = JSON.parse(stdout) as Shown;
    expect(keys).toMatchObject({
      indicator: { value: 'required', source: 'default' },
      fps: { value: 5, source: 'default' },
      ffmpegPath: { value: null, source: 'default' },
      sinkFolder: { value: join(home, 'sink'), source: 'file' },
      logLevel: { value: 'debug', source: 'flag' },
      uploadLimitKbit: { value: 100, source: 'environment' },
    });
    for (const word of ['--indicator', '--fps', 'SIGHTLINE_SINK_FOLDER', 'SIGHTLINE_FFMPEG_PATH'])
      expect(warnings.filter((one) => one.includes(word) && one.endsWith(' is ignored.'))).toHaveLength(1);
    expect(warnings).toHaveLength(4);
  });

  it.each([
    [['recordings'], 'No recordings yet.'],
    [['browser-policy', '--print'], 'LoopbackNetworkAllowedForUrls'],
  ])('%j says so too', async (args, answer) => {
    const policy = { ...basic(), allowedDomains: ['acme.my.connect.aws'] };
    const { stdout, stderr } = await sightline([...args, '--data-dir', join(home, 'other')], {
      wrapper: policed(policy),
    });
    expect(stdout).toContain(answer);
    expect(stderr).toContain('the flag --data-dir is ignored.');
  });

  it('the agent’s ffmpeg, sink, data folder and bus are left alone; the log and a later doctor say so', async () => {
    const ran = await plant(join(home, 'ffmpeg'));
    const bus = await listenAt(join(home, 'bus'));
    const recorder = await startRecorder({
      display: null,
      home,
      wrapper: policed(),
      flags: ['--fps', '1'],
      environment: {
        ...{
          HOME: join(home, 'mine'),
          XDG_DATA_HOME: join(home, 'mine'),
          PATH: `${home}:${process.env.PATH}`,
        },
        ...{ SIGHTLINE_FFMPEG_PATH: join(home, 'ffmpeg'), SIGHTLINE_INDICATOR: 'off' },
        SIGHTLINE_STATUS_EVENTS_FILE: join(home, 'events'),
        DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${join(home, 'bus')}`,
      },
    });
    ends.push(() => recorder.stop());
    const page = await recorder.connect();
    await page.ask('contact.start', { contactId: 'c', channel: 'VOICE' });
    await page.ask('contact.stop', { contactId: 'c' });
    await page.event('c', 'PUBLISHED');
    const [found] = await readPublished(join(home, 'sink'));
    expect(found?.manifest.video.fps).toBe(5);
    expect(await ran()).toBe(false);
    expect(bus.count()).toBe(0);
    expect(await readdir(home)).not.toEqual(expect.arrayContaining(['mine']));
    expect(await readdir(home)).not.toEqual(expect.arrayContaining(['events']));
    const lines = recorder.stderr().split('\n');
    for (const word of [
      'SIGHTLINE_FFMPEG_PATH',
      'SIGHTLINE_INDICATOR',
      'SIGHTLINE_STATUS_EVENTS_FILE',
      '--fps',
    ])
      expect(lines.filter((line) => line.includes(word) && line.includes(CODE))).toHaveLength(1);
    // Whoever looks from outside has another environment.
    const doctor = await sightline(['doctor', '--json'], { wrapper: policed() });
    const { checks } = JSON.parse(doctor.stdout) as {
      checks: { name: string; verdict: string; evidence: string; remedy: string }[];
    };
    const check = checks.find(({ name }) => name === 'policy in force');
    expect(check).toMatchObject({ verdict: 'warning' });
    expect(check?.evidence).toContain('SIGHTLINE_INDICATOR is ignored.');
    expect(check?.remedy).toMatch(/^Remove these/);
    const { stderr } = await sightline(['policy'], { wrapper: policed() });
    expect(stderr).toMatch(/^warning: the running Sightline: .*SIGHTLINE_FFMPEG_PATH is ignored\.$/m);
  });

  it('no ffmpeg is taken from a folder that the agent has put on PATH', async () => {
    // The program without an ffmpeg of its own.
    await cp(join(root, 'dist'), join(home, 'program/dist'), { recursive: true });
    await cp(join(root, 'resources/slates'), join(home, 'program/resources/slates'), { recursive: true });
    await symlink(join(root, 'node_modules'), join(home, 'program/node_modules'));
    await cp(join(root, 'package.json'), join(home, 'program/package.json'));
    await mkdir(join(home, 'bin'));
    const ran = await plant(join(home, 'bin/ffmpeg'));
    const program = join(home, 'program/dist/main/headless.mjs');
    const environment = { PATH: `${join(home, 'bin')}:${process.env.PATH}` };
    await sightline(['doctor', '--json'], { program, environment, wrapper: policed() });
    expect(await ran()).toBe(false);
    // In a container without machine policy PATH counts.
    await sightline(['doctor', '--json', '--data-dir', join(home, 'data')], { program, environment });
    expect(await ran()).toBe(true);
  });

  it('AWS_ENDPOINT_URL and an endpoint in the agent’s config file lead no recording elsewhere', async () => {
    const thief = await listenAt(0);
    const address = thief.server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const url = `http://127.0.0.1:${address.port}`;
    await writeFile(join(home, 'config'), `[default]\nendpoint_url = ${url}\n`);
    const { stdout } = await sightline(['doctor', '--json'], {
      wrapper: policed({
        ...basic(),
        ...{ sink: 's3', s3Bucket: 'acme-recordings', awsRegion: 'eu-central-1', eventBusName: 'bus' },
      }),
      environment: {
        ...{ AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' },
        ...{ AWS_ENDPOINT_URL: url, AWS_ENDPOINT_URL_S3: url, AWS_CONFIG_FILE: join(home, 'config') },
        AWS_EC2_METADATA_DISABLED: 'true',
        // Nothing leaves this machine: AWS's own names are not found.
        ...{ NODE_OPTIONS: `--import=${loopback}`, LOOPBACK_HOSTS: '{}' },
      },
    });
    const { checks } = JSON.parse(stdout) as { checks: { name: string; verdict: string }[] };
    expect(checks.find(({ name }) => name === 'sink bucket')?.verdict).toBe('failed');
    expect(thief.count()).toBe(0);
  });
});

describe('a machine policy that cannot be read', () => {
  it('does not open what it would close: doctor runs nothing of the agent’s', async () => {
    const ran = await plant(join(home, 'ffmpeg'));
    const { stdout } = await sightline(['doctor', '--json', '--data-dir', join(home, 'data')], {
      wrapper: withMachinePolicy(join(home, 'etc'), '{"fps":'),
      environment: { SIGHTLINE_FFMPEG_PATH: join(home, 'ffmpeg') },
    });
    expect(stdout).toContain('is not a JSON object');
    expect(await ran()).toBe(false);
  });
});

describe('the installed command line, without any machine policy', () => {
  let installed: string;
  beforeEach(async () => {
    installed = join(home, 'app/cli/sightline.mjs');
    await bundleCommandLine(installed, '1.2.3');
    await cp(join(root, 'resources/slates'), join(home, 'app/resources/slates'), { recursive: true });
  });

  it('sets no more by flags and variables than a user may set, whatever says that it is not installed', async () => {
    const { stdout } = await sightline(
      ['policy', '--json', '--allowed-domains', 'evil.example', '--log-level', 'warn'],
      {
        program: installed,
        environment: {
          ...{ SIGHTLINE_INDICATOR: 'off', SIGHTLINE_INSTALLED: 'false', XDG_DATA_HOME: home },
          ...{ NODE_ENV: 'development', ELECTRON_IS_DEV: '1' },
        },
      },
    );
    const { keys, warnings } = JSON.parse(stdout) as Shown;
    expect(keys).toMatchObject({
      allowedDomains: { value: [], source: 'default' },
      indicator: { value: 'required', source: 'default' },
      dataDir: { value: systemDataFolder(), source: 'default' },
      logLevel: { value: 'warn', source: 'flag' },
    });
    expect(warnings).toHaveLength(3);
    expect(warnings.join()).toContain('(this Sightline is installed for the machine)');
  });

  it('loads no package from above its folder, nor from NODE_PATH', async () => {
    const names = ['bufferutil', 'utf-8-validate', 'ffmpeg-static', '@aws-sdk/signature-v4-crt'];
    for (const folder of [join(home, 'node_modules'), join(home, 'elsewhere')])
      for (const name of names) {
        await mkdir(join(folder, name), { recursive: true });
        const trace = `require('node:fs').appendFileSync(${JSON.stringify(join(home, 'loaded'))}, '${name} ');`;
        await writeFile(join(folder, name, 'index.js'), trace);
      }
    const { stdout } = await sightline(['doctor', '--json'], {
      program: installed,
      wrapper: policed(),
      environment: { NODE_PATH: join(home, 'elsewhere') },
    });
    expect(JSON.parse(stdout)).toMatchObject({ version: '1.2.3' });
    expect(await readdir(home)).not.toContain('loaded');
  });
});
