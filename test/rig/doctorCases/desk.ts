// What can be wrong with the desk: port, second instance, policy, browsers, the machine, the key store.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { controlFileIn } from '../../../main/server/controlFile.ts';
import { withMounts } from '../mount.ts';
import { endWithUs } from '../process.ts';
import { startRecorder, type Recorder } from '../recorder.ts';
import type { Bench, DoctorCase, DoctorStart } from './bench.ts';

const DOMAIN = ['--allowed-domains', 'acme.my.connect.aws'];

export const deskCases: readonly DoctorCase[] = [
  {
    check: 'port',
    verdict: 'failed',
    when: 'a stranger listens on it',
    evidence: /^port \d+ is in use by process \d+ \(.+\)$/,
    remedy: /^End that program and start Sightline again, or IT sets another "port"/,
    arrange: async (bench) => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      bench.onEnd(() => server.close());
      return { flags: ['--port', String((server.address() as AddressInfo).port)] };
    },
  },
  {
    check: 'port',
    verdict: 'failed',
    when: "AWS's own client listens on it",
    evidence: /in use by the Amazon Connect Client Application \(process \d+ \(AmazonConnect\)\)/,
    remedy: /^Remove that program: it may record this screen, too/,
    arrange: async (bench) => {
      const name = bench.path('AmazonConnect');
      await symlink(process.execPath, name);
      const program =
        "const s = require('node:net').createServer().listen(0, '127.0.0.1', () => console.log(s.address().port))";
      const child = spawn(name, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      endWithUs(child);
      bench.onEnd(() => child.kill());
      const [port] = (await once(child.stdout, 'data')) as [Buffer];
      return { flags: ['--port', port.toString().trim()] };
    },
  },
  {
    check: 'port',
    verdict: 'failed',
    when: 'the Sightline of another data folder listens on it',
    evidence: /in use by another Sightline, version \d+\.\d+\.\d+ \(process \d+/,
    remedy: /^Quit the other Sightline\./,
    arrange: async (bench) => {
      const { port } = await recorder(bench);
      return {
        flags: ['--port', String(port), '--data-dir', bench.path('other'), '--allow-loopback-origins'],
      };
    },
  },
  {
    check: 'single instance',
    verdict: 'warning',
    when: 'another process holds the lock and nobody can reach it',
    evidence: /^process \d+ has locked .*data but has not published its port$/,
    remedy: /^Wait a minute and run this again.*end that process in the task manager/,
    arrange: async (bench) => {
      const { dataDir } = await recorder(bench);
      await rm(controlFileIn(dataDir));
      return {};
    },
  },
  {
    check: 'allowed domains',
    verdict: 'failed',
    when: 'policy names none',
    evidence: /^no page may connect$/,
    remedy:
      /^Set "allowedDomains" in Sightline's policy to the domain of the page in which agents take calls/,
    arrange: () => ({}),
  },
  {
    check: 'allowed domains',
    verdict: 'warning',
    when: 'pages of this machine may connect as well',
    evidence: /^acme\.my\.connect\.aws, and pages served from this machine$/,
    remedy: /^Set "allowLoopbackOrigins" to false in Sightline's policy/,
    arrange: () => ({ flags: [...DOMAIN, '--allow-loopback-origins'] }),
  },
  {
    check: 'browser policy',
    verdict: 'failed',
    when: "Chrome's policy blocks the page",
    evidence: /Chrome: blocked acme\.my\.connect\.aws \(\/etc\/opt\/chrome\/policies\/managed\/lna\.json\)/,
    remedy: /Remove them from LoopbackNetworkBlockedForUrls/,
    arrange: (bench) => chromePolicy(bench, { LoopbackNetworkBlockedForUrls: ['*'] }),
  },
  {
    check: 'browser policy',
    verdict: 'warning',
    when: "Chrome's policy covers another domain only",
    evidence: /Chrome: the agent is asked for acme\.my\.connect\.aws/,
    remedy:
      /LoopbackNetworkAllowedForUrls of Chrome and Edge with https:\/\/acme\.my\.connect\.aws;.*click "Allow"/,
    arrange: (bench) =>
      chromePolicy(bench, { LoopbackNetworkAllowedForUrls: ['https://other.my.connect.aws'] }),
  },
  {
    check: 'browser policy',
    verdict: 'warning',
    when: 'no browser has a policy',
    evidence: /^no browser has a policy: the agent is asked$/,
    remedy: /^Allow the page in the browser's own policy.*SkipDomains/,
    arrange: async (bench) => {
      await mkdir(bench.path('none'));
      const none = (folder: string): string =>
        `{ test ! -d ${folder} || mount --bind "${bench.path('none')}" ${folder}; }`;
      const script = ['/etc/opt', '/etc/chromium', '/etc/firefox'].map(none).join(' && ');
      return { flags: DOMAIN, wrapper: withMounts(script) };
    },
  },
  {
    check: 'refused pages',
    verdict: 'warning',
    when: 'a page was refused whose domain is not allowed',
    evidence: /^https:\/\/forgotten\.example \(once, last \d{4}-/,
    remedy: /add its domain to "allowedDomains" in Sightline's policy.*Leave out any that you do not know/,
    arrange: async (bench) => {
      const running = await recorder(bench);
      const why = await running.connect({ origin: 'https://forgotten.example' }).then(() => 'let in', String);
      if (!why.includes('403')) throw new Error(`the page was not refused: ${why}`);
      return { flags: DOMAIN };
    },
  },
  {
    check: 'key store',
    verdict: 'failed',
    when: 'the key file was cut off',
    evidence: /spool\.key is not a key of 32 bytes\. Put the right one back/,
    remedy: /^Nothing can be recorded until this works\. Follow the message above.*move this file away/,
    arrange: (bench) => keyFile(bench, 31, 0o600),
  },
  {
    check: 'key store',
    verdict: 'failed',
    when: 'the key file can be read by others',
    evidence: /spool\.key can be read by others\. Run: chmod 600/,
    remedy: /^Nothing can be recorded until this works/,
    arrange: (bench) => keyFile(bench, 32, 0o644),
  },
  {
    check: 'key store',
    verdict: 'warning',
    when: 'a key file is all that there is',
    evidence: /^key-file encrypts and decrypts$/,
    remedy: /Keep both on an encrypted disk\.$/,
    arrange: (bench) => keyFile(bench, 32, 0o600),
  },
  {
    check: 'machine',
    verdict: 'failed',
    when: 'the kernel is too old',
    evidence: /linux 2\.6\.\d+/,
    remedy: /^Update the operating system: Sightline needs Linux 4\.18 or newer\.$/,
    arrange: () => ({ wrapper: ['setarch', '--uname-2.6'] }),
  },
  {
    check: 'machine',
    verdict: 'warning',
    when: 'one core may be used',
    evidence: /^1 core \(/,
    remedy: /^Screen recording needs 4 cores.* by AWS's system requirements: .*Use a stronger computer/,
    arrange: () => ({ wrapper: ['taskset', '--cpu-list', '0'] }),
  },
  {
    check: 'machine',
    verdict: 'warning',
    when: 'there is little memory',
    evidence: /, 2\.0 GiB of memory,/,
    remedy: /^Screen recording needs (4 cores, )?4 GiB of memory by AWS's system requirements: /,
    arrange: async (bench) => {
      const file = bench.path('meminfo');
      await writeFile(file, 'MemTotal:        2097152 kB\nMemFree:         1048576 kB\n');
      return { wrapper: withMounts(`mount --bind "${file}" /proc/meminfo`) };
    },
  },
  {
    check: 'machine',
    verdict: 'warning',
    when: 'the processor is slow',
    evidence: / \(x64, 1\.1 GHz\), /,
    remedy: /^Screen recording needs (4 cores, )?a processor of 2\.0 GHz by AWS's system requirements: /,
    arrange: async (bench) => {
      const file = bench.path('cpuinfo');
      const one = (number: number): string =>
        `processor\t: ${number}\nmodel name\t: Intel(R) Celeron(R) N4000 CPU @ 1.10GHz\ncpu MHz\t\t: 2594.1\n\n`;
      const text = cpus().map((_, number) => one(number));
      await writeFile(file, text.join(''));
      return { wrapper: withMounts(`mount --bind "${file}" /proc/cpuinfo`) };
    },
  },
  {
    check: 'machine',
    verdict: 'warning',
    when: 'the session is one of Wayland',
    evidence: /, Wayland$/,
    remedy: /Log out, and choose the "Xorg" \(X11\) session/,
    arrange: () => ({ environment: { XDG_SESSION_TYPE: 'wayland' } }),
  },
];

async function recorder(bench: Bench): Promise<Recorder> {
  const started = await startRecorder({ display: null, home: bench.home });
  bench.onEnd(() => started.stop());
  return started;
}

async function chromePolicy(bench: Bench, values: object): Promise<DoctorStart> {
  const folder = bench.path('opt', 'chrome', 'policies', 'managed');
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/lna.json`, JSON.stringify(values));
  return { flags: DOMAIN, wrapper: withMounts(`mount --bind "${bench.path('opt')}" /etc/opt`) };
}

async function keyFile(bench: Bench, bytes: number, mode: number): Promise<DoctorStart> {
  await mkdir(bench.dataDir, { mode: 0o700 });
  const path = bench.path('data', 'spool.key');
  await writeFile(path, Buffer.alloc(bytes, 7));
  await chmod(path, mode);
  return {};
}
