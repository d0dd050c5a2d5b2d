// The command line as one file without node_modules, and what an installation carries of it: bin\sightline.exe (the
// launcher), cli\node.exe, cli\sightline.mjs. Why so: docs/installer.md.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsoleLauncher } from './nativePrograms.ts';
import { ensureWindowsNode } from '../windows.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Into the folder of a Windows installation. */
export async function addCommandLine(app: string, version: string, workFolder: string): Promise<void> {
  mkdirSync(join(app, 'cli'), { recursive: true });
  mkdirSync(join(app, 'bin'), { recursive: true });
  await bundleCommandLine(join(app, 'cli/sightline.mjs'), version);
  copyFileSync(ensureWindowsNode({ log: console.log }), join(app, 'cli/node.exe'));
  buildConsoleLauncher({ version, out: join(app, 'bin/sightline.exe'), workFolder });
}

export async function bundleCommandLine(out: string, version: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ['main/headless.ts'],
    outfile: out,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'error',
    legalComments: 'none', // third-party notices lie beside it
    // For the stacks of crash reports.
    sourcemap: true,
    sourcesContent: false,
    // Read by main/platform/version.ts; nothing at run time changes it.
    define: { SIGHTLINE_INSTALLED: 'true' },
    // What packages that are CommonJS take for granted, and an ES module has not. Packages ask for optional ones (bufferutil)
    // that are not in here: Node would look for them in C:\\node_modules, which every user may make, and in NODE_PATH.
    banner: {
      js: [
        "import { createRequire as sightlineRequire, isBuiltin as sightlineHas } from 'node:module';",
        'const ownRequire = sightlineRequire(import.meta.url);',
        'const require = (name) => {',
        '  if (sightlineHas(name)) return ownRequire(name);',
        "  throw Object.assign(new Error(`Cannot find module '${name}'`), { code: 'MODULE_NOT_FOUND' });",
        '};',
        'const { filename: __filename, dirname: __dirname } = import.meta;',
      ].join('\n'),
    },
    plugins: [
      {
        // The version of the installer is the program's, also where a release or a test gives another than package.json.
        name: 'version',
        setup(bundle) {
          bundle.onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) =>
            path === join(root, 'package.json')
              ? { contents: JSON.stringify({ name: 'sightline', version }), loader: 'json' }
              : null,
          );
        },
      },
    ],
  });
}
