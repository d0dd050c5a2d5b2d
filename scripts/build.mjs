// Bundles our TypeScript into dist/ with esbuild: main process and headless program as ES modules for Node, the preload
// as the one CommonJS file that a sandboxed window may load, the renderer for the browser. Packages stay outside: they
// are found in node_modules, here as in the installed app.

import { build } from 'esbuild';
import { chmod, cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const common = { absWorkingDir: root, bundle: true, sourcemap: true, logLevel: 'warning' };

await rm(dist, { recursive: true, force: true });
await mkdir(join(dist, 'renderer'), { recursive: true });
await Promise.all([
  build({
    ...common,
    entryPoints: ['main/headless.ts', 'main/index.ts'],
    outdir: 'dist/main',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    packages: 'external',
  }),
  build({
    ...common,
    entryPoints: ['preload/index.ts', 'preload/indicator.ts'],
    outdir: 'dist/preload',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    external: ['electron'],
  }),
  build({
    ...common,
    entryPoints: ['renderer/index.ts', 'renderer/indicator.ts'],
    outdir: 'dist/renderer',
    platform: 'browser',
    target: 'chrome120',
    format: 'esm',
  }),
]);
await cp(join(root, 'renderer/index.html'), join(dist, 'renderer/index.html'));
await cp(join(root, 'renderer/style.css'), join(dist, 'renderer/style.css'));
for (const file of ['indicator.html', 'indicator.css'])
  await cp(join(root, 'renderer', file), join(dist, 'renderer', file));
await chmod(join(dist, 'main/headless.mjs'), 0o755);
