// Programs of other users, by numbers that need no account. Only root may start them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './process.ts';

const pageProgram = fileURLToPath(new URL('pageProcess.mjs', import.meta.url));

/** null where tests may start programs of other users. */
export function whyNoOtherUsers(): string | null {
  if (process.platform !== 'linux') return 'only tried on Linux';
  return process.getuid?.() === 0 ? null : 'only root may start programs of other users';
}

/** Words that run a program as this user. */
export function asUser(uid: number): string[] {
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
}

/** A folder of that user's, and the way to remove it. */
export async function homeOf(uid: number): Promise<{ home: string; remove(): Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-user-'));
  await chown(home, uid, uid);
  return { home, remove: () => rm(home, { recursive: true, force: true }) };
}

export interface PageResult {
  readonly refused?: number;
  readonly body?: string;
  readonly replies?: readonly { readonly ok: boolean; readonly error?: { readonly code: string } }[];
  readonly sent?: boolean;
  /** Of the connection. */
  readonly error?: string;
}

/** A page of that user (pageProcess.mjs), until its last reply. */
export async function pageOf(
  uid: number,
  port: number,
  origin: string,
  frames: readonly string[],
): Promise<PageResult> {
  return JSON.parse(
    await outputOf(uid, process.execPath, [pageProgram, String(port), origin, ...frames]),
  ) as PageResult;
}

/** What a program of that user prints. */
export async function outputOf(uid: number, command: string, args: readonly string[]): Promise<string> {
  const child = spawn(command, args, { uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
  endWithUs(child);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${command} of user ${uid} ended with ${String(code)}: ${text}`);
  return text;
}
