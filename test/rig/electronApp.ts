// The whole app in a real Electron: npm's own where its binary is present (driven by playwright-core), else 9.4.1 from
// the set-up (driven by the same DevTools protocol, which playwright no longer speaks with a Chromium that old).
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _electron } from 'playwright-core';
import { WebSocket } from 'ws';
import { electron9 } from '../../scripts/electron9.mjs';
import { currentElectron } from '../../scripts/electronBinary.mjs';
import { buildForElectron9 } from './electron9/build.ts';
import { endWithUs } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface FoundElectron {
  /** For the test's output. */
  readonly name: string;
  readonly binary: string;
  readonly isCurrent: boolean;
}

/** null where there is none. */
export async function findElectron(): Promise<FoundElectron | null> {
  const current = currentElectron();
  if (current !== null) {
    const { version } = JSON.parse(
      await readFile(join(root, 'node_modules/electron/package.json'), 'utf8'),
    ) as {
      version: string;
    };
    return { name: `Electron ${version}`, binary: current, isCurrent: true };
  }
  const old = electron9();
  return old === null
    ? null
    : { name: 'Electron 9.4.1, because the current one is not installed', binary: old, isCurrent: false };
}

export type PageName = 'index' | 'indicator';

export interface ElectronApp {
  /** null when the services did not start. */
  readonly port: number | null;
  readonly pid: number;
  readonly dataDir: string;
  readonly sinkFolder: string;
  /** What it has said on stderr so far. */
  said(): string;
  /** Whether there is such a page now. */
  has(page: PageName): Promise<boolean>;
  /** An expression's value in a page, awaited; waits for the page. */
  evaluate<T>(page: PageName, expression: string): Promise<T>;
  /** Starts the program once more, as an agent who clicks on it does. Resolves with the exit code. */
  startAgain(): Promise<number | null>;
  /** Of all its processes together: CPU time since their start, memory that is theirs alone or their share of it. */
  usage(): Promise<{ cpuSeconds: number; memoryMiB: number; processes: string[] }>;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** SIGTERM, and waits for the end. Resolves with the exit code, or the signal that ended it. */
  quit(): Promise<number | string>;
  /** Kills what is left, and removes its folder. */
  dispose(): Promise<void>;
}

export interface ElectronAppOptions {
  readonly electron: FoundElectron;
  /** `:N` */
  readonly display: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Arguments before the program, e.g. to run it with an /etc of its own. */
  readonly wrapper?: readonly string[];
}

interface Driver {
  readonly child: ChildProcess;
  has(page: PageName): Promise<boolean>;
  evaluate(page: PageName, expression: string): Promise<unknown>;
}

let built: Promise<string> | undefined;

/** For all apps of this process: a build takes three seconds of a processor. @returns its folder */
function builtForElectron9(): Promise<string> {
  built ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sightline-electron9-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    await buildForElectron9(folder);
    return folder;
  })();
  return built;
}

/** Starts it and waits until its services run, or could not be started. */
export async function startElectronApp({
  electron,
  display,
  environment,
  wrapper = [],
}: ElectronAppOptions): Promise<ElectronApp> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-app-'));
  const dataDir = join(home, 'data');
  const sinkFolder = join(home, 'sink');
  const app = electron.isCurrent ? root : await builtForElectron9();
  const args = [
    ...[`--user-data-dir=${join(home, 'profile')}`, '--disable-gpu'],
    // Chromium's sandbox refuses to run as root, which containers often are.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ];
  const env = {
    ...process.env,
    DISPLAY: display,
    SIGHTLINE_PORT: '0',
    SIGHTLINE_DATA_DIR: dataDir,
    SIGHTLINE_SINK_FOLDER: sinkFolder,
    SIGHTLINE_ALLOW_LOOPBACK_ORIGINS: 'true',
    ...environment,
  } as Record<string, string>;

  const binary = wrapper.length === 0 ? electron.binary : join(home, 'electron.sh');
  if (wrapper.length > 0) {
    const words = [...wrapper, electron.binary].map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
    await writeFile(binary, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  }
  const { child, ...driver } = electron.isCurrent
    ? await drivenByPlaywright(binary, [...args, app], env)
    : drivenByDevTools(binary, args, app, env);
  endWithUs(child);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
  const exited = once(child, 'exit').then(([code, signal]: unknown[]) => (code ?? signal) as number | string);
  const port = await Promise.race([
    portOf(child, () => said),
    exited.then(() => {
      throw new Error(`The app ended before it was ready:\n${said}`);
    }),
    // A dialog of Electron may block it.
    new Promise<never>((_, reject) =>
      setTimeout(() => reject(new Error(`The app was not ready within 30 s:\n${said}`)), 30_000).unref(),
    ),
  ]).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    port,
    pid: child.pid!,
    dataDir,
    sinkFolder,
    exited,
    said: () => said,
    has: (page) => driver.has(page),
    evaluate: async <T>(page: PageName, expression: string) => (await driver.evaluate(page, expression)) as T,
    async startAgain() {
      const again = spawn(electron.binary, [...args, app], { env, stdio: 'ignore' });
      endWithUs(again);
      const [code] = (await once(again, 'exit')) as [number | null];
      return code;
    },
    usage: () => usageOf(child.pid!),
    quit() {
      child.kill('SIGTERM');
      return exited;
    },
    async dispose() {
      child.kill('SIGKILL');
      await exited;
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

const READY = /"message":"ready","port":(\d+)/;

function portOf(child: ChildProcess, said: () => string): Promise<number | null> {
  return new Promise((resolve) => {
    const look = (): void => {
      const port = READY.exec(said())?.[1];
      if (port !== undefined) resolve(Number(port));
      else if (said().includes('"message":"the services could not be started"')) resolve(null);
    };
    child.stderr?.on('data', look);
    look();
  });
}

async function drivenByPlaywright(
  executablePath: string,
  args: string[],
  env: Record<string, string>,
): Promise<Driver> {
  const app = await _electron.launch({ executablePath, args, env });
  const find = (name: PageName) => app.windows().find((page) => page.url().endsWith(`/${name}.html`));
  return {
    child: app.process(),
    has: (name) => Promise.resolve(find(name) !== undefined),
    async evaluate(name, expression) {
      for (;;) {
        const page = find(name);
        if (page !== undefined) return page.evaluate(expression);
        await app.waitForEvent('window');
      }
    },
  };
}

/** Electron 9 chooses a DevTools port and prints it on stderr. */
function drivenByDevTools(
  binary: string,
  args: readonly string[],
  app: string,
  env: Record<string, string>,
): Driver {
  const child = spawn(binary, [...args, '--remote-debugging-port=0', app], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const origin = new Promise<string>((resolve) => {
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const address = /DevTools listening on ws:\/\/([\d.]+:\d+)\//.exec(text)?.[1];
      if (address !== undefined) resolve(`http://${address}`);
    });
  });
  type Target = { url: string; webSocketDebuggerUrl?: string };
  const targets = async (): Promise<Target[]> =>
    (await (await fetch(`${await origin}/json`)).json()) as Target[];
  const find = async (name: PageName) => (await targets()).find(({ url }) => url.endsWith(`/${name}.html`));
  return {
    child,
    has: async (name) => (await find(name)) !== undefined,
    async evaluate(name, expression) {
      const giveUpAt = Date.now() + 15_000;
      for (;;) {
        const address = (await find(name).catch(() => undefined))?.webSocketDebuggerUrl;
        const found = address === undefined ? null : await evaluateAt(address, expression);
        if (found !== null) return found.value;
        if (Date.now() > giveUpAt) throw new Error(`The app has no page ${name}.html.`);
        // Chromium's list of pages has no events.
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
  };
}

interface Evaluated {
  readonly id?: number;
  readonly result?: {
    readonly result?: { readonly value?: unknown };
    readonly exceptionDetails?: { text: string; exception?: { description?: string } };
  };
}

/** @returns null when the page is gone, or has gone on to another document meanwhile */
async function evaluateAt(address: string, expression: string): Promise<{ value: unknown } | null> {
  const socket = new WebSocket(address);
  const isOpen = await once(socket, 'open').then(
    () => true,
    () => false,
  );
  if (!isOpen) return null;
  try {
    const params = { expression, awaitPromise: true, returnByValue: true, userGesture: true };
    socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
    const [data] = (await once(socket, 'message')) as [Buffer];
    const { result } = JSON.parse(data.toString()) as Evaluated;
    if (result === undefined) return null;
    const thrown = result.exceptionDetails;
    if (thrown !== undefined) throw new Error(thrown.exception?.description ?? thrown.text);
    return { value: result.result?.value };
  } finally {
    socket.close();
  }
}

/** From /proc, of the process and all that came from it. */
async function usageOf(pid: number): ReturnType<ElectronApp['usage']> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const below = await Promise.all(
    children
      .split(' ')
      .filter((one) => one !== '')
      .map((one) => usageOf(Number(one))),
  );
  const own = await usageOfOne(pid);
  const all = own === null ? below : [own, ...below];
  return {
    cpuSeconds: all.reduce((sum, one) => sum + one.cpuSeconds, 0),
    memoryMiB: all.reduce((sum, one) => sum + one.memoryMiB, 0),
    processes: all.flatMap((one) => one.processes),
  };
}

const CLOCK_TICKS_PER_SECOND = 100;

async function usageOfOne(pid: number): Promise<Awaited<ReturnType<ElectronApp['usage']>> | null> {
  try {
    const [stat, memory, words] = await Promise.all(
      ['stat', 'smaps_rollup', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8')),
    );
    // After the name, which may hold anything: state is the first, utime the twelfth, stime the thirteenth.
    const fields = stat!.slice(stat!.lastIndexOf(')') + 2).split(' ');
    const type = /--type=([a-z-]+)/.exec(words!)?.[1] ?? (words!.includes('ffmpeg') ? 'ffmpeg' : 'main');
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND,
      memoryMiB: Number(/^Pss:\s+(\d+) kB/m.exec(memory!)?.[1] ?? 0) / 1024,
      processes: [type],
    };
  } catch {
    return null; // it has just ended
  }
}
