// Bundles our TypeScript into dist/ (scripts/bundles.mjs).

import { build } from 'esbuild';
import { chmod, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundles } from './bundles.mjs';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
await rm(dist, { recursive: true, force: true });
await Promise.all(Object.values(bundles).map((options) => build(options)));
await chmod(`${dist}/main/headless.mjs`, 0o755);
