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
    expect(await readFile(file, 'utf8')).toContain(
      '\nExec="/opt/Sightline/sightline" --ozone-platform=x11\n',
    );
    const { mtimeMs } = await stat(file);
    await setAutostart({ ...options, wanted: true });
    expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    await setAutostart({ ...options, wanted: false });
    await expect(stat(file)).rejects.toThrow('ENOENT');
    await setAutostart({ ...options, wanted: false });
    expect(app.told).toEqual([]);
  });

  it('is a login item on Windows', async () => {
    const app = fakeApp();
    const registry = () => Promise.resolve(null);
    for (const wanted of [true, false])
      await setAutostart({ wanted, platform: 'win32', program: 'x', app, registry });
    expect(app.told).toEqual([true, false]);
  });

  it('is a login item where the registry cannot be read', async () => {
    const app = fakeApp();
    const registry = () => Promise.reject(new Error('the helper is missing'));
    await setAutostart({ wanted: true, platform: 'win32', program: 'x', app, registry });
    expect(app.told).toEqual([true]);
  });

  it('is left to the MSI where that was installed, and an item of ours is taken away', async () => {
    const app = fakeApp();
    const asked: string[] = [];
    const registry = (key: string) => {
      asked.push(key);
      return Promise.resolve([{ key: '', name: 'Version', type: 1, data: '1.0.0' }]);
    };
    await setAutostart({ wanted: true, platform: 'win32', program: 'x', app, registry });
    expect(app.told).toEqual([false]);
    expect(asked).toEqual(['HKLM\\SOFTWARE\\Sightline\\Installer']);
  });

  it('names a program whatever is in its path', () => {
    expect(desktopEntry('/home/a b/100% $x.AppImage')).toContain('Exec="/home/a b/100%% \\\\$x.AppImage" --');
  });
});
