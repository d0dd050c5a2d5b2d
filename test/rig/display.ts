// A private X display for one test, demo or benchmark run: started in one call, gone in one call. It must never
// take a display that somebody else uses, and never outlive the process that asked for it.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import type { Readable } from 'node:stream';
import { endWithUs, findOptionalTool, findTool } from './process.ts';

export interface DisplayOptions {
  /** Screen pixels, 1280 unless told. */
  width?: number;
  /** Screen pixels, 720 unless told. */
  height?: number;
  depth?: number;
  /** Which X server to run; Xvfb, with its one monitor, unless told. */
  server?: XServerKind;
  /** The server runs as another user, by number (root only); as ours unless told. */
  user?: number;
}

/** How to run one kind of X server: Xvfb with its one monitor here, Xorg with several in xorgDummy.ts. */
export interface XServerKind {
  /** Names to look for on PATH. */
  commands: readonly string[];
  /** What to do if there is none. */
  hint: string;
  /** All arguments except the display's number and -displayfd, which startDisplay adds. */
  args(screen: { width: number; height: number; depth: number }): string[];
}

export const xvfb: XServerKind = {
  commands: ['Xvfb'],
  hint: 'Install it (on Debian: apt install xvfb), or run `npm run setup`.',
  args: ({ width, height, depth }) => [
    ...['-screen', '0', `${width}x${height}x${depth}`, '-nolisten', 'tcp', '+extension', 'RANDR'],
    // Without these the server would reset when its last client leaves and go dark after ten minutes.
    ...['-noreset', '-s', '0'],
  ],
};

export interface Display {
  /** `:N`, for DISPLAY and for x11grab. */
  readonly display: string;
  readonly width: number;
  readonly height: number;
  readonly pid: number;
  /** Sends a signal at once (SIGKILL unless told), for tests that want the display to die. */
  kill(signal?: NodeJS.Signals): void;
  /** Ends the server and resolves when it is gone. May be called twice. */
  stop(): Promise<void>;
}

/**
 * Low ones are people's. Xlib, where no X server has the number, tries TCP port 6000 + number: below those that programs are given.
 * A server that selects the number itself (-displayfd alone) takes that of a killed one, whose screen a recorder waits for.
 */
const NUMBERS = [100, 26_000] as const;
const MAX_TRIES = 3;

/** Starts an X server on a display number that nothing else has. Rejects, saying why, if it does not come up within 20 s. */
export async function startDisplay(options: DisplayOptions = {}): Promise<Display> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOn(randomInt(...NUMBERS), options);
    } catch (error) {
      if (tries === MAX_TRIES || !String(error).includes('already active')) throw error;
    }
  }
}

async function startOn(number: number, options: DisplayOptions): Promise<Display> {
  const { width = 1280, height = 720, depth = 24, server = xvfb, user } = options;
  const command = findTool(server.commands, server.hint);
  const display = `:${number}`;
  // The server tells its number on this descriptor once it accepts clients: no polling.
  const args = [display, ...server.args({ width, height, depth }), '-displayfd', '3'];
  // Our exit handler does not run if we are killed; the kernel's parent-death signal works even then.
  const setpriv = findOptionalTool(['setpriv']);
  const child = setpriv
    ? spawn(setpriv, ['--pdeathsig', 'KILL', ...asUser(user), command, ...args], {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      })
    : spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
  endWithUs(child);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  try {
    await ready(child, command);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  return {
    display,
    width,
    height,
    pid: child.pid!,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM');
      // An X server that is stopped (SIGSTOP) or stuck does not hear SIGTERM.
      const impatient = setTimeout(() => child.kill('SIGKILL'), 3000);
      await exited;
      clearTimeout(impatient);
    },
  };
}

function asUser(user: number | undefined): string[] {
  return user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--clear-groups'];
}

function ready(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => {
      clearTimeout(deadline);
      reject(new Error(`${command} ${why}. It said: ${said.trim() || 'nothing'}`));
    };
    const deadline = setTimeout(fail, 20_000, 'did not become ready within 20 s');
    child.stderr!.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
    child.once('error', (error) => fail(`could not be started (${error.message})`));
    // Not 'exit': what it wrote to stderr just before is wanted in the message.
    child.once('close', (code, signal) =>
      fail(`ended with ${signal ?? `code ${code ?? '?'}`} before it was ready`),
    );
    (child.stdio[3] as Readable).once('data', () => {
      clearTimeout(deadline);
      resolve();
    });
  });
}
