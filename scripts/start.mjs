// `npm start`: the app in Electron. Arguments go to Electron.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ensureElectron } from './electronBinary.mjs';

try {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const { status } = spawnSync(ensureElectron(), [...process.argv.slice(2), root], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} catch (error) {
  process.stderr.write(`start: ${error.message}\n`);
  process.exitCode = 69;
}
