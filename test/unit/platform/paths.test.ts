import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultDataFolder, findResourcesFolder } from '../../../main/platform/paths.ts';
import { temporaryFolder } from '../support/folders.ts';

describe('the folder for data', () => {
  const home = join('home', 'anna');

  it.each([
    ['win32', { LOCALAPPDATA: 'D:' }, join('D:', 'Sightline')],
    ['win32', {}, join(home, 'AppData', 'Local', 'Sightline')],
    ['linux', {}, join(home, '.local', 'share', 'sightline')],
    ['linux', { XDG_DATA_HOME: 'data' }, join('data', 'sightline')],
  ] as const)('on %s with %j is %s', (platform, environment, folder) => {
    expect(defaultDataFolder(platform, environment, home)).toBe(folder);
  });
});

describe('the folder of resources', () => {
  it('is found above this source', () => {
    expect(existsSync(join(findResourcesFolder(), 'slates', 'masks.json'))).toBe(true);
  });

  it('is found above a build, however deep, and beside an installed app', async () => {
    const root = await temporaryFolder();
    await mkdir(join(root, 'resources', 'slates'), { recursive: true });
    await mkdir(join(root, 'dist', 'main'), { recursive: true });
    await mkdir(join(root, 'resources', 'app'), { recursive: true });
    expect(findResourcesFolder(join(root, 'dist', 'main'))).toBe(join(root, 'resources'));
    expect(findResourcesFolder(join(root, 'resources', 'app'))).toBe(join(root, 'resources'));
  });

  it('that is nowhere is an error that says what to do', () => {
    expect(() => findResourcesFolder('/')).toThrow('Reinstall Sightline.');
  });
});
