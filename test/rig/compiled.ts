// Small C programs and libraries of the tests' own, compiled when they are needed.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { findTool, runOrThrow } from './process.ts';

const HINT = 'Install a C compiler (on Debian: apt install gcc), or run `npm run setup`.';

/** @returns the path of what was made, in `folder` */
export async function compileC(source: string, folder: string, ...flags: string[]): Promise<string> {
  const made = join(folder, `made-${randomBytes(4).toString('hex')}`);
  await runOrThrow(findTool(['cc', 'gcc'], HINT), ['-O1', '-Wall', '-o', made, ...flags, source]);
  return made;
}
