// Where things lie on each platform.

import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names the folder, and the folder without it: Windows known folders, XDG base directories. */
const variables = {
  win32: { data: ['LOCALAPPDATA', 'AppData/Local'], configuration: ['APPDATA', 'AppData/Roaming'] },
  linux: { data: ['XDG_DATA_HOME', '.local/share'], configuration: ['XDG_CONFIG_HOME', '.config'] },
} as const;

/** Where programs of this user keep such files. An empty variable counts as unset. */
export function baseFolder(
  of: 'data' | 'configuration',
  platform: NodeJS.Platform,
  environment: Environment,
  home: string,
): string {
  const [variable, usual] = variables[platform === 'win32' ? 'win32' : 'linux'][of];
  const folder = environment[variable] ?? '';
  return folder === '' ? join(home, usual) : folder;
}

const nameOn = (platform: NodeJS.Platform): string => (platform === 'win32' ? 'Sightline' : 'sightline');

export function defaultDataFolder(
  platform: NodeJS.Platform = process.platform,
  environment: Environment = process.env,
  home: string = homedir(),
): string {
  return join(baseFolder('data', platform, environment, home), nameOn(platform));
}

export function userSettingsFile(
  platform: NodeJS.Platform = process.platform,
  environment: Environment = process.env,
  home: string = homedir(),
): string {
  return join(baseFolder('configuration', platform, environment, home), nameOn(platform), 'settings.json');
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
