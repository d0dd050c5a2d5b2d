// The command line of an installation: bin\sightline.exe (the launcher), cli\node.exe, and cli\sightline.mjs, one file without
// node_modules; review\ is what `sightline review` loads. The reasons are in docs/installer.md.
import { build } from 'esbuild';
import { copyFileSync, cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildConsoleLauncher, buildKeeper } from './nativePrograms.ts';
import { ensureWindowsNode } from '../windows.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Adds it to the folder of a Windows installation. */
export async function addCommandLine(app: string, version: string, workFolder: string): Promise<void> {
  mkdirSync(join(app, 'cli'), { recursive: true });
  mkdirSync(join(app, 'bin'), { recursive: true });
  await bundleCommandLine(join(app, 'cli/sightline.mjs'), version);
  await addReview(join(app, 'review'), version);
  copyFileSync(ensureWindowsNode({ log: console.log }), join(app, 'cli/node.exe'));
  buildConsoleLauncher({ version, out: join(app, 'bin/sightline.exe'), workFolder });
  buildKeeper({ version, out: join(app, 'bin/sightline-keeper.exe'), workFolder });
}

export function bundleCommandLine(out: string, version: string): Promise<void> {
  return bundle('main/headless.ts', out, version);
}

/** Beside cli/, where main/headless/review.ts looks for it: the server, and the page that `npm run build` has made. */
async function addReview(folder: string, version: string): Promise<void> {
  const page = join(root, 'dist/review/page');
  if (!existsSync(page)) throw new Error(`${page} is missing. Run \`npm run build\` first.`);
  await bundle('review/server/index.ts', join(folder, 'server.mjs'), version);
  await bundle('review/server/verify/verifyLibrary.ts', join(folder, 'verify.mjs'), version);
  cpSync(page, join(folder, 'page'), { recursive: true });
}

async function bundle(entry: string, out: string, version: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    logLevel: 'error',
    legalComments: 'none', // they are in THIRD-PARTY-NOTICES.txt
    // For stack traces in crash reports.
    sourcemap: true,
    sourcesContent: false,
    // Read by main/platform/version.ts; nothing at run time changes it.
    define: { SIGHTLINE_INSTALLED: 'true' },
    // What CommonJS packages use and an ES module does not have. `require` finds only Node's modules: Node would look for
    // optional packages (bufferutil) in C:\\node_modules, which every user can create, and in NODE_PATH.
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
        // The program has the installer's version, even if that differs from package.json.
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
