// Set-up, then a program: `node scripts/with-setup.mjs <demo|demo-ccp|demo-cloud|simulate|test|full|windows|bench|desk|peers|soak|installer|msi|
// start> [script.ts [arguments]]`. Plain JavaScript without packages, because a fresh clone has none yet. Each step does nothing where
// nothing is missing or changed; what it may not install, it says how to install.
//
// A demo with `--quick` takes the ffmpeg that is there instead of building Sightline's own.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { fetchElectron9, fetchElectron9ForWindows } from './electron9.mjs';
import { currentElectron } from './electronBinary.mjs';
import { fetchCfn, fetchMoto, fetchOtlp, fetchS3Mock, s3MockJar } from './s3Stores.mjs';
import {
  firefoxPrograms,
  FONT_PACKAGE,
  programs,
  s3MockPrograms,
  windowsPrograms,
} from './setupPrograms.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [purpose, script, ...args] = process.argv.slice(2);
const purposes = purpose === 'full' ? ['test', 'installer'] : [purpose];
const isFor = (...names) => names.some((name) => purposes.includes(name));

try {
  checkNode();
  // npm waits for the network, the compiler does not.
  const packages = installPackages();
  packages.catch(() => undefined); // reported below
  installPrograms();
  if (isFor('test')) {
    provideElectron();
    provideFirefox();
    provideS3Stores();
  }
  // It is the AWS of the demo.
  if (isFor('demo-cloud')) {
    fetchMoto(say);
    fetchCfn(say);
  }
  if (isFor('installer')) provideElectronForWindows();
  // The simulation records nothing.
  if (!isFor('simulate') && !(isFor('demo', 'demo-ccp', 'demo-cloud') && args.includes('--quick')))
    await buildFfmpeg();
  if (isFor('test', 'windows', 'installer', 'msi')) await prepareWindows();
  await packages;
  buildSources();
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
async function installPackages() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.sightline-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    // `npm ci` would empty the folder that it points to.
    throw new Error(
      'node_modules is a link and not made from this package-lock.json. Remove the link and try again.',
    );
  }
  say('installing packages (npm ci)');
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  // Where we build our own ffmpeg, no package's install script is needed.
  const scripts = process.platform === 'linux' ? ['--ignore-scripts'] : [];
  const options = ['ci', ...scripts, '--no-audit', '--no-fund', '--loglevel=error'];
  const child = spawn(command, [...first, ...options], {
    cwd: root,
    // stdout is for the program's answer.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32' && npm === undefined,
  });
  const [status] = await once(child, 'exit');
  if (status !== 0) throw new Error('`npm ci` failed: see its output above. Fix the cause and try again.');
  writeFileSync(stamp, lock);
}

function installPrograms() {
  const missing = programs
    .filter((one) => isFor(...one.for) && (one.system?.includes(process.platform) ?? true))
    // A demo shows the screen that is there, where there is one.
    .filter(
      (one) => !(one.package === 'xvfb' && isFor('demo', 'demo-ccp', 'demo-cloud') && process.env.DISPLAY),
    )
    .filter(isMissing)
    .map((one) => one.package);
  const draws = !['start', 'msi', 'simulate'].includes(purpose); // the rig's screens are drawn with a font; the app needs none of ours
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
    throw new Error(`\`apt-get install ${list}\` failed: see its output above. Fix the cause and try again.`);
  }
}

/** Wine, Node for Windows and our two Windows programs. All other tests run without them. */
async function prepareWindows() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  try {
    install(windowsPrograms.filter(isMissing).map((one) => one.package));
    const { ensureWindowsNode } = await import('./windows.mjs');
    ensureWindowsNode({ log: say });
    const { ensureWindowsHelper } = await import('../resources/windowsHelper/build.mjs');
    ensureWindowsHelper({ log: say });
    const { ensureFfmpeg } = await import('../resources/ffmpeg/build.mjs');
    await ensureFfmpeg('win32-x64', { log: say });
  } catch (error) {
    if (purpose !== 'test') throw error;
    say(`${error.message}\nset-up: continuing without the tests under Wine`);
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

/** For the app's tests, which are skipped without one. */
function provideElectron() {
  if (currentElectron() !== null || process.platform !== 'linux' || process.arch !== 'x64') return;
  try {
    fetchElectron9(say);
  } catch (error) {
    say(`${error.message}\nset-up: continuing without Electron; the tests of the app are skipped`);
  }
}

/** For the page side's test in a second browser, which is skipped without one. */
function provideFirefox() {
  try {
    install(firefoxPrograms.filter(isMissing).map((one) => one.package));
  } catch (error) {
    say(`${error.message}\nset-up: continuing without Firefox; its test is skipped`);
  }
}

/** The tests with one that is missing are skipped. */
function provideS3Stores() {
  const [java, maven] = s3MockPrograms;
  for (const [name, provide] of [
    ['moto', () => fetchMoto(say)],
    ['cfn-lint', () => fetchCfn(say)],
    ['opentelemetry-proto', () => fetchOtlp(say)],
    [
      'Adobe S3Mock',
      () => {
        // Maven is needed once.
        install((s3MockJar() === null ? [java, maven] : [java]).filter(isMissing).map((one) => one.package));
        fetchS3Mock(say);
      },
    ],
  ]) {
    try {
      provide();
    } catch (error) {
      say(`${error.message}\nset-up: continuing without ${name}; the tests with it are skipped`);
    }
  }
}

/** For the MSI with the whole app, whose test is skipped without one. */
function provideElectronForWindows() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  try {
    fetchElectron9ForWindows(say);
  } catch (error) {
    say(`${error.message}\nset-up: continuing without Electron for Windows; its test is skipped`);
  }
}

/** Our own ffmpeg with libopenh264. Without a recipe the ffmpeg on PATH records, with a warning. */
async function buildFfmpeg() {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== 'linux-x64')
    return say(`no ffmpeg recipe for ${platform} on this machine; the one on PATH will be used`);
  const { ensureFfmpeg } = await import('../resources/ffmpeg/build.mjs');
  try {
    await ensureFfmpeg(platform, { log: say });
  } catch (error) {
    // Tests and figures are about our own build; the demo and the app work with another, and say so.
    if (isFor('test', 'windows', 'bench', 'desk', 'peers', 'soak', 'installer', 'msi')) throw error;
    say(`${error.message}\nset-up: continuing with the ffmpeg on PATH, which may lack libopenh264`);
  }
}

/** Bundles our sources, unless nothing has changed since the last time. */
function buildSources() {
  const stamp = join(root, 'dist', '.built');
  const sources = [
    'main',
    'preload',
    'renderer',
    'ccp',
    'cloud',
    'package.json',
    'scripts/bundles.mjs',
    'scripts/build.mjs',
  ];
  const newest = Math.max(...sources.map((name) => newestChange(join(root, name))));
  if (existsSync(stamp) && statSync(stamp).mtimeMs >= newest) return;
  const build = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], {
    stdio: ['ignore', 2, 2],
    cwd: root,
  });
  if (build.status !== 0) throw new Error('The build failed: see the errors above.');
  writeFileSync(stamp, '');
}

/** Of a file, or of a folder and all below it: a folder changes when an entry comes or goes. */
function newestChange(path) {
  const stats = statSync(path);
  const below = stats.isDirectory() ? readdirSync(path).map((name) => newestChange(join(path, name))) : [];
  return Math.max(stats.mtimeMs, ...below);
}
