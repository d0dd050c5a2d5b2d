// Set-up, then a program: `node scripts/with-setup.mjs <demo|test|windows|bench|soak|installer|msi|start> [script.ts
// [arguments]]`. Plain JavaScript without packages, because on a fresh clone there are none yet. Every step looks first
// and does nothing where nothing is missing; what it may not install itself it says how to install, word for word.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { currentElectron, fetchElectron9, fetchElectron9ForWindows } from './electron9.mjs';
import { FONT_PACKAGE, programs, windowsPrograms } from './setupPrograms.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [purpose, script, ...args] = process.argv.slice(2);

try {
  checkNode();
  installPackages();
  installPrograms();
  if (purpose === 'test') provideElectron();
  if (purpose === 'installer') provideElectronForWindows();
  await buildFfmpeg();
  if (['test', 'windows', 'installer', 'msi'].includes(purpose)) await prepareWindows();
  runNode([join(root, 'scripts/build.mjs')], 'The build failed.');
} catch (error) {
  process.stderr.write(`set-up: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
if (script !== undefined) {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const result = spawnSync(process.execPath, ['--import', tsx, join(root, script), ...args], {
    stdio: 'inherit',
  });
  process.exit(result.status ?? 1);
}

function say(text) {
  process.stderr.write(`set-up: ${text}\n`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(
      `Node ${process.versions.node} is too old. Install Node 20.19 or newer from https://nodejs.org.`,
    );
  }
}

/** `npm ci`, unless node_modules was made from this very lock file. */
function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.sightline-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    // `npm ci` would empty the folder that it points to, which is somebody else's.
    throw new Error(
      'node_modules is a link and not made from this package-lock.json. Remove the link and try again.',
    );
  }
  say('installing packages (npm ci)');
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  // Where we build our own ffmpeg no install script of others is needed: nobody's code runs before it is asked for.
  const scripts = process.platform === 'linux' ? ['--ignore-scripts'] : [];
  const words = ['ci', ...scripts, '--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(command, [...first, ...words], {
    cwd: root,
    // What is printed belongs to the set-up, not to the program's answer on stdout.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && npm === undefined,
  });
  if (result.status !== 0) throw new Error('`npm ci` failed; its words are above. Mend that and try again.');
  writeFileSync(stamp, lock);
}

function installPrograms() {
  const missing = programs
    .filter((one) => one.for.includes(purpose) && (one.system?.includes(process.platform) ?? true))
    // A demo shows the screen that is there, where there is one.
    .filter((one) => !(one.package === 'xvfb' && purpose === 'demo' && process.env.DISPLAY))
    .filter(isMissing)
    .map((one) => one.package);
  const draws = !['start', 'msi'].includes(purpose); // the rig's screens are drawn with a font; the app needs none of ours
  if (draws && process.platform === 'linux' && (!isOnPath('fc-list') || !hasFont()))
    missing.push(FONT_PACKAGE);
  install(missing);
}

function isMissing({ names }) {
  return !names.some((name) => (name.startsWith('/') ? existsSync(name) : isOnPath(name)));
}

function install(missing) {
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (process.platform !== 'linux' || !isOnPath('apt-get')) {
    throw new Error(`These programs are missing; install them with your system's package manager: ${list}`);
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      `These packages are missing. Run: sudo apt-get update && sudo apt-get install -y ${list}`,
    );
  }
  say(`installing ${list} (apt-get)`);
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (words) =>
    spawnSync('apt-get', words, { stdio: ['ignore', 2, 2], env: environment }).status === 0;
  // The package lists of a fresh machine are empty or old.
  apt(['-qq', 'update']);
  if (!apt(['-qq', '-y', '--no-install-recommends', 'install', ...missing])) {
    throw new Error(`\`apt-get install ${list}\` failed; its words are above. Mend that and try again.`);
  }
}

/** Wine, Node for Windows and our two Windows programs. Whoever cannot have them can run all other tests. */
async function prepareWindows() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  try {
    install(windowsPrograms.filter(isMissing).map((one) => one.package));
    const { ensureWindowsNode } = await import('./windows.mjs');
    ensureWindowsNode({ log: say });
    const { ensureDesk } = await import('../resources/desk/build.mjs');
    ensureDesk({ log: say });
    const { ensureFfmpeg } = await import('../resources/ffmpeg/build.mjs');
    await ensureFfmpeg('win32-x64', { log: say });
  } catch (error) {
    if (purpose !== 'test') throw error;
    say(`${error.message}\nset-up: going on without the tests under Wine`);
  }
}

function isOnPath(name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, file)));
}

function hasFont() {
  const result = spawnSync('fc-list', ['DejaVu Sans'], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.trim() !== '';
}

/** For the app's tests, which are left out, and say so, where there is none. */
function provideElectron() {
  if (currentElectron() !== null || process.platform !== 'linux' || process.arch !== 'x64') return;
  try {
    fetchElectron9(say);
  } catch (error) {
    say(`${error.message}\nset-up: going on without an Electron; the tests of the app are left out`);
  }
}

/** For the MSI with the whole app, whose test is left out, and says so, where there is none. */
function provideElectronForWindows() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  try {
    fetchElectron9ForWindows(say);
  } catch (error) {
    say(`${error.message}\nset-up: going on without an Electron for Windows; its test is left out`);
  }
}

/** Our own ffmpeg with libopenh264. Where no recipe exists the ffmpeg found on PATH records, with a warning. */
async function buildFfmpeg() {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== 'linux-x64')
    return say(`no ffmpeg recipe for ${platform} on this machine; the one on PATH will be used`);
  const { ensureFfmpeg } = await import('../resources/ffmpeg/build.mjs');
  try {
    await ensureFfmpeg(platform, { log: say });
  } catch (error) {
    // Tests and figures are about our own build; the demo and the app can do with another, and say that they do.
    if (['test', 'windows', 'bench', 'soak', 'installer', 'msi'].includes(purpose)) throw error;
    say(`${error.message}\nset-up: going on with the ffmpeg on PATH, which may lack libopenh264`);
  }
}

function runNode(words, complaint) {
  if (spawnSync(process.execPath, words, { stdio: ['ignore', 2, 2], cwd: root }).status !== 0)
    throw new Error(complaint);
}
