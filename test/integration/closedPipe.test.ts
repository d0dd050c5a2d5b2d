// `sightline policy | head -1`: whoever reads no further ends the command line quietly.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

it.each(['policy', 'policy --json', '--help'])(
  'sightline %s into a pipe that nobody reads',
  async (words) => {
    const child = spawn(process.execPath, ['dist/main/headless.mjs', ...words.split(' ')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, SIGHTLINE_ALLOW_LOOPBACK_ORIGINS: 'true' },
    });
    child.stdout.destroy();
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect({ code, said }).toEqual({ code: 0, said: '' });
  },
);
