// The proxy that the system's settings name, where programs other than a shell's look for it.

import type { RunTool } from './runTool.ts';

const INTERNET_SETTINGS = 'HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings';

/** In words; null: none, or not known. */
export async function readSystemProxy(platform: NodeJS.Platform, run: RunTool): Promise<string | null> {
  const said = (command: string, ...args: string[]): Promise<string> => run(command, args).catch(() => '');
  switch (platform) {
    case 'win32':
      return parseInternetSettings(await said('reg', 'query', INTERNET_SETTINGS));
    case 'darwin':
      return parseScutil(await said('scutil', '--proxy'));
    default: {
      const mode = (await said('gsettings', 'get', 'org.gnome.system.proxy', 'mode')).trim();
      return /^'(manual|auto)'$/.test(mode) ? `GNOME's proxy setting is ${mode.slice(1, -1)}` : null;
    }
  }
}

export function parseInternetSettings(output: string): string | null {
  const value = (name: string): string | undefined =>
    new RegExp(`^\\s+${name}\\s+REG_\\w+\\s+(.+?)\\s*$`, 'm').exec(output)?.[1];
  const script = value('AutoConfigURL');
  const server = value('ProxyServer');
  if (value('ProxyEnable') === '0x1' && server !== undefined) return `Windows' proxy is ${server}`;
  return script === undefined ? null : `Windows' proxy script is ${script}`;
}

export function parseScutil(output: string): string | null {
  const value = (name: string): string | undefined =>
    new RegExp(`^\\s*${name} : (.+)$`, 'm').exec(output)?.[1];
  if (value('HTTPSEnable') === '1')
    return `macOS' proxy is ${value('HTTPSProxy') ?? '?'}:${value('HTTPSPort') ?? '?'}`;
  if (value('ProxyAutoConfigEnable') === '1')
    return `macOS' proxy script is ${value('ProxyAutoConfigURLString') ?? '?'}`;
  return null;
}
