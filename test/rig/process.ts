// Child processes for the rig: find a tool on PATH, run it to its end, and make sure that nothing outlives us.
import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of `names` found on PATH; throws with `hint` (what to install) if none is. */
export function findTool(names: readonly string[], hint: string): string {
  const found = findOptionalTool(names);
  if (!found) throw new Error(`none of ${names.join(', ')} is on PATH. ${hint}`);
  return found;
}

/** As findTool, for a tool one can do without. */
export function findOptionalTool(names: readonly string[]): string | undefined {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}

export const FFMPEG_HINT = 'Install a full ffmpeg (on Debian: apt install ffmpeg).';

export interface RunResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

/** Runs a command without a shell until it ends. Rejects only if it could not be started. */
export function run(
  command: string,
  args: readonly string[],
  { input, ...options }: { cwd?: string; env?: NodeJS.ProcessEnv; input?: Uint8Array } = {},
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'pipe' });
    child.stdin.on('error', () => undefined).end(input);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** As run, but any other end than success is an error that shows what the tool said. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: Uint8Array } = {},
): Promise<RunResult> {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    throw new Error(
      `${[command, ...args].join(' ')}\nended with ${result.signal ?? `code ${result.code ?? '?'}`}:\n` +
        result.stderr.slice(-4000),
    );
  }
  return result;
}

const toEnd = new Set<ChildProcess>();

/** Kills the child when this process exits, so that a failed test run leaves nothing behind. */
export function endWithUs(child: ChildProcess): void {
  if (toEnd.size === 0) process.once('exit', killAll);
  toEnd.add(child);
  child.once('exit', () => {
    toEnd.delete(child);
    if (toEnd.size === 0) process.removeListener('exit', killAll);
  });
}

function killAll(): void {
  for (const child of toEnd) child.kill('SIGKILL');
}
