// Makes the Wine prefix of a run of the project `windows` and takes it away at the end. A fresh one takes 6 s and is
// certain to hold nothing of an earlier run.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whyNoWindows } from '../../scripts/windows.mjs';
import { endWine, makeWinePrefix } from './wine.ts';

export default async function setup(): Promise<() => Promise<void>> {
  if (whyNoWindows() !== null) return () => Promise.resolve();
  const folder = await mkdtemp(join(tmpdir(), 'sightline-wineprefix-'));
  const prefix = join(folder, 'prefix');
  process.env.SIGHTLINE_TEST_WINEPREFIX = prefix;
  const remove = async (): Promise<void> => {
    endWine(prefix);
    // What is still ending writes its last.
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 300 });
  };
  try {
    await makeWinePrefix(prefix);
  } catch (error) {
    await remove();
    throw error;
  }
  return remove;
}
