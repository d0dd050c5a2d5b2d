// The folder of the app with Electron 9.4.1 for Windows, laid out as electron-builder's release/win-unpacked is, but for
// app.asar, which is a folder here.
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addWindowsHelper } from '../../../scripts/installer/headlessApp.ts';
import { buildForElectron9 } from './build.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** @param electron as scripts/electron9.mjs has fetched it @param app is not there yet */
export async function makeElectronAppForWindows(electron: string, app: string): Promise<void> {
  await cp(electron, app, { recursive: true });
  await rename(join(app, 'electron.exe'), join(app, 'Sightline.exe'));
  await rename(join(app, 'LICENSE'), join(app, 'LICENSE.electron.txt'));
  await rm(join(app, 'resources/default_app.asar'));
  const built = join(app, 'resources/app');
  await buildForElectron9(built);
  // Beside it, as an installer puts them.
  await rm(join(built, 'resources'), { recursive: true });
  const resources = join(app, 'resources');
  await mkdir(join(resources, 'ffmpeg'), { recursive: true });
  await cp(join(root, 'resources/ffmpeg/win32-x64'), join(resources, 'ffmpeg/win32-x64'), {
    recursive: true,
  });
  for (const name of ['slates', 'icons'])
    await cp(join(root, 'resources', name), join(resources, name), { recursive: true });
  await cp(join(root, 'LICENSE'), join(resources, 'LICENSE'));
  addWindowsHelper(app);
}
