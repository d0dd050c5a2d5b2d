#!/usr/bin/env node
// Makes sure that resources/ffmpeg/<platform>/ holds the ffmpeg that recipe.json describes, from the cache or by
// building it. It must never put a binary in place that does not match the recipe, nor build inside the work tree.
//
//   node resources/ffmpeg/build.mjs [linux-x64|win32-x64]    progress on stderr, the binary's path on stdout
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, homedir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requirePerMonitorV2 } from './dpiAwareness.mjs';
import { ensureBuildTools, hasProgram, run } from './host.mjs';
import { acquireLock } from './lock.mjs';
import { reportProgress } from './progress.mjs';
import { buildScript, loadRecipe, recipeDir } from './recipe.mjs';
import { ensureSources } from './sources.mjs';

const infoFile = 'build-info.json';
const packageDocs = '/usr/share/doc';
const abandonedBuildMs = 24 * 3600 * 1000;

/**
 * Resolves to the path of the ffmpeg for `platform` ("linux-x64" or "win32-x64"), after building it if need be: minutes
 * the first time, milliseconds afterwards. `log` takes progress lines. Rejects with an Error that says what to do next.
 */
export async function ensureFfmpeg(
  platform,
  { log = (line) => process.stderr.write(`ffmpeg: ${line}\n`) } = {},
) {
  const recipe = loadRecipe(platform);
  const placed = join(recipeDir, platform);
  if (!matches(placed, recipe)) {
    const cached = join(cacheRoot(), 'ffmpeg', `${platform}-${recipe.hash.slice(0, 16)}`);
    if (!matches(cached, recipe)) await buildOnce(recipe, cached, log);
    place(cached, placed, recipe);
    log(`put into ${placed}`);
  }
  return join(placed, recipe.binary);
}

function cacheRoot() {
  const { SIGHTLINE_CACHE_DIR, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (SIGHTLINE_CACHE_DIR) return SIGHTLINE_CACHE_DIR;
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'sightline', 'cache');
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'sightline');
}

// The recipe's own build, whole and undamaged.
function matches(dir, recipe) {
  try {
    const info = JSON.parse(readFileSync(join(dir, infoFile), 'utf8'));
    return info.recipeHash === recipe.hash && info.sha256 === sha256Of(join(dir, recipe.binary));
  } catch {
    return false;
  }
}

const sha256Of = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

async function buildOnce(recipe, cached, log) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `ffmpeg for ${recipe.platform} is built on Linux x64 only (a container or WSL will do). Run ` +
        `"node resources/ffmpeg/build.mjs ${recipe.platform}" there, and copy resources/ffmpeg/${recipe.platform}/ here.`,
    );
  }
  const builds = join(cached, '..');
  mkdirSync(builds, { recursive: true });
  const release = await acquireLock(`${cached}.lock`, () => matches(cached, recipe), log);
  if (!release) return;
  try {
    if (!matches(cached, recipe)) await build(recipe, cached, builds, log);
  } finally {
    release();
  }
}

async function build(recipe, cached, builds, log) {
  removeAbandoned(builds);
  const sources = await ensureSources(recipe, join(builds, '..', 'sources'), log);
  await ensureBuildTools(recipe, log);

  const scratch = mkdtempSync(join(builds, `.build-${recipe.platform}-`));
  const logPath = `${cached}.log`;
  const buildLog = createWriteStream(logPath);
  const jobs = availableParallelism();
  const progress = reportProgress(recipe.platform, jobs, log);
  const lastLines = [];
  try {
    const command = [
      'sh',
      buildScript,
      recipe.platform,
      String(jobs),
      await patched(sources.ffmpeg.path, recipe.patches.ffmpeg, scratch, 'ffmpeg'),
      await patched(sources.openh264.path, recipe.patches.openh264, scratch, 'openh264'),
      ...recipe.configure,
    ];
    await run(hasProgram('nice') ? 'nice' : 'env', command, {
      cwd: scratch,
      onLine: (line) => {
        buildLog.write(`${line}\n`);
        progress.line(line);
        lastLines.push(line);
        if (lastLines.length > 15) lastLines.shift();
      },
    });
    const out = join(scratch, 'out');
    if (recipe.platform.startsWith('win32')) requirePerMonitorV2(join(out, recipe.binary));
    describe(recipe, sources, out, log);
    rmSync(cached, { recursive: true, force: true });
    renameSync(out, cached);
    log(`built in ${progress.stop()} s, ${statSync(join(cached, recipe.binary)).size} bytes`);
  } catch (error) {
    if (error.interrupted || matches(cached, recipe)) {
      if (error.interrupted) throw error;
      return; // Another process was quicker.
    }
    throw new Error(
      `Building ffmpeg for ${recipe.platform} failed: ${error.message}. The whole log is ${logPath}; its end:\n` +
        `${lastLines.join('\n')}\nMend what it names (README.md beside the recipe tells how it builds) and run this again.`,
    );
  } finally {
    progress.stop();
    buildLog.end();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * The tarball itself where there is nothing to patch, else another with the patched source, in the scratch folder. Rejects if
 * a patch does not fit exactly.
 */
export async function patched(tarball, patches, scratch, name) {
  if (patches.length === 0) return tarball;
  const source = join(scratch, 'patched');
  const result = join(scratch, `${name}-patched.tar`);
  mkdirSync(source);
  await run('tar', ['-x', '--no-same-owner', '--strip-components=1', '-C', source, '-f', tarball]);
  for (const patch of patches)
    await run('patch', ['--batch', '--fuzz=0', '--strip=1', `--directory=${source}`, `--input=${patch}`]);
  // build.sh strips the first component of every path.
  await run('tar', ['-c', '-C', scratch, '-f', result, 'patched']);
  rmSync(source, { recursive: true });
  return result;
}

// Puts the licence texts of what was linked in, and build-info.json, beside the binary.
function describe(recipe, sources, out, log) {
  const packages = existsSync(packageDocs) ? readdirSync(packageDocs) : [];
  for (const pattern of recipe.licenceTexts) {
    const name = packages.find((candidate) => new RegExp(`^${pattern}$`).test(candidate));
    const text = join(packageDocs, name ?? '', 'copyright');
    if (name && existsSync(text)) copyFileSync(text, join(out, `LICENSE.${name}`));
    else log(`no licence text of ${pattern} on this host; add it before giving the binary to others`);
  }
  const takeText = (name) => {
    const text = readFileSync(join(out, name), 'utf8').trim();
    rmSync(join(out, name));
    return text;
  };
  const info = {
    platform: recipe.platform,
    ffmpegVersion: recipe.sources.ffmpeg.version,
    openh264Version: recipe.sources.openh264.version,
    recipeHash: recipe.hash,
    licence: recipe.licence,
    configure: takeText('configure.txt'),
    compiler: takeText('compiler.txt'),
    sources: Object.values(sources).map(({ name, sha256 }) => ({ name, sha256 })),
    patches: Object.values(recipe.patches)
      .flat()
      .map((path) => basename(path)),
    sha256: sha256Of(join(out, recipe.binary)),
  };
  writeFileSync(join(out, infoFile), `${JSON.stringify(info, null, 2)}\n`);
}

// File by file, each under a temporary name first; build-info.json last, so that half a copy does not match.
function place(cached, placed, recipe) {
  mkdirSync(placed, { recursive: true });
  const names = readdirSync(cached).filter((name) => name !== infoFile);
  for (const name of [...names, infoFile]) {
    const partial = join(placed, `.${name}.${process.pid}`);
    copyFileSync(join(cached, name), partial);
    if (name === recipe.binary) chmodSync(partial, 0o755);
    try {
      renameSync(partial, join(placed, name));
    } catch (error) {
      rmSync(partial, { force: true });
      throw new Error(
        `${join(placed, name)} cannot be replaced (${error.code}). Stop what is using it, then run this again.`,
      );
    }
  }
}

// What a killed build left behind; a running one is far younger.
function removeAbandoned(builds) {
  for (const name of readdirSync(builds)) {
    const path = join(builds, name);
    const isOld = name.startsWith('.build-') && Date.now() - statSync(path).mtimeMs > abandonedBuildMs;
    if (isOld) rmSync(path, { recursive: true, force: true });
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.stdout.write(`${await ensureFfmpeg(process.argv[2] ?? `${process.platform}-${process.arch}`)}\n`);
  } catch (error) {
    process.stderr.write(`ffmpeg: ${error.message}\n`);
    process.exitCode = error.interrupted ? 130 : 1;
  }
}
