// electron-builder calls this before it packs for one platform. A package without our ffmpeg would use any ffmpeg
// on PATH, or not record at all; one without notices may not be distributed. So a missing part ends the release here.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirePerMonitorV2 } from '../resources/ffmpeg/dpiAwareness.mjs';
import { windowsHelperRecipe } from '../resources/windowsHelper/build.mjs';

/** builder-util's Arch, which the context has as a number. */
const archNames = ['ia32', 'x64', 'armv7l', 'arm64', 'universal'];

export default function beforePack({ electronPlatformName, arch, packager }) {
  const root = packager?.projectDir ?? fileURLToPath(new URL('..', import.meta.url));
  checkFfmpeg(root, `${electronPlatformName}-${archNames[arch]}`);
  run(root, [
    'scripts/make-notices.ts',
    '--out',
    'release/THIRD-PARTY-NOTICES.txt',
    '--platform',
    electronPlatformName,
  ]);
  if (electronPlatformName === 'win32') checkWindowsHelper(root);
  if (electronPlatformName === 'win32')
    run(root, ['scripts/make-command-line.ts', '--out', 'release/command-line']);
}

/** Exists and is the one that was built. */
export function checkFfmpeg(root, platform) {
  const folder = join(root, 'resources/ffmpeg', platform);
  const program = join(folder, platform.startsWith('win32') ? 'ffmpeg.exe' : 'ffmpeg');
  if (!existsSync(program) || !existsSync(join(folder, 'build-info.json'))) {
    throw new Error(
      `${program} is missing. Run \`node resources/ffmpeg/build.mjs ${platform}\` first; nothing is packaged without.`,
    );
  }
  const { sha256 } = JSON.parse(readFileSync(join(folder, 'build-info.json'), 'utf8'));
  const found = createHash('sha256').update(readFileSync(program)).digest('hex');
  if (found !== sha256)
    throw new Error(`${program} is not the one that was built (SHA-256 ${found}). Build it again.`);
  if (platform.startsWith('win32')) requirePerMonitorV2(program);
}

/** Exists and was built from these sources. The release's Windows machine has no compiler and downloads it as an artifact. */
export function checkWindowsHelper(root) {
  const folder = join(root, 'resources/windowsHelper');
  const program = join(folder, 'win32-x64/sightline-helper.exe');
  const info = join(folder, 'win32-x64/build-info.json');
  const fix = 'Run `node resources/windowsHelper/build.mjs` first; nothing is packaged without.';
  if (!existsSync(program) || !existsSync(info)) throw new Error(`${program} is missing. ${fix}`);
  const { recipe, sha256 } = JSON.parse(readFileSync(info, 'utf8'));
  if (recipe !== windowsHelperRecipe(folder))
    throw new Error(`${program} was built from other sources. ${fix}`);
  const found = createHash('sha256').update(readFileSync(program)).digest('hex');
  if (found !== sha256)
    throw new Error(`${program} is not the one that was built (SHA-256 ${found}). Build it again.`);
}

function run(root, args) {
  const result = spawnSync(process.execPath, ['--import', 'tsx', ...args], { cwd: root, stdio: 'inherit' });
  if (result.status !== 0) throw new Error(`${args.join(' ')} failed: see its output above.`);
}
