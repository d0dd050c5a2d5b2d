import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AUTOSTART_FILE, desktopEntry, setAutostart } from '../../../main/platform/autostart.ts';
import { temporaryFolder } from '../support/folders.ts';

function fakeApp() {
  const told: boolean[] = [];
  return {
    told,
    setLoginItemSettings: ({ openAtLogin }: { openAtLogin: boolean }) => void told.push(openAtLogin),
  };
}

describe('starting with the session', () => {
  it('is a file of the desktop on Linux, written once and taken away again', async () => {
    const home = await temporaryFolder();
    const file = join(home, '.config', 'autostart', AUTOSTART_FILE);
    const app = fakeApp();
    const options = {
      platform: 'linux',
      program: '/opt/Sightline/sightline',
      app,
      environment: {},
      home,
    } as const;
    await setAutostart({ ...options, wanted: true });
    expect(await readFile(file, 'utf8')).toContain('\nExec="/opt/Sightline/sightline"\n');
    const { mtimeMs } = await stat(file);
    await setAutostart({ ...options, wanted: true });
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    await setAutostart({ ...options, wanted: false });
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await setAutostart({ ...options, wanted: false });
    expect(app.told).toEqual([]);
  });

  it.each(['win32', 'darwin'] as const)('is a login item on %s', async (platform) => {
    const app = fakeApp();
    for (const wanted of [true, false]) await setAutostart({ wanted, platform, program: 'x', app });
    expect(app.told).toEqual([true, false]);
  });

  it('names a program whatever is in its path', () => {
    expect(desktopEntry('/home/a b/100% $x.AppImage')).toContain('Exec="/home/a b/100%% \\\\$x.AppImage"\n');
  });
});
