// Bundles our TypeScript into dist/ (scripts/bundles.mjs, scripts/reviewPage.mjs), and makes dist/ccp the package @sightline/ccp, with its types.

import { generateDtsBundle } from 'dts-bundle-generator';
import { build } from 'esbuild';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundles } from './bundles.mjs';
import { buildReviewPage } from './reviewPage.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = `${root}/dist`;
await rm(dist, { recursive: true, force: true });
await mkdir(`${dist}/ccp`, { recursive: true });
await Promise.all([
  ...Object.values(bundles).map((options) => build(options)),
  buildReviewPage(),
  manifest(),
  types(),
]);
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
  const [text] = generateDtsBundle(
    [
      {
        filePath: `${root}/ccp/src/index.ts`,
        output: { noBanner: true, exportReferencedTypes: false, umdModuleName: 'Sightline' },
      },
    ],
    { preferredConfigPath: `${root}/ccp/tsconfig.json` },
  );
  await writeFile(`${dist}/ccp/sightline-ccp.d.ts`, text);
}
