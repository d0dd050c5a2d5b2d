// Set-up, then a program: `node scripts/with-setup.mjs <demo|test|bench|soak|installer|msi|start> [script.ts [arguments]]`. Plain JavaScript
// without packages, because on a fresh clone there are none yet. Every step looks first and does nothing where
// nothing is missing; what it may not install itself it says how to install, word for word.

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [purpose, script, ...args] = process.argv.slice(2);

/** Programs (or files) by what needs them, and the Debian packages that carry them. */
const programs = [
  {
    names: ['Xvfb'],
    package: 'xvfb',
    for: ['demo', 'test', 'bench', 'soak', 'installer'],
    system: ['linux'],
  },
  {
    names: ['ffmpeg'],
    package: 'ffmpeg',
    for: ['demo', 'test', 'bench', 'soak', 'installer'],
    why: 'reads finished recordings back',
  },
  {
    names: ['fc-list'],
    package: 'fontconfig',
    for: ['demo', 'test', 'bench', 'soak', 'installer'],
    system: ['linux'],
  },
  { names: ['chromium', 'chromium-browser', 'google-chrome'], package: 'chromium', for: ['test'] },
  // Several monitors that come and go: Xorg with its dummy driver, arranged by xrandr.
  { names: ['Xorg'], package: 'xserver-xorg-core', for: ['test', 'soak'], system: ['linux'] },
  {
    names: ['/usr/lib/xorg/modules/drivers/dummy_drv.so'],
    package: 'xserver-xorg-video-dummy',
    for: ['test', 'soak'],
    system: ['linux'],
  },
  { names: ['xrandr'], package: 'x11-xserver-utils', for: ['test', 'soak'], system: ['linux'] },
  // A system bus of the tests' own, with a login manager on it.
  { names: ['dbus-daemon'], package: 'dbus-daemon', for: ['test'], system: ['linux'] },
  // The MSI: made by wixl and msibuild, its own small programs by mingw, signed by osslsigncode; installed by Wine.
  { names: ['wixl'], package: 'wixl', for: ['msi', 'installer'], system: ['linux'] },
  { names: ['msibuild'], package: 'msitools', for: ['msi', 'installer'], system: ['linux'] },
  { names: ['osslsigncode'], package: 'osslsigncode', for: ['msi', 'installer'], system: ['linux'] },
  {
    names: ['x86_64-w64-mingw32-gcc'],
    package: 'gcc-mingw-w64-x86-64',
    for: ['msi', 'installer'],
    system: ['linux'],
  },
  { names: ['cc'], package: 'gcc', for: ['installer'], system: ['linux'] },
  {
    names: ['wine64', 'wine', '/usr/lib/wine/wine64'],
    package: 'wine64',
    for: ['installer'],
    system: ['linux'],
  },
];
const FONT_PACKAGE = 'fonts-dejavu-core';

try {
  checkNode();
  installPackages();
  installPrograms();
  await buildFfmpeg();
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
  say('installing packages (npm ci)');
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm === undefined ? ['npm'] : [process.execPath, npm];
  const result = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
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
    .filter((one) => !one.names.some((name) => (name.startsWith('/') ? existsSync(name) : isOnPath(name))))
    .map((one) => one.package);
  const draws = !['start', 'msi'].includes(purpose); // the rig's screens are drawn with a font; the app needs none of ours
  if (draws && process.platform === 'linux' && (!isOnPath('fc-list') || !hasFont()))
    missing.push(FONT_PACKAGE);
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

function isOnPath(name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, file)));
}

function hasFont() {
  const result = spawnSync('fc-list', ['DejaVu Sans'], { encoding: 'utf8' });
  return result.status === 0 && result.stdout.trim() !== '';
}

/** Our own ffmpeg with libopenh264. Where no recipe exists the ffmpeg found on PATH records, with a warning. */
async function buildFfmpeg() {
  const platform = `${process.platform}-${process.arch}`;
  if (platform !== 'linux-x64')
    return say(`no ffmpeg recipe for ${platform} on this machine; the one on PATH will be used`);
  const { ensureFfmpeg } = await import('../resources/ffmpeg/build.mjs');
  try {
    await ensureFfmpeg(platform, { log: say });
    if (['installer', 'msi'].includes(purpose)) await ensureFfmpeg('win32-x64', { log: say });
  } catch (error) {
    // Tests and figures are about our own build; the demo and the app can do with another, and say that they do.
    if (['test', 'bench', 'soak', 'installer', 'msi'].includes(purpose)) throw error;
    say(`${error.message}\nset-up: going on with the ffmpeg on PATH, which may lack libopenh264`);
  }
}

function runNode(words, complaint) {
  if (spawnSync(process.execPath, words, { stdio: ['ignore', 2, 2], cwd: root }).status !== 0)
    throw new Error(complaint);
}
