// Electron's binary, which npm's package downloads from GitHub when it is first needed. Where that is blocked, the error
// says what to do instead of showing the installer's stack trace.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../node_modules/electron', import.meta.url));
const BINARY = { win32: 'electron.exe' };
const OLDEST_NODE_FOR_INSTALLER = 22;

/** The path, or null. Asking the package itself would make it download one. */
export function currentElectron() {
  const file = join(
    process.env.ELECTRON_OVERRIDE_DIST_PATH || join(folder, 'dist'),
    BINARY[process.platform] ?? 'electron',
  );
  return existsSync(file) ? file : null;
}

/** Downloads it if need be. @throws Error that says what failed and what to do */
export function ensureElectron() {
  const present = currentElectron();
  if (present !== null) return present;
  process.stderr.write('set-up: downloading Electron\n');
  const { stderr, error } = spawnSync(process.execPath, [join(folder, 'install.js')], {
    stdio: ['ignore', 2, 'pipe'],
    encoding: 'utf8',
  });
  const downloaded = currentElectron();
  if (downloaded !== null) return downloaded;
  throw new Error(whatToDo(error?.message ?? reasonIn(stderr)));
}

/** The first line that is neither source code nor a frame of the stack. */
function reasonIn(stderr) {
  return /^(?:\w*Error\b.*|Error: .*)$/m.exec(stderr)?.[0] ?? 'the installer gave no reason';
}

function whatToDo(reason) {
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const archive = `electron-v${version}-${process.platform}-${process.arch}.zip`;
  const checksums = JSON.parse(readFileSync(join(folder, 'checksums.json'), 'utf8'));
  const [major] = process.versions.node.split('.').map(Number);
  return [
    `Electron ${version} could not be downloaded: ${reason}`,
    ...(major < OLDEST_NODE_FOR_INSTALLER
      ? [`  Its installer needs Node 22.12 or newer; this is Node ${process.versions.node}.`]
      : []),
    '  Do one of these:',
    '  - Behind a proxy, set ELECTRON_GET_USE_PROXY=true and HTTPS_PROXY=<proxy>, and run this again.',
    '  - With a mirror of its releases, set ELECTRON_MIRROR=https://<mirror>/ (and ELECTRON_CUSTOM_DIR where the folders have',
    '    other names than v<version>) and run this again.',
    `  - Get ${archive} (SHA-256 ${checksums[archive] ?? 'in SHASUMS256.txt'}) from`,
    `    https://github.com/electron/electron/releases/tag/v${version} on another machine, unpack it into a folder, and set`,
    '    ELECTRON_OVERRIDE_DIST_PATH=<folder>.',
    '  - Record without the app: npx sightline serve. It has no window, tray or indicator.',
  ].join('\n');
}
