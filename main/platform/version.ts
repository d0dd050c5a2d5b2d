// The version of the app, from the one place where it is written.

import { arch, platform, release } from 'node:os';
import manifest from '../../package.json' with { type: 'json' };

export const appVersion: string = manifest.version;

/** For example `linux 6.1.0 x64`, `win32 10.0.22631 x64`. */
export function osName(): string {
  return `${platform()} ${release()} ${arch()}`;
}

/** What support asks for first. */
export function versions(): { name: string; version: string }[] {
  const { electron = '', chrome = '', node = '' } = process.versions as Partial<Record<string, string>>;
  return [
    { name: 'Sightline', version: appVersion },
    { name: 'Electron', version: electron },
    { name: 'Chromium', version: chrome },
    { name: 'Node', version: node },
    { name: 'System', version: osName() },
  ];
}
