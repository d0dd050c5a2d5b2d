#!/usr/bin/env node
// Makes sure that win32-x64/sightline-desk.exe is there and is what its sources say. It must never leave half a program.
//
//   node resources/desk/build.mjs     the program's path on stdout
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const compiler = 'x86_64-w64-mingw32-gcc';
const options = [
  '-std=c11',
  '-Os',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-s',
  '-static',
  '-Wl,--no-insert-timestamp',
];
const sources = ['desk.c', 'peers.c'];
const headers = ['peers.h'];
const libraries = ['-liphlpapi', '-lws2_32'];

/** What the program is made from: build-info.json beside it says which that was. */
export function deskRecipe(from = folder) {
  const hash = createHash('sha256').update([...options, ...libraries].join(' '));
  for (const name of [...sources, ...headers]) {
    // Git writes other line ends on Windows.
    hash.update(readFileSync(join(from, name), 'utf8').replaceAll('\r\n', '\n'));
  }
  return hash.digest('hex');
}

/** @returns its path @throws Error that says what to do next */
export function ensureDesk({ log }) {
  const out = join(folder, 'win32-x64');
  const program = join(out, 'sightline-desk.exe');
  const info = join(out, 'build-info.json');
  const recipe = deskRecipe();
  const old = readInfo(info);
  if (existsSync(program) && old?.recipe === recipe && old.sha256 === sumOf(program)) return program;
  mkdirSync(out, { recursive: true });
  const partial = `${program}.${process.pid}`;
  log(`building ${program}`);
  const { status, error } = spawnSync(compiler, [...options, '-o', partial, ...sources, ...libraries], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) {
    const why = error
      ? `${compiler} is not there (on Debian: apt install gcc-mingw-w64-x86-64)`
      : 'its words are above';
    throw new Error(`Building ${program} failed: ${why}.`);
  }
  renameSync(partial, program);
  writeFileSync(info, `${JSON.stringify({ recipe, sha256: sumOf(program) })}\n`);
  return program;
}

function sumOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function readInfo(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${ensureDesk({ log: (line) => process.stderr.write(`desk: ${line}\n`) })}\n`);
  } catch (error) {
    process.stderr.write(`desk: ${error.message}\n`);
    process.exitCode = 1;
  }
}
