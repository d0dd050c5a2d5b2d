// Builds the page of the review tool (review/page) with Vite into dist/review/page: index.html and hashed assets, without
// an inline script or style, which its content security policy forbids.

import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { bundledPackages } from './reviewPackages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** virtua is written for React. */
const preact = {
  react: 'preact/compat',
  'react-dom': 'preact/compat',
  'react/jsx-runtime': 'preact/jsx-runtime',
};

/** @returns how much a browser loads: script and style, packed */
export async function buildReviewPage() {
  const { output } = await build({
    root: `${root}/review/page`,
    base: './',
    configFile: false,
    logLevel: 'warn',
    clearScreen: false,
    resolve: { alias: preact },
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: `${root}/dist/review/page`,
      emptyOutDir: true,
      target: ['chrome120', 'firefox128', 'safari17'],
      // light-dark(); older browsers would have one set of colors for both.
      cssTarget: ['chrome123', 'firefox128', 'safari17.5'],
      // Every asset is a separate file: the policy does not allow `data:`.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      sourcemap: true,
      rollupOptions: {
        output: { sourcemapExcludeSources: true },
        onwarn(warning, warn) {
          // virtua says "use client", for React's server components.
          if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
        },
      },
      reportCompressedSize: false,
    },
    plugins: [{ name: 'sightline-packages', generateBundle: (_options, bundle) => checkPackages(bundle) }],
  });
  const sizes = output
    .filter(({ fileName }) => /\.(js|css)$/.test(fileName))
    .map((file) => gzipSync(file.type === 'chunk' ? file.code : file.source).length);
  return { gzipBytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function checkPackages(bundle) {
  const found = new Set();
  for (const chunk of Object.values(bundle)) {
    for (const id of chunk.type === 'chunk' ? chunk.moduleIds : []) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
      if (name !== undefined) found.add(name);
    }
  }
  const missing = [...found].filter((name) => !bundledPackages.includes(name));
  const unused = bundledPackages.filter((name) => !found.has(name));
  if (missing.length + unused.length > 0) {
    throw new Error(
      `scripts/reviewPackages.mjs: add ${missing.join(', ') || 'none'}, remove ${unused.join(', ') || 'none'}`,
    );
  }
}
