// The patches of ffmpeg's recipe: part of the hash of the platforms that name them, and a build ends where one does not fit.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
// @ts-expect-error -- the build is plain JavaScript
import * as build from '../../../resources/ffmpeg/build.mjs';
// @ts-expect-error -- and so is its recipe
import * as recipe from '../../../resources/ffmpeg/recipe.mjs';

const { patched } = build as {
  patched: (tarball: string, patches: readonly string[], scratch: string, name: string) => Promise<string>;
};
const { loadRecipe } = recipe as { loadRecipe: (platform: string) => { patches: Record<string, string[]> } };

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sightline-recipe-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What `recipe.mjs` says in a copy of the folder that was changed. */
function hashesWith(change: (folder: string) => void): Record<string, string> {
  const folder = newFolder();
  for (const name of ['recipe.mjs', 'recipe.json', 'build.sh', 'patches'])
    cpSync(join('resources/ffmpeg', name), join(folder, name), { recursive: true });
  change(folder);
  const script = `import { loadRecipe } from ${JSON.stringify(join(folder, 'recipe.mjs'))};
    console.log(JSON.stringify(Object.fromEntries(['linux-x64', 'win32-x64'].map((one) => [one, loadRecipe(one).hash]))));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
  ) as Record<string, string>;
}

const patchFiles = Object.values(loadRecipe('linux-x64').patches)
  .flat()
  .map((path) => basename(path));

it('every patch changes the hash', () => {
  const before = hashesWith(() => undefined);
  for (const patch of patchFiles) {
    const after = hashesWith((folder) => writeFileSync(join(folder, `patches/${patch}`), 'another'));
    const changed = Object.keys(before).filter((platform) => after[platform] !== before[platform]);
    expect(changed, patch).toEqual(['linux-x64', 'win32-x64']);
  }
});

it('every patch in the folder is applied', () => {
  expect([...patchFiles].sort()).toEqual(readdirSync('resources/ffmpeg/patches').sort());
});

it('a patch that no longer fits the source ends the build', async () => {
  const scratch = newFolder();
  const source = join(scratch, 'ffmpeg-9/libavdevice');
  const patch = join(process.cwd(), 'resources/ffmpeg/patches/gdigrab-no-captureblt.patch');
  // The lines that the patch expects, at their place.
  const lines = readFileSync(patch, 'utf8')
    .split('\n')
    .filter((line) => /^[ -](?!-- )/.test(line))
    .map((line) => line.slice(1));
  const file = [...Array.from({ length: 629 }, (_, index) => `/* ${index} */`), ...lines, ''].join('\n');
  const apply = async (text: string): Promise<string> => {
    rmSync(join(scratch, 'ffmpeg-9'), { recursive: true, force: true });
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'gdigrab.c'), text);
    execFileSync('tar', ['-cf', join(scratch, 'ffmpeg.tar'), '-C', scratch, 'ffmpeg-9']);
    const into = newFolder();
    const tarball = await patched(join(scratch, 'ffmpeg.tar'), [patch], into, 'ffmpeg');
    return execFileSync('tar', ['-xOf', tarball, 'patched/libavdevice/gdigrab.c'], { encoding: 'utf8' });
  };
  const result = await apply(file);
  expect(result).toContain('clip_rect.top, SRCCOPY)) {');
  expect(result).not.toContain('CAPTUREBLT');
  await expect(
    apply(file.replace('SRCCOPY | CAPTUREBLT', 'SRCCOPY | CAPTUREBLT | NOMIRRORBITMAP')),
  ).rejects.toThrow(/patch/);
});
