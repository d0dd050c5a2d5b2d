// The user's own settings: a JSON object in the user's configuration folder, for the few keys that a user may set
// (`userMaySet` in keys.ts). What is not valid is ignored with a warning: this file must never stop recording.

import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { errno } from '../shared/errors.ts';

export interface UserSettings {
  readonly values: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

const LARGEST_BYTES = 64 * 1024;

/** The folder of the user's configuration (Windows known folders, Apple's file system guide, XDG base directories). */
export function userSettingsFile(
  platform: NodeJS.Platform = process.platform,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home: string = homedir(),
): string {
  switch (platform) {
    case 'win32':
      return join(environment.APPDATA ?? join(home, 'AppData', 'Roaming'), 'Sightline', 'settings.json');
    case 'darwin':
      return join(home, 'Library', 'Application Support', 'Sightline', 'settings.json');
    default:
      return join(environment.XDG_CONFIG_HOME ?? join(home, '.config'), 'sightline', 'settings.json');
  }
}

export function readUserSettings(path: string = userSettingsFile()): UserSettings {
  const ignored = (why: string): UserSettings => ({
    values: {},
    warnings: [`The user's settings ${path} are ignored: ${why}.`],
  });
  try {
    const stats = statSync(path);
    if (!stats.isFile()) return ignored('it is not a file');
    if (stats.size > LARGEST_BYTES) return ignored(`they are larger than ${LARGEST_BYTES} bytes`);
    const values: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof values === 'object' && values !== null && !Array.isArray(values))
      return { values: values as Record<string, unknown>, warnings: [] };
    return ignored('they are not a JSON object');
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ENOTDIR') return { values: {}, warnings: [] };
    return ignored(String(error));
  }
}
