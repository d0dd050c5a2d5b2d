// Small C programs and libraries for tests, compiled once for each version of their source.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, runOrThrow } from './process.ts';

const HINT = 'Install a C compiler (on Debian: apt install gcc libc6-dev), or run `npm run setup`.';
const WINDOWS_HINT =
  'Install mingw-w64 (on Debian: apt install gcc-mingw-w64-x86-64), or run `npm run setup`.';

/** @returns the path of the result, which later runs use again */
export function compileC(source: string, ...flags: string[]): Promise<string> {
  return compile(findTool(['cc', 'gcc', 'clang'], HINT), source, flags);
}

/** The same, for Windows. */
export function compileForWindows(source: string, ...flags: string[]): Promise<string> {
  return compile(findTool(['x86_64-w64-mingw32-gcc'], WINDOWS_HINT), source, ['-static', ...flags]);
}

async function compile(compiler: string, source: string, flags: readonly string[]): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .update([compiler, ...flags].join(' '));
  // Private: a program that tests run must not come from another user.
  const folder = join(tmpdir(), `sightline-compiled-${process.getuid?.() ?? 0}`);
  const made = join(folder, hash.digest('hex').slice(0, 16));
  if (await stat(made).catch(() => null)) return made;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Renamed when it is complete: several tests may compile the same source at once.
  const partial = `${made}.${randomBytes(4).toString('hex')}`;
  await runOrThrow(compiler, ['-O2', '-Wall', '-o', partial, source, ...flags]);
  await rename(partial, made);
  return made;
}
