// The patches of ffmpeg's recipe: part of the hash of the platforms that name them, and a build ends where one does not fit.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
// @ts-expect-error -- the build is plain JavaScript
import * as build from '../../../resources/ffmpeg/build.mjs';
// @ts-expect-error -- and so is its recipe
import * as recipe from '../../../resources/ffmpeg/recipe.mjs';

const { patched } = build as {
  patched: (tarball: string, patches: readonly string[], scratch: string) => Promise<string>;
};
const { loadRecipe } = recipe as { loadRecipe: (platform: string) => { patches: string[] } };

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

it('a patch changes the hash of the platforms that name it, and of no other', () => {
  const before = hashesWith(() => undefined);
  for (const [patch, platforms] of [
    ['gdigrab-no-captureblt', ['win32-x64']],
    ['gdigrab-process-speed', ['win32-x64']],
    ['x11grab-shm-mode', ['linux-x64']],
    ['black-stretches', ['linux-x64', 'win32-x64']],
  ] as const) {
    const after = hashesWith((folder) => writeFileSync(join(folder, `patches/${patch}.patch`), 'another'));
    const changed = Object.keys(before).filter((platform) => after[platform] !== before[platform]);
    expect(changed, patch).toEqual(platforms);
  }
});

it('every platform is built with the patch of its grabber', () => {
  const namesOf = (platform: string): string[] => loadRecipe(platform).patches.map((path) => basename(path));
  expect(namesOf('linux-x64')).toEqual(['x11grab-shm-mode.patch', 'black-stretches.patch']);
  expect(namesOf('win32-x64')).toEqual([
    ...['gdigrab-no-captureblt.patch', 'gdigrab-process-speed.patch', 'black-stretches.patch'],
  ]);
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
    const tarball = await patched(join(scratch, 'ffmpeg.tar'), [patch], into);
    return execFileSync('tar', ['-xOf', tarball, 'patched/libavdevice/gdigrab.c'], { encoding: 'utf8' });
  };
  const result = await apply(file);
  expect(result).toContain('clip_rect.top, SRCCOPY)) {');
  expect(result).not.toContain('CAPTUREBLT');
  await expect(
    apply(file.replace('SRCCOPY | CAPTUREBLT', 'SRCCOPY | CAPTUREBLT | NOMIRRORBITMAP')),
  ).rejects.toThrow(/patch/);
});
