// Which of the three applies here.

import { runTool } from '../runTool.ts';
import { linuxPeers } from './linux.ts';
import { macPeers } from './mac.ts';
import type { FindPeers } from './peer.ts';
import { WindowsPeers } from './windows.ts';

export interface SystemPeers {
  readonly find: FindPeers;
  close(): void;
}

export function systemPeers(platform: NodeJS.Platform = process.platform): SystemPeers {
  if (platform === 'win32') return new WindowsPeers();
  // -1 is nobody's: where there are no users everybody is refused.
  const uid = process.geteuid?.() ?? -1;
  return {
    find: platform === 'darwin' ? macPeers(uid, runTool) : linuxPeers(uid),
    close: () => undefined,
  };
}
