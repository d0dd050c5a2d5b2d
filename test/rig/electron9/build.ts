// Builds the app for Electron 9.4.1 (Node 12, Chromium 83), the one Electron that a package registry carries whole: main
// process as one CommonJS file, preload and renderer for that Chromium. The sources are the app's own; what that
// Electron lacks is put beneath them (polyfills.cjs, shims/).

import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import { copyFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const here = dirname(fileURLToPath(import.meta.url));
const shimFolder = join(here, 'shims');

const shims: Readonly<Record<string, string>> = {
  crypto: 'crypto.cjs',
  'dns/promises': 'dnsPromises.cjs',
  electron: 'electron.cjs',
  fs: 'fs.cjs',
  'fs/promises': 'fsPromises.cjs',
  os: 'os.cjs',
  'stream/consumers': 'streamConsumers.cjs',
  'timers/promises': 'timersPromises.cjs',
};

/** Puts the shims before what they complete, and takes `node:` off names, which Node 12 does not know. */
const beneath: Plugin = {
  name: 'beneath',
  setup(bundle) {
    bundle.onResolve(
      { filter: /^(node:|electron$|dns\/promises$|crypto$|fs$|fs\/promises$|os$|timers\/promises$)/ },
      (wanted) => {
        const name = wanted.path.replace(/^node:/, '');
        const shim = shims[name];
        return shim === undefined || wanted.importer.startsWith(shimFolder)
          ? { path: name, external: true }
          : { path: join(shimFolder, shim) };
      },
    );
  },
};

/** @param folder is emptied first */
export async function buildForElectron9(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'dist/renderer'), { recursive: true });
  await Promise.all([
    build({
      entryPoints: [join(here, 'entry.cjs')],
      outfile: join(folder, 'dist/main/index.js'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node12',
      plugins: [beneath],
      // Never asked for: an optional ffmpeg, optional speed-ups of ws.
      external: ['ffmpeg-static', 'bufferutil', 'utf-8-validate'],
      define: { 'import.meta.url': 'ownUrl' },
      banner: { js: "const ownUrl = require('url').pathToFileURL(__filename).href;" },
      logLevel: 'error',
    }),
    build({
      entryPoints: ['index', 'indicator'].map((name) => join(root, `preload/${name}.ts`)),
      outdir: join(folder, 'dist/preload'),
      outExtension: { '.js': '.cjs' },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'chrome83',
      external: ['electron'],
      logLevel: 'error',
    }),
    build({
      entryPoints: ['index', 'indicator'].map((name) => join(root, `renderer/${name}.ts`)),
      outdir: join(folder, 'dist/renderer'),
      bundle: true,
      platform: 'browser',
      format: 'esm',
      target: 'chrome83',
      banner: { js: await readFile(join(here, 'domShim.js'), 'utf8') },
      logLevel: 'error',
    }),
    ...['index.html', 'style.css', 'indicator.html', 'indicator.css'].map((name) =>
      copyFile(join(root, 'renderer', name), join(folder, 'dist/renderer', name)),
    ),
    cp(join(root, 'resources'), join(folder, 'resources'), { recursive: true }),
    writeFile(
      join(folder, 'package.json'),
      JSON.stringify({
        name: 'sightline',
        productName: 'Sightline',
        version: '0.1.0',
        main: 'dist/main/index.js',
      }),
    ),
  ]);
}
