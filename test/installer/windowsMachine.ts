// A Windows machine for a test file: a Wine prefix with a desktop on a display of the rig, in which programs run and the
// registry is read. Output of programs goes through files, because Node for Windows cannot write to pipes under Wine.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asPolicies } from '../../main/browserPolicy/read.ts';
import { whyNoWindows } from '../../scripts/windows.mjs';
import { endWithUs, findOptionalTool } from '../rig/process.ts';
import { endWine, makeWinePrefix, openDesktop } from '../rig/wine.ts';
import { startWineRelay, type OpenConnection } from '../rig/wineRelay.ts';
import { printedValues } from './regQuery.ts';

const FONTS = 'HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Fonts';
const WINE_FONTS = '/usr/share/wine/fonts';

export interface Ended {
  /** The low byte of the exit code: Wine passes on no more. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WindowsMachine {
  /** The folder that is C:\. */
  readonly driveC: string;
  /** The Windows path of a file of this system. */
  path(file: string): string;
  run(
    command: string,
    args?: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): Promise<Ended>;
  /** Starts a program and does not wait. */
  start(command: string, args?: readonly string[]): void;
  /** The running programs, as Windows paths, with the current folder of each as a path of this system, and its process there. */
  processes(): { program: string; currentFolder: string; pid: number }[];
  /** To a port of 127.0.0.1, as a program of this Windows. */
  readonly connect: OpenConnection;
  /** The values of a key and its subkeys; `{}` if it does not exist. */
  registry(key: string): Promise<Record<string, unknown>>;
  setRegistry(key: string, name: string, type: 'REG_SZ' | 'REG_DWORD', data: string): Promise<void>;
  /** Ends all its programs and removes it. */
  remove(): Promise<void>;
}

/** Why the MSI cannot be built and installed here; null if it can. */
export function whyNoInstaller(): string | null {
  const missing = ['wixl', 'msibuild', 'x86_64-w64-mingw32-gcc'].filter(
    (name) => findOptionalTool([name]) === undefined,
  );
  if (missing.length === 0) return whyNoWindows();
  return `${missing.join(', ')} not installed (on Debian: apt install wixl msitools gcc-mingw-w64-x86-64)`;
}

/** A new Windows 10. */
export async function startWindows(display: string): Promise<WindowsMachine> {
  const home = mkdtempSync(join(tmpdir(), 'sightline-windows-'));
  const prefix = join(home, 'prefix');
  await makeWinePrefix(prefix);
  const { loader, environment } = await openDesktop(prefix, display);
  for (const name of Object.keys(environment).filter((one) => one.startsWith('SIGHTLINE_')))
    environment[name] = undefined;
  let relay: Promise<OpenConnection> | null = null;
  let count = 0;
  const children = new Set<ChildProcess>();

  const launch = (
    command: string,
    args: readonly string[] = [],
    variables: Readonly<Record<string, string>> = {},
  ) => {
    const files = { out: join(home, `${++count}.out`), err: join(home, `${count}.err`) };
    const [out, err] = [openSync(files.out, 'w'), openSync(files.err, 'w')];
    const env = { ...environment, ...variables };
    const child = spawn(loader, [command, ...args], { stdio: ['ignore', out, err], env });
    closeSync(out);
    closeSync(err);
    endWithUs(child);
    children.add(child);
    child.once('exit', () => children.delete(child));
    return { child, files };
  };
  const run: WindowsMachine['run'] = async (...args) => {
    const { child, files } = launch(...args);
    const [code] = (await once(child, 'exit')) as [number | null];
    const text = (file: string): string => readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
    return { code: code ?? -1, stdout: text(files.out), stderr: text(files.err) };
  };
  return {
    driveC: join(prefix, 'drive_c'),
    path: (file) => `Z:${file.replaceAll('/', '\\')}`,
    run,
    start: (command, args) => void launch(command, args),
    processes: () => processesOf(prefix),
    async connect(port) {
      relay ??= startWineRelay(loader, environment);
      return (await relay)(port);
    },
    async registry(key) {
      const { code, stdout, stderr } = await run('reg', ['query', key, '/s']);
      // A query that fails or prints nothing must not look like a missing key.
      if (code === 0 && stdout !== '') return asPolicies(printedValues(stdout, key));
      if (stdout.includes('Unable to find the specified registry key')) return {};
      throw new Error(`reg query ${key} /s ended with ${code} and printed: ${stdout}${stderr}`);
    },
    async setRegistry(key, name, type, data) {
      const { code, stderr } = await run('reg', ['add', key, '/v', name, '/t', type, '/d', data, '/f']);
      if (code !== 0) throw new Error(`reg add ${key} ended with ${code}: ${stderr}`);
    },
    async remove() {
      endWine(prefix);
      await Promise.all([...children].map((child) => once(child, 'exit')));
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 300 });
    },
  };
}

/** Wine's tasklist lists nothing, but its processes are Linux processes. */
function processesOf(prefix: string): ReturnType<WindowsMachine['processes']> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const read = (name: string) => readFileSync(join('/proc', pid, name), 'utf8').split('\0');
      if (!read('environ').includes(`WINEPREFIX=${prefix}`)) return [];
      const currentFolder = readlinkSync(join('/proc', pid, 'cwd'));
      return [{ program: read('cmdline')[0] ?? '', currentFolder, pid: Number(pid) }];
    } catch {
      return []; // it has just exited
    }
  });
}

/** Installs the font that DirectWrite falls back to. Every Windows has it, and Chromium crashes without it. */
export async function addTahoma(windows: WindowsMachine): Promise<void> {
  const names = { 'Tahoma (TrueType)': 'tahoma.ttf', 'Tahoma Bold (TrueType)': 'tahomabd.ttf' };
  for (const [name, file] of Object.entries(names)) {
    copyFileSync(join(WINE_FONTS, file), join(windows.driveC, 'windows/Fonts', file));
    await windows.setRegistry(FONTS, name, 'REG_SZ', file);
  }
}
