// Bundles our TypeScript into dist/ (scripts/bundles.mjs), and makes dist/ccp the package @sightline/ccp, with its types.

import { build } from 'esbuild';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { bundles } from './bundles.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}/dist`;
await rm(dist, { recursive: true, force: true });
await mkdir(`${dist}/ccp`, { recursive: true });
await Promise.all([...Object.values(bundles).map((options) => build(options)), manifest(), types()]);
await chmod(`${dist}/main/headless.mjs`, 0o755);

/** With the version, which only the root's package.json has. */
async function manifest() {
  const [own, { version }] = await Promise.all(
    ['ccp/package.json', 'package.json'].map(async (name) =>
      JSON.parse(await readFile(`${root}/${name}`, 'utf8')),
    ),
  );
  await writeFile(`${dist}/ccp/package.json`, `${JSON.stringify({ ...own, version }, null, 2)}\n`);
}

/** One file, without a check: `npm run types` has that. */
async function types() {
  const generator = createRequire(import.meta.url).resolve(
    'dts-bundle-generator/dist/bin/dts-bundle-generator.js',
  );
  await promisify(execFile)(
    process.execPath,
    [
      generator,
      ...['--silent', '--no-check', '--no-banner', '--export-referenced-types=false'],
      ...['--umd-module-name', 'Sightline', '--project', 'ccp/tsconfig.json'],
      ...['--out-file', 'dist/ccp/sightline-ccp.d.ts', 'ccp/src/index.ts'],
    ],
    { cwd: root },
  );
}
