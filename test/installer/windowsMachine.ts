// A Windows of the tests' own: a Wine prefix on a display of the rig's, in which programs are run and the registry is read.
// Programs' output goes through files: Node for Windows does not write to pipes under Wine.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRegistry } from '../../main/browserPolicy/read.ts';
import { findWine, whyNoWindows } from '../../scripts/windows.mjs';
import { endWithUs, findOptionalTool } from '../rig/process.ts';
import { startWineRelay, type OpenConnection } from '../rig/wineRelay.ts';

const FONTS = 'HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Fonts';
const WINE_FONTS = '/usr/share/wine/fonts';

export interface Ended {
  /** The low byte of what the program ended with: more does not come out of Wine. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly environment?: Readonly<Record<string, string>>;
}

export interface WindowsMachine {
  /** Where C:\ lies. */
  readonly driveC: string;
  /** `Z:\...` for a file of this system. */
  path(file: string): string;
  run(command: string, args?: readonly string[], options?: StartOptions): Promise<Ended>;
  /** Starts a program and does not wait. */
  start(command: string, args?: readonly string[], options?: StartOptions): void;
  /** To a port of 127.0.0.1, as a program of this Windows. */
  readonly connect: OpenConnection;
  /** The values of one key and of those below it; `{}` where there is none. */
  registry(key: string): Promise<Record<string, unknown>>;
  setRegistry(key: string, name: string, type: 'REG_SZ' | 'REG_DWORD', data: string): Promise<void>;
  /** Ends every program of it, and removes it. */
  remove(): Promise<void>;
}

/** Why the MSI cannot be made and installed here; null when it can. */
export function whyNoInstaller(): string | null {
  const missing = ['wixl', 'msibuild', 'x86_64-w64-mingw32-gcc'].filter(
    (name) => findOptionalTool([name]) === undefined,
  );
  if (missing.length === 0) return whyNoWindows();
  return `${missing.join(', ')} not installed (on Debian: apt install wixl msitools gcc-mingw-w64-x86-64)`;
}

/** A fresh Windows 10. */
export async function startWindows(
  display: string,
  { withTahoma = false }: { readonly withTahoma?: boolean } = {},
): Promise<WindowsMachine> {
  const found = findWine();
  if (found === null) throw new Error('Wine is not installed (on Debian: apt install wine64).');
  const { loader: wine, server } = found;
  const home = mkdtempSync(join(tmpdir(), 'sightline-windows-'));
  const prefix = join(home, 'prefix');
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    DISPLAY: display,
    WINEPREFIX: prefix,
    WINEDEBUG: '-all',
    // No questions about .NET and HTML, which nothing here needs.
    WINEDLLOVERRIDES: 'mscoree,mshtml=',
  };
  for (const name of Object.keys(environment).filter((one) => one.startsWith('SIGHTLINE_'))) {
    environment[name] = undefined;
  }
  let relay: Promise<OpenConnection> | null = null;
  let count = 0;
  const children = new Set<ChildProcess>();

  const launch = (command: string, args: readonly string[], options: StartOptions) => {
    const files = { out: join(home, `${++count}.out`), err: join(home, `${count}.err`) };
    const [out, err] = [openSync(files.out, 'w'), openSync(files.err, 'w')];
    const child = spawn(wine, [command, ...args], {
      stdio: ['ignore', out, err],
      env: { ...environment, ...options.environment },
    });
    closeSync(out);
    closeSync(err);
    endWithUs(child);
    children.add(child);
    return { child, files };
  };
  const run = async (
    command: string,
    args: readonly string[] = [],
    options: StartOptions = {},
  ): Promise<Ended> => {
    const { child, files } = launch(command, args, options);
    const [code] = (await once(child, 'exit')) as [number | null];
    children.delete(child);
    const text = (file: string): string => readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
    return { code: code ?? -1, stdout: text(files.out), stderr: text(files.err) };
  };
  const machine: WindowsMachine = {
    driveC: join(prefix, 'drive_c'),
    path: (file) => `Z:${file.replaceAll('/', '\\')}`,
    run,
    start(command, args = [], options = {}) {
      launch(command, args, options);
    },
    async connect(port) {
      relay ??= startWineRelay(wine, environment);
      return (await relay)(port);
    },
    async registry(key) {
      const { code, stdout, stderr } = await run('reg', ['query', key, '/s']);
      // A query that fails or prints nothing must not look like a missing key.
      if (code === 0 && stdout !== '') return parseRegistry(stdout, key);
      if (stdout.includes('Unable to find the specified registry key')) return {};
      throw new Error(`reg query ${key} /s ended with ${code} and printed: ${stdout}${stderr}`);
    },
    async setRegistry(key, name, type, data) {
      const { code, stderr } = await run('reg', ['add', key, '/v', name, '/t', type, '/d', data, '/f']);
      if (code !== 0) throw new Error(`reg add ${key} ended with ${code}: ${stderr}`);
    },
    async remove() {
      spawnSync(server, ['-k'], { env: environment });
      const running = [...children].filter((child) => child.exitCode === null && child.signalCode === null);
      await Promise.all(running.map((child) => once(child, 'exit')));
      rmSync(home, { recursive: true, force: true });
    },
  };
  const wineserver = (flag: '-p' | '-k') => spawnSync(server, [flag], { env: environment, stdio: 'ignore' });
  // It stays when the last program ends: one that is just about to go refuses the next program.
  wineserver('-p');
  await run('wineboot', ['-i']);
  const { code } = await run('winecfg', ['-v', 'win10']);
  if (code !== 0) throw new Error('Wine could not be set to Windows 10.');
  if (withTahoma) await addTahoma(machine);
  return machine;
}

/** The font that DirectWrite falls back to: every Windows has it, and Chromium ends where it is missing. */
async function addTahoma(machine: WindowsMachine): Promise<void> {
  const names = { 'Tahoma (TrueType)': 'tahoma.ttf', 'Tahoma Bold (TrueType)': 'tahomabd.ttf' };
  for (const [name, file] of Object.entries(names)) {
    copyFileSync(join(WINE_FONTS, file), join(machine.driveC, 'windows/Fonts', file));
    await machine.setRegistry(FONTS, name, 'REG_SZ', file);
  }
}
