// Opens an address in the user's default browser. It never fails loudly: whoever has no browser has the address in the terminal.

import { spawn } from 'node:child_process';
import { win32 } from 'node:path';
import { isExecutable } from './runTool.ts';
import { systemFolder } from './windowsHelper.ts';

const XDG_OPEN = ['/usr/bin/xdg-open', '/bin/xdg-open', '/run/current-system/sw/bin/xdg-open'];

/** @param url http or https only. Other users may see it among the program's arguments: whatever it opens must check who asks */
export async function openInBrowser(url: string): Promise<void> {
  if (!/^https?:\/\/[^\s"'&|<>^]+$/.test(url)) throw new Error('not an address');
  const [program, ...args] = await opener(url);
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: 'ignore', detached: true, windowsHide: true });
  child.on('error', () => undefined);
  child.unref();
}

async function opener(url: string): Promise<string[]> {
  switch (process.platform) {
    case 'win32':
      // No shell, which would read the address as a command.
      return [win32.join(await systemFolder(), 'rundll32.exe'), 'url.dll,FileProtocolHandler', url];
    case 'darwin':
      return ['/usr/bin/open', url];
    default: {
      for (const program of XDG_OPEN) if (await isExecutable(program)) return [program, url];
      return [];
    }
  }
}
