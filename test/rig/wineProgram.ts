// The built program as a Windows program: Node for Windows under Wine, on the display of the test, in the prefix that
// wineSetup.ts has made. Its stdout goes to a file, because libuv cannot use Wine's end of a Unix pipe.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readdirSync, watch } from 'node:fs';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { windowsNodePath } from '../../scripts/windows.mjs';
import { endWithUs, findTool } from './process.ts';
import type { Program, ProgramHost, ProgramOptions } from './program.ts';
import { connectInSession, onDrive, winePrefix, wineSession } from './wine.ts';

const program = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));

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
  const [out, err] = [join(folder, 'out'), join(folder, 'err')];
  const [command = '', ...words] = [
    ...options.wrapper,
    ...[session.loader, windowsNodePath(), onDrive(program)],
    ...options.args,
  ];
  const files = [openSync(out, 'w'), openSync(err, 'w')];
  const child = spawn(command, words, {
    stdio: ['ignore', ...files],
    env: { ...session.environment, ...options.environment },
  });
  endWithUs(child);
  for (const file of files) closeSync(file);
  let kept: { out: string; err: string } | null = null;
  const exited = once(child, 'exit').then(async ([code]: unknown[]) => {
    kept = { out: readFileSync(out, 'utf8'), err: readFileSync(err, 'utf8') };
    await rm(folder, { recursive: true, force: true });
    return code as number | null;
  });
  return {
    pid: () => Promise.resolve(child.pid ?? 0),
    stdout: () => kept?.out ?? readFileSync(out, 'utf8'),
    stderr: () => kept?.err ?? readFileSync(err, 'utf8'),
    said: (pattern) => inFile(child, out, pattern),
    exited,
    kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (signal === 'SIGTERM') pressCtrlC(child.pid ?? 0);
      else child.kill(signal);
    },
  };
}

/**
 * Ctrl+C, which is how Windows asks a console program to end: it has no SIGTERM. Wine makes it from a SIGINT, in a signal
 * handler that starts a thread and so allocates memory. On the main thread that handler deadlocks when it interrupts the
 * fork of a child, because fork holds the allocator's lock; a terminal's Ctrl+C also reaches the fork itself, which then
 * never becomes the child. So another thread gets the signal: tgkill(2), 234 on x86-64, which Node does not have.
 */
function pressCtrlC(pid: number): void {
  const thread = readdirSync(`/proc/${pid}/task`).find((id) => Number(id) !== pid);
  if (thread === undefined) throw new Error(`Node does not run in process ${pid}: it has one thread.`);
  const perl = findTool(['perl'], 'Install Perl (on Debian: apt install perl-base).');
  const tgkill = 'syscall(234, map { $_ + 0 } @ARGV) == 0 or die "tgkill: $!\\n"';
  const sigint = String(constants.signals.SIGINT);
  const { status, stderr } = spawnSync(perl, ['-e', tgkill, String(pid), thread, sigint], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
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
