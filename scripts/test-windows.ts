// `npm run test:windows`: the program as a Windows program, under Wine (docs/windows.md). Arguments go to vitest.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'windows'];
const { status } = spawnSync(process.execPath, [...words, ...process.argv.slice(2)], {
  stdio: 'inherit',
  cwd: root,
});
process.exit(status ?? 1);
