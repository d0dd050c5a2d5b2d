// The built program in a process of its own, started by one of three hosts: Node here, on a real
// Windows (windowsProgram.ts), or Node for Windows under Wine (wineProgram.ts) where SIGHTLINE_TEST_HOST says so. Tests see no
// difference but the names of files.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { endWithUs, run } from './process.ts';
import { windowsHost } from './windowsProgram.ts';
import { wineHost } from './wineProgram.ts';
import type { OpenConnection } from './wineRelay.ts';

export const builtProgram = fileURLToPath(new URL('../../dist/main/headless.mjs', import.meta.url));

export interface ProgramOptions {
  readonly args: readonly string[];
  /** `:N`, or null for a program without any. */
  readonly display: string | null;
  readonly environment: Readonly<Record<string, string>>;
  /** Words before the program's, e.g. to run it in a namespace of its own. */
  readonly wrapper: readonly string[];
  /** Another build of the program, by its `headless.mjs`, e.g. to compare two. Not under Windows or Wine. */
  readonly program?: string;
}

export interface Program {
  /** Of this system, whatever the program itself believes. */
  pid(): Promise<number>;
  /** What it has said on stderr so far. */
  stderr(): string;
  /** The first match in what it says on stdout. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM asks it to end, in the way of its system. */
  kill(signal: NodeJS.Signals): void;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramHost {
  readonly platform: 'linux' | 'win32';
  /** How the program names a file of ours. */
  path(path: string): string;
  /** How the program tells of a file of ours as a URL. */
  url(path: string): string;
  start(options: ProgramOptions): Promise<Program>;
  /** Runs it to its end. */
  run(options: ProgramOptions): Promise<ProgramResult>;
  /** A connection to a port of 127.0.0.1, by a program of the system on which the program runs. */
  readonly connect: OpenConnection;
  /** Process ids of the ffmpegs of a recorder that are alive now. */
  ffmpegs(recorderPid: number): Promise<number[]>;
}

export const host: ProgramHost = chooseHost();

function chooseHost(): ProgramHost {
  if (process.platform === 'win32') return windowsHost();
  return process.env.SIGHTLINE_TEST_HOST === 'windows' ? wineHost : nodeHost();
}

function nodeHost(): ProgramHost {
  const words = ({ wrapper, args, display, program = builtProgram }: ProgramOptions): [string, string[]] => {
    const [command = process.execPath, ...rest] = [...wrapper, process.execPath, program, ...args];
    return [command, [...rest, ...(display === null ? [] : ['--display', display])]];
  };
  const environmentOf = ({ environment }: ProgramOptions): NodeJS.ProcessEnv => {
    const { DISPLAY: _, ...inherited } = process.env;
    return { ...inherited, ...environment };
  };
  return {
    platform: 'linux',
    path: (path) => path,
    url: (path) => pathToFileURL(path).href,
    start(options) {
      const child = spawn(...words(options), {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: environmentOf(options),
      });
      endWithUs(child);
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
      return Promise.resolve({
        pid: () => Promise.resolve(child.pid ?? 0),
        stderr: () => stderr,
        said: (pattern) => firstMatch(child, pattern),
        exited: once(child, 'exit').then(([code]: unknown[]) => code as number | null),
        kill: (signal) => void child.kill(signal),
      });
    },
    async run(options) {
      const { code, stdout, stderr } = await run(...words(options), { env: environmentOf(options) });
      return { code, stdout: stdout.toString(), stderr };
    },
    async connect(port) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return socket;
    },
    async ffmpegs(recorderPid) {
      const path = `/proc/${recorderPid}/task/${recorderPid}/children`;
      const text = await readFile(path, 'utf8').catch(() => '');
      return text.trim().split(/\s+/).filter(Boolean).map(Number);
    },
  };
}

export function firstMatch(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match !== null) resolve(match);
    });
  });
}
