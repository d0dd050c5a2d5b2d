// What this program is: its version, its system, and whether an administrator installed it.

import { arch, platform, release } from 'node:os';
import { SightlineError } from '../shared/errors.ts';
import manifest from '../../package.json' with { type: 'json' };

export const appVersion: string = manifest.version;

/** For example `linux 6.1.0 x64`, `win32 10.0.22631 x64`. */
export function osName(): string {
  return `${platform()} ${release()} ${arch()}`;
}

/** There is code for no other; better no start than a recorder that records nothing. @throws SightlineError CLIENT_UNSUPPORTED_OS */
export function requireSupportedSystem(): void {
  if (platform() === 'win32' || platform() === 'linux') return;
  throw new SightlineError(
    'CLIENT_UNSUPPORTED_OS',
    `Sightline does not support this operating system (${osName()}) and records nothing on it. Use a computer with Windows or Linux.`,
  );
}

declare const SIGHTLINE_INSTALLED: boolean | undefined;

/**
 * Whether this command line is the one that an administrator installed. The installer's build defines the constant
 * (scripts/installer/commandLine.ts), so that nothing at run time changes it. The app has Electron's `app.isPackaged`.
 */
export const isInstalledCommandLine = typeof SIGHTLINE_INSTALLED !== 'undefined' && SIGHTLINE_INSTALLED;

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
