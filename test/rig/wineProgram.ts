// The built program as a Windows program: Node for Windows under Wine, on the display of the test, in the prefix that
// wineSetup.ts has made. Its stdout goes to a file, because libuv cannot use Wine's end of a Unix pipe.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, watch } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { windowsNodePath } from '../../scripts/windows.mjs';
import { endWithUs } from './process.ts';
import type { Program, ProgramHost, ProgramOptions } from './program.ts';
import { connectInSession, onDrive, winePrefix, wineSession } from './wine.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));
/** What a terminal sends for Ctrl+C: Windows knows no SIGTERM, and this is how a console program is asked to end. */
const CTRL_C = '\x03';

export const wineHost: ProgramHost = {
  platform: 'win32',
  path: onDrive,
  url: (path) => new URL(`file:///${onDrive(path).replaceAll('\\', '/')}`).href,
  start,
  async run(options) {
    const running = await start(options);
    const code = await running.exited;
    return { code, stdout: running.stdout(), stderr: running.stderr() };
  },
  connect: connectInSession,
  /** All in the prefix: it is the tests' own, and Wine makes every process a child of init. */
  async ffmpegs() {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const found = await Promise.all(
      pids.map(async (pid) => {
        const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (!words.includes('ffmpeg.exe')) return false;
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
        return environment.split('\0').includes(`WINEPREFIX=${winePrefix()}`);
      }),
    );
    return pids.filter((_, index) => found[index]).map(Number);
  },
};

async function start(options: ProgramOptions): Promise<Program & { stdout(): string }> {
  const session = await wineSession(options.display);
  const folder = await mkdtemp(join(tmpdir(), 'sightline-wine-'));
  const [out, err, pidFile] = ['out', 'err', 'pid'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const words = [...options.wrapper, session.loader, windowsNodePath(), onDrive(program), ...options.args];
  const command = `echo $$ >${quote(pidFile)}; exec ${words.map(quote).join(' ')} >${quote(out)} 2>${quote(err)}`;
  // script(1) gives it a terminal, and with it a console in which Ctrl+C can be pressed.
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...session.environment, ...options.environment },
  });
  endWithUs(child);
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return '';
    }
  };
  let kept: { out: string; err: string } | null = null;
  const exited = once(child, 'exit').then(async ([code]: unknown[]) => {
    kept = { out: read(out), err: read(err) };
    await rm(folder, { recursive: true, force: true });
    // As a shell tells of a signal.
    return typeof code === 'number' && code < 128 ? code : null;
  });
  const pid = async (): Promise<number> => Number((await inFile(child, pidFile, /^\d+\n/))[0]);
  return {
    pid,
    stdout: () => kept?.out ?? read(out),
    stderr: () => kept?.err ?? read(err),
    said: (pattern) => inFile(child, out, pattern),
    exited,
    kill(signal) {
      if (signal === 'SIGTERM')
        pressCtrlC(child, exited, () => process.kill(Number(read(pidFile)), 'SIGKILL'));
      else process.kill(Number(read(pidFile)), signal);
    },
  };
}

/** Longer than the program's own deadline for its end. */
const LOST_KEY_MS = 15_000;

/** Wine's console loses a key now and then when it starts or ends a program: pressed again, and ended by force at last. */
function pressCtrlC(child: ChildProcess, exited: Promise<unknown>, kill: () => void): void {
  child.stdin?.write(CTRL_C);
  const again = setTimeout(() => {
    console.warn('the program did not end within 15 s of Ctrl+C: pressed again');
    child.stdin?.write(CTRL_C);
  }, LOST_KEY_MS);
  const force = setTimeout(() => {
    console.warn('the program did not end within 30 s of Ctrl+C: killed');
    kill();
  }, 2 * LOST_KEY_MS);
  void exited.then(() => {
    clearTimeout(again);
    clearTimeout(force);
  });
}

/** Waits for a match in a file that somebody else writes. Never settles when the program ends without one. */
function inFile(child: ChildProcess, file: string, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    const look = (): void => {
      let text = '';
      try {
        text = readFileSync(file, 'utf8');
      } catch {
        return; // not made yet
      }
      const match = pattern.exec(text);
      if (match === null) return;
      watcher.close();
      resolve(match);
    };
    const watcher = watch(join(file, '..'), look);
    child.once('exit', () => watcher.close());
    look();
  });
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
