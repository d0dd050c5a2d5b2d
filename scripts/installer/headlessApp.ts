// The app's folder for Windows without Electron: recorder, ffmpeg, slates, icons, licenses. The installer copies it to
// C:\Program Files\Sightline.
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureWindowsHelper } from '../../resources/windowsHelper/build.mjs';
import { buildBackgroundLauncher } from './nativePrograms.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Everything but the command line, which commandLine.ts adds. */
export function makeHeadlessApp(app: string, version: string, workFolder: string): void {
  const ffmpeg = join(root, 'resources/ffmpeg/win32-x64');
  if (!existsSync(join(ffmpeg, 'ffmpeg.exe'))) {
    throw new Error('resources/ffmpeg/win32-x64 is missing. Run: node resources/ffmpeg/build.mjs win32-x64');
  }
  mkdirSync(join(app, 'resources/icons'), { recursive: true });
  buildBackgroundLauncher({ version, out: join(app, 'Sightline.exe'), workFolder });
  cpSync(ffmpeg, join(app, 'resources/ffmpeg/win32-x64'), { recursive: true });
  addWindowsHelper(app);
  cpSync(join(root, 'resources/slates'), join(app, 'resources/slates'), { recursive: true });
  for (const name of readdirSync(join(root, 'resources/icons')).filter((one) => /\.(png|ico)$/.test(one))) {
    copyFileSync(join(root, 'resources/icons', name), join(app, 'resources/icons', name));
  }
  copyFileSync(join(root, 'LICENSE'), join(app, 'LICENSE'));
}

/** Where main/platform/windowsHelper.ts expects it. */
export function addWindowsHelper(app: string): void {
  const folder = join(app, 'resources/windowsHelper/win32-x64');
  mkdirSync(folder, { recursive: true });
  copyFileSync(ensureWindowsHelper({ log: console.log }), join(folder, 'sightline-helper.exe'));
}
