// Runs a program to its end. If it fails, the error contains its output.
import { spawnSync } from 'node:child_process';

export interface ToolOptions {
  readonly cwd?: string;
  /** What to do if the program is missing. */
  readonly hint: string;
}

/** Returns its stdout. @throws Error with its output */
export function runTool(command: string, args: readonly string[], { cwd, hint }: ToolOptions): string {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (result.error !== undefined) throw new Error(`${command}: ${result.error.message}. ${hint}`);
  if (result.status !== 0) {
    const how = result.signal ?? `code ${result.status ?? '?'}`;
    throw new Error(`${[command, ...args].join(' ')} ended with ${how}:\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}
