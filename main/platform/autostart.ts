// Whether the app starts when the user signs in: a login item on Windows, through Electron's app (a parameter), and an XDG autostart file on Linux (https://specifications.freedesktop.org/autostart-spec).

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { baseFolder } from './paths.ts';
import type { ReadRegistry } from './windowsHelper.ts';
import { readRegistry } from './windowsHelper.ts';

export interface AutostartOptions {
  readonly wanted: boolean;
  readonly platform: NodeJS.Platform;
  /** The app's own program: `process.execPath`, or the AppImage around it. */
  readonly program: string;
  /** What is used of Electron's App. */
  readonly app: { setLoginItemSettings(settings: { openAtLogin: boolean; args?: string[] }): void };
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly home?: string;
  readonly registry?: ReadRegistry;
}

export const AUTOSTART_FILE = 'app.sightline.Sightline.desktop';
const MSI_KEY = 'HKLM\\SOFTWARE\\Sightline\\Installer';

/** Only for an installed app: a development tree would leave a line behind that starts nothing. */
export async function setAutostart(options: AutostartOptions): Promise<void> {
  const { wanted, platform, program, app } = options;
  if (platform !== 'linux') {
    // The MSI starts Sightline for all users; a login item would start it twice.
    const isByMsi = await isInstalledByMsi(options.registry ?? readRegistry);
    app.setLoginItemSettings({ openAtLogin: wanted && !isByMsi });
    return;
  }
  const { environment = process.env, home = homedir() } = options;
  const file = join(baseFolder('configuration', platform, environment, home), 'autostart', AUTOSTART_FILE);
  if (!wanted) return rm(file, { force: true });
  const text = desktopEntry(program);
  if ((await readFile(file, 'utf8').catch(() => null)) === text) return;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** resources/installer/sightline.wxs writes the key. Where it cannot be read, it counts as absent. */
async function isInstalledByMsi(registry: ReadRegistry): Promise<boolean> {
  const values = await registry(MSI_KEY).catch(() => null);
  return values?.some(({ key, name }) => key === '' && name === 'Version') ?? false;
}

/**
 * https://specifications.freedesktop.org/desktop-entry-spec: Exec is quoted, then escaped once more as a string. With Wayland's own
 * windows the indicator would have neither a place nor the top; Chromium chooses before our code runs.
 */
export function desktopEntry(program: string): string {
  const quoted = `"${program.replaceAll(/["`$\\]/g, (one) => `\\${one}`)}"`;
  const exec = quoted.replaceAll('\\', '\\\\').replaceAll('%', '%%');
  const lines = [
    'Type=Application',
    'Name=Sightline',
    `Exec=${exec} --ozone-platform=x11`,
    'X-GNOME-Autostart-enabled=true',
  ];
  return `[Desktop Entry]\n${lines.join('\n')}\n`;
}
