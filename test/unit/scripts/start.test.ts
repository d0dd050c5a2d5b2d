// `npm start` on a machine that cannot reach Electron's releases.
import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folders.ts';

it('says what failed and what to do where Electron cannot be downloaded, without a stack trace', async () => {
  const empty = await temporaryFolder();
  const { status, stderr } = spawnSync(process.execPath, ['scripts/start.mjs'], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: empty,
      electron_config_cache: empty,
      // Nothing listens there.
      ELECTRON_MIRROR: 'http://127.0.0.1:9/',
      // An Electron of this clone does not count.
      ELECTRON_OVERRIDE_DIST_PATH: empty,
    },
  });
  expect(status).toBe(69);
  expect(stderr).toMatch(/^start: Electron [\d.]+ could not be downloaded: .*Error/m);
  for (const help of [
    'HTTPS_PROXY',
    'ELECTRON_MIRROR=https://<mirror>/',
    `-${process.platform}-${process.arch}.zip (SHA-256 `,
    'ELECTRON_OVERRIDE_DIST_PATH=<folder>',
    'npx sightline serve',
  ])
    expect(stderr).toContain(help);
  expect(stderr).not.toMatch(/^\s+at /m);
}, 60_000);
