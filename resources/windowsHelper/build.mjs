#!/usr/bin/env node
// Builds win32-x64/sightline-helper.exe unless it is up to date. It must never leave a partial program.
//
//   node resources/windowsHelper/build.mjs     prints the program's path
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
const sources = ['main.c', 'answers.c', 'monitors.c', 'peers.c', 'protect.c', 'registry.c', 'session.c'];
const headers = ['helper.h'];
const libraries = ['-lcrypt32', '-liphlpapi', '-lws2_32', '-lwtsapi32'];

/** Identifies sources and options. build-info.json next to the program has the one that it was built from. */
export function windowsHelperRecipe(from = folder) {
  const hash = createHash('sha256').update([...options, ...libraries].join(' '));
  for (const name of [...sources, ...headers]) {
    // Git checks out other line endings on Windows.
    hash.update(readFileSync(join(from, name), 'utf8').replaceAll('\r\n', '\n'));
  }
  return hash.digest('hex');
}

/** @returns its path @throws Error that says what to do next */
export function ensureWindowsHelper({ log }) {
  const out = join(folder, 'win32-x64');
  const program = join(out, 'sightline-helper.exe');
  const info = join(out, 'build-info.json');
  const recipe = windowsHelperRecipe();
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
      ? `${compiler} is not installed (on Debian: apt install gcc-mingw-w64-x86-64)`
      : 'see its output above';
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
    process.stdout.write(
      `${ensureWindowsHelper({ log: (line) => process.stderr.write(`Windows helper: ${line}\n`) })}\n`,
    );
  } catch (error) {
    process.stderr.write(`Windows helper: ${error.message}\n`);
    process.exitCode = 1;
  }
}
