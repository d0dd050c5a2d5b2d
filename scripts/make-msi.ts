// `npm run msi -- [--app FOLDER] [--actions FILE] [--out FILE] [--version 1.2.3]`: builds the MSI for IT. FOLDER is electron-builder's
// release/win-unpacked; a missing command line is added. --actions names custom
// actions that are signed already. Without --app the MSI contains the recorder without Electron. It is
// signed if SIGHTLINE_SIGN_PKCS12 and SIGHTLINE_SIGN_PASSWORD_FILE name a key (docs/installer.md).
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { addCommandLine } from './installer/commandLine.ts';
import { makeHeadlessApp } from './installer/headlessApp.ts';
import { makeMsi } from './installer/msi.ts';
import { runTool } from './installer/tool.ts';
import { signingKeyFrom } from './installer/signing.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const WRAPPER = 'sightline-msiexec.cmd';
const { values } = parseArgs({
  options: {
    ...{ app: { type: 'string' }, out: { type: 'string' }, version: { type: 'string' } },
    actions: { type: 'string' },
  },
});
const version = values.version ?? manifest.version;
const out = resolve(values.out ?? join(root, 'release', `sightline-${version}-win-x64.msi`));
const work = mkdtempSync(join(tmpdir(), 'sightline-msi-'));
try {
  const app = join(work, 'given');
  mkdirSync(app);
  if (values.app === undefined) makeHeadlessApp(app, version, join(work, 'native'));
  else cpSync(resolve(values.app), app, { recursive: true });
  if (!existsSync(join(app, 'cli'))) await addCommandLine(app, version, join(work, 'native'));
  const notices = join(app, 'resources/THIRD-PARTY-NOTICES.txt');
  if (!existsSync(notices)) {
    const args = ['scripts/make-notices.ts', '--platform', 'win32', '--out', notices];
    runTool(process.execPath, ['--import', 'tsx', ...args], { cwd: root, hint: 'Run npm ci first.' });
  }
  const msiWork = join(work, 'msi');
  mkdirSync(msiWork);
  mkdirSync(dirname(out), { recursive: true });
  const key = signingKeyFrom(process.env);
  const actions = values.actions === undefined ? null : resolve(values.actions);
  const { productCode, signed } = makeMsi({ app, actions, out, version, workFolder: msiWork, key });
  // For deployments, beside the MSI (docs/installer.md).
  copyFileSync(join(root, 'resources/installer', WRAPPER), join(dirname(out), WRAPPER));
  console.log(out);
  console.log(`version ${version}, product code {${productCode}}`);
  console.log(key === null ? 'not signed' : `signed, with ${signed.length} programs and libraries in it`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
