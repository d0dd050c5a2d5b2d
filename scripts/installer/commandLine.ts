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
    // What packages that are CommonJS take for granted, and an ES module has not.
    banner: {
      js: [
        "import { createRequire as sightlineRequire } from 'node:module';",
        'const require = sightlineRequire(import.meta.url);',
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
