// Where things lie on each platform.

import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The user's folder for Sightline's data (Windows known folders, Apple's file system guide, XDG base directories). */
export function defaultDataFolder(
  platform: NodeJS.Platform = process.platform,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  home: string = homedir(),
): string {
  switch (platform) {
    case 'win32':
      return join(environment.LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'Sightline');
    case 'darwin':
      return join(home, 'Library', 'Application Support', 'Sightline');
    default:
      return join(environment.XDG_DATA_HOME ?? join(home, '.local', 'share'), 'sightline');
  }
}

/** The same by the account alone, which no variable of the user's moves. */
export function systemDataFolder(): string {
  return defaultDataFolder(process.platform, {}, accountHome());
}

function accountHome(): string {
  try {
    return userInfo().homedir;
  } catch {
    return homedir(); // an account without an entry, as in containers
  }
}

/** The folder `resources`: above this module, wherever it was built to, or where an installer put it. */
export function findResourcesFolder(from: string = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'resources', 'slates'))) return join(folder, 'resources');
    if (existsSync(join(folder, 'slates'))) return folder;
    if (dirname(folder) === folder)
      throw new Error('The folder "resources" is missing. Reinstall Sightline.');
  }
}
