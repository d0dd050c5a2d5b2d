// The recipe for one platform and its hash, read from recipe.json, patches/ and build.sh.
// It must never look at this host: the same checkout gives the same hash everywhere.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const recipeDir = dirname(fileURLToPath(import.meta.url));
export const buildScript = join(recipeDir, 'build.sh');

/** Throws an Error naming the platforms there are if `platform` is not one of them. */
export function loadRecipe(platform) {
  const all = JSON.parse(readFileSync(join(recipeDir, 'recipe.json'), 'utf8'));
  const own = Object.hasOwn(all.platforms, platform) ? all.platforms[platform] : undefined;
  if (!own) {
    const known = Object.keys(all.platforms).join(' or ');
    throw new Error(
      `There is no ffmpeg recipe for ${platform}, only for ${known}. Name one of these, or install an ffmpeg with ` +
        'libopenh264 by other means and point the policy ffmpegPath at it.',
    );
  }
  const configure = [...all.configure, ...own.configure];
  const patches = Object.fromEntries(
    Object.entries(all.patches).map(([source, names]) => [
      source,
      names.map((name) => join(recipeDir, 'patches', name)),
    ]),
  );
  return {
    platform,
    binary: own.binary,
    configure,
    patches,
    sources: all.sources,
    debianSuites: all.debianSuites,
    licence: all.licence,
    apt: own.apt,
    tools: own.tools,
    licenceTexts: own.licenceTexts,
    hash: hashOf(platform, configure, all.sources, patches),
  };
}

// Everything that decides the binary and is in our hands; the host's compiler and libxcb are not, see README.md.
function hashOf(platform, configure, sources, patchFiles) {
  const script = textOf(buildScript);
  const pins = Object.entries(sources).map(([id, { version, files }]) => [
    id,
    version,
    files.map((f) => f.sha256),
  ]);
  const patches = Object.entries(patchFiles).map(([source, files]) => [source, ...files.map(textOf)]);
  return createHash('sha256')
    .update(JSON.stringify({ platform, configure, pins, script, patches }))
    .digest('hex');
}

const textOf = (path) => readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
