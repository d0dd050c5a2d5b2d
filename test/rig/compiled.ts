// Small C programs and libraries for tests, compiled once for each version of their source.
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTool, runOrThrow } from './process.ts';

const HINT = 'Install a C compiler (on Debian: apt install gcc libc6-dev), or run `npm run setup`.';

/** @returns the path of the result, which later runs use again */
export async function compileC(source: string, ...flags: string[]): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(source))
    .update(flags.join(' '));
  // Private: a program that tests run must not come from another user.
  const folder = join(tmpdir(), `sightline-compiled-${process.getuid?.() ?? 0}`);
  const made = join(folder, hash.digest('hex').slice(0, 16));
  if (await stat(made).catch(() => null)) return made;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const compiler = findTool(['cc', 'gcc', 'clang'], HINT);
  // Renamed when it is complete: several tests may compile the same source at once.
  const partial = `${made}.${randomBytes(4).toString('hex')}`;
  await runOrThrow(compiler, ['-O2', '-Wall', '-o', partial, source, ...flags]);
  await rename(partial, made);
  return made;
}
