// Builds an MSI from an app's folder: wixl makes files, components and cabinet; msibuild the tables that wixl cannot make;
// osslsigncode signs the programs and then the MSI.
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPONENT_NAMESPACE, componentId, filesIn, harvest } from './harvest.ts';
import { toIdt, withShortNames } from './idt.ts';
import { msiTables, secureProperties } from './msiTables.ts';
import { buildActions } from './nativePrograms.ts';
import type { SigningKey } from './signing.ts';
import { isSigned, sign } from './signing.ts';
import { runTool } from './tool.ts';
import { uuidFrom } from './uuid.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const hint = 'Install msitools and wixl (on Debian: apt install msitools wixl).';
/** The same in all MSIs of this product. Never change it. */
export const UPGRADE_CODE = '5E7B2C0A-8C39-4B57-9C0E-1B0D9A3F6E21';
const COMMAND_LINE = 'bin/sightline.exe';

export interface MsiOptions {
  /** The files for C:\Program Files\Sightline. They are copied before they are signed. */
  readonly app: string;
  /** The custom actions; null: they are compiled. */
  readonly actions: string | null;
  readonly out: string;
  readonly version: string;
  /** Empty; the caller removes it. */
  readonly workFolder: string;
  readonly key: SigningKey | null;
}

export interface BuiltMsi {
  readonly productCode: string;
  /** The files that were signed, as paths in the installation. */
  readonly signed: readonly string[];
}

export function makeMsi({ app, actions, out, version, workFolder, key }: MsiOptions): BuiltMsi {
  checkVersion(version);
  checkApp(app);
  cpSync(app, join(workFolder, 'app'), { recursive: true });
  const built = join(workFolder, 'actions.dll');
  if (actions === null) buildActions({ version, out: built, workFolder: join(workFolder, 'native') });
  else copyFileSync(actions, built);
  copyFileSync(join(root, 'resources/icons/app.ico'), join(workFolder, 'app.ico'));
  const signed = key === null ? [] : signAll(workFolder, key);

  writeFileSync(join(workFolder, 'files.wxs'), harvest({ folder: join(workFolder, 'app'), source: 'app' }));
  const productCode = uuidFrom(UPGRADE_CODE, `${version} ${contentHash(join(workFolder, 'app'))}`);
  const defines = {
    ProductCode: productCode,
    Version: version,
    UpgradeCode: UPGRADE_CODE,
    InstallationGuid: uuidFrom(COMPONENT_NAMESPACE, 'component:Installation'),
    SecureProperties: secureProperties.join(';'),
    Icon: 'app.ico',
    Actions: 'actions.dll',
  };
  runTool(
    'wixl',
    [
      ...['--arch', 'x64', '--output', 'out.msi'],
      ...Object.entries(defines).flatMap(([name, value]) => ['-D', `${name}=${value}`]),
      ...[join(root, 'resources/installer/sightline.wxs'), 'files.wxs'],
    ],
    // It accepts only relative paths.
    { cwd: workFolder, hint },
  );
  for (const [table, column] of [
    ['File', 'FileName'],
    ['Directory', 'DefaultDir'],
  ] as const) {
    const exported = runTool('msiinfo', ['export', 'out.msi', table], { cwd: workFolder, hint });
    importTable(workFolder, table, withShortNames(exported, column));
  }
  const tables = msiTables({
    version,
    upgradeCode: `{${UPGRADE_CODE}}`,
    commandLineComponent: componentId(COMMAND_LINE),
  });
  for (const table of tables) importTable(workFolder, table.name, toIdt(table));
  if (key !== null) sign(join(workFolder, 'out.msi'), key);
  copyFileSync(join(workFolder, 'out.msi'), out);
  return { productCode, signed };
}

function importTable(workFolder: string, table: string, idt: string): void {
  writeFileSync(join(workFolder, `${table}.idt`), idt);
  runTool('msibuild', ['out.msi', '-i', `${table}.idt`], { cwd: workFolder, hint });
}

/** Windows Installer compares three numbers (https://learn.microsoft.com/windows/win32/msi/productversion). */
function checkVersion(version: string): void {
  const numbers = /^(\d+)\.(\d+)\.(\d+)$/.exec(version)?.slice(1).map(Number);
  const [major = 256, minor = 256, build = 65536] = numbers ?? [];
  if (major > 255 || minor > 255 || build > 65535) {
    throw new Error(`The version of an MSI has the form 1.2.3 (up to 255.255.65535), not "${version}".`);
  }
}

function checkApp(app: string): void {
  const needed = [
    'Sightline.exe',
    COMMAND_LINE,
    'bin/sightline-keeper.exe',
    'cli/node.exe',
    'cli/sightline.mjs',
    'resources/ffmpeg/win32-x64/ffmpeg.exe',
    'resources/windowsHelper/win32-x64/sightline-helper.exe',
  ];
  const missing = needed.filter((path) => !existsSync(join(app, path)));
  if (missing.length > 0)
    throw new Error(`${app} is not a complete app for Windows. Missing: ${missing.join(', ')}.`);
}

/** Signs programs and libraries without a signature, including third-party ones: Windows warns about unsigned files. */
function signAll(workFolder: string, key: SigningKey): string[] {
  const app = join(workFolder, 'app');
  const paths = filesIn(app).filter((path) => isSigned(join(app, path)) === false);
  for (const path of paths) sign(join(app, path), key);
  if (isSigned(join(workFolder, 'actions.dll')) === false) sign(join(workFolder, 'actions.dll'), key);
  return paths;
}

function contentHash(folder: string): string {
  const hash = createHash('sha256');
  for (const path of filesIn(folder)) {
    const content = createHash('sha256').update(readFileSync(join(folder, path)));
    hash.update(`${path}\0`).update(content.digest());
  }
  return hash.digest('hex');
}
