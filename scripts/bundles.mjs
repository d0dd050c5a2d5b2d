// What esbuild makes of our sources: main process and headless program as ES modules for Node, the preload scripts as the
// CommonJS files that sandboxed windows load, the renderer for the browser, the page side as one ES module and one classic
// script. Packages stay outside: they are found in
// node_modules, here as in the installed app.

import { fileURLToPath } from 'node:url';

const common = {
  absWorkingDir: fileURLToPath(new URL('..', import.meta.url)),
  bundle: true,
  sourcemap: true,
  // The maps are packed, for the stacks of crash reports, which need places only.
  sourcesContent: false,
  logLevel: 'warning',
};
const node = { ...common, platform: 'node', target: 'node20.19' };

/** The page side, for any page's browser. */
const page = {
  ...common,
  outdir: 'dist/ccp',
  platform: 'browser',
  target: ['chrome120', 'firefox128', 'safari17'],
  minify: true,
  sourcesContent: true,
  banner: { js: '/* Sightline page side, Apache-2.0 */' },
};

/** Most by folder under dist. */
export const bundles = {
  main: {
    ...node,
    entryPoints: ['main/headless.ts', 'main/index.ts'],
    outdir: 'dist/main',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
  },
  preload: {
    ...node,
    entryPoints: ['preload/index.ts', 'preload/indicator.ts'],
    outdir: 'dist/preload',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    external: ['electron'],
  },
  renderer: {
    ...common,
    entryPoints: [
      'index.ts',
      'indicator.ts',
      'index.html',
      'indicator.html',
      'style.css',
      'indicator.css',
    ].map((name) => `renderer/${name}`),
    outdir: 'dist/renderer',
    loader: { '.html': 'copy', '.css': 'copy' },
    platform: 'browser',
    target: 'chrome120',
    format: 'esm',
  },
  // What `sightline review` and `sightline verify` load; beside it the page (review/page/vite.config.ts).
  review: {
    ...node,
    entryPoints: { server: 'review/server/index.ts', verify: 'review/server/verify/verifyLibrary.ts' },
    outdir: 'dist/review',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    packages: 'external',
  },
  ccp: {
    ...page,
    entryPoints: { 'sightline-ccp': 'ccp/src/index.ts' },
    outExtension: { '.js': '.mjs' },
    format: 'esm',
  },
  ccpClassic: {
    ...page,
    entryPoints: { 'sightline-ccp': 'ccp/src/classic.ts' },
    format: 'iife',
    globalName: 'Sightline',
  },
  // For Lambda on Node 22, which has the AWS SDK's clients; everything else is inside.
  cloud: {
    ...node,
    entryPoints: Object.fromEntries(
      ['broker', 'relay', 'location', 'link'].map((name) => [`${name}/index`, `cloud/${name}/index.ts`]),
    ),
    outdir: 'dist/cloud',
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    external: ['@aws-sdk/client-*'],
    minify: true,
  },
};
