// Our small Windows programs, compiled by mingw-w64: the command line's launcher and the MSI's custom actions. They need only
// Windows' own DLLs, and two builds of the same source are identical.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTool } from './tool.ts';

const sources = fileURLToPath(new URL('../../resources/installer', import.meta.url));
const icon = fileURLToPath(new URL('../../resources/icons/app.ico', import.meta.url));
const hint =
  'Install mingw-w64 (on Debian: apt install gcc-mingw-w64-x86-64). As root on Debian, `npm run msi` does it.';
const prefix = process.platform === 'win32' ? '' : 'x86_64-w64-mingw32-';
const common = [
  ...['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Os', '-s'],
  ...['-static-libgcc', '-Wl,--no-insert-timestamp'],
];

export interface NativeProgram {
  readonly version: string;
  readonly out: string;
  /** For temporary files. */
  readonly workFolder: string;
}

/** bin\sightline.exe: for the console. */
export function buildConsoleLauncher(program: NativeProgram): void {
  compile(program, 'Sightline command line', ['-municode', join(sources, 'launcher.c')]);
}

/** Sightline.exe of an installation without Electron: opens no window. */
export function buildBackgroundLauncher(program: NativeProgram): void {
  compile(program, 'Sightline', ['-municode', '-mwindows', '-DBACKGROUND', join(sources, 'launcher.c')]);
}

/** bin\sightline-keeper.exe: opens no window. */
export function buildKeeper(program: NativeProgram): void {
  compile(program, 'Sightline keeper', ['-municode', '-mwindows', join(sources, 'keeper.c')]);
}

export function buildActions(program: NativeProgram): void {
  const files = ['actions', 'groupPolicy', 'registry', 'text', 'checks', 'session', 'processes', 'tasks'].map(
    (name) => join(sources, `${name}.c`),
  );
  const libraries = ['-lmsi', '-lwtsapi32', '-luserenv', '-ladvapi32', '-lole32', '-loleaut32', '-ltaskschd'];
  compile(program, 'Sightline installer', ['-shared', ...files, join(sources, 'actions.def')], libraries);
}

function compile(
  { version, out, workFolder }: NativeProgram,
  description: string,
  args: readonly string[],
  libraries: readonly string[] = [],
): void {
  mkdirSync(workFolder, { recursive: true });
  const resource = join(workFolder, 'version.rc');
  const object = join(workFolder, 'version.o');
  writeFileSync(resource, versionResource(version, description));
  runTool(`${prefix}windres`, ['--input', resource, '--output', object], { hint });
  // Libraries must come after the objects that use them.
  runTool(`${prefix}gcc`, [...common, ...args, object, '-o', out, ...libraries], { hint });
}

/** https://learn.microsoft.com/windows/win32/menurc/versioninfo-resource */
function versionResource(version: string, description: string): string {
  const numbers = `${version.replaceAll('.', ',')},0`;
  const strings = {
    CompanyName: 'Sightline',
    FileDescription: description,
    FileVersion: version,
    LegalCopyright: 'Copyright The Sightline founders. Apache-2.0.',
    ProductName: 'Sightline',
    ProductVersion: version,
  };
  return `1 ICON "${icon.replaceAll('\\', '/')}"
1 VERSIONINFO
FILEVERSION ${numbers}
PRODUCTVERSION ${numbers}
FILEOS 0x40004
FILETYPE 0x1
BEGIN
  BLOCK "StringFileInfo"
  BEGIN
    BLOCK "040904b0"
    BEGIN
${Object.entries(strings)
  .map(([name, value]) => `      VALUE "${name}", "${value}"`)
  .join('\n')}
    END
  END
  BLOCK "VarFileInfo"
  BEGIN
    VALUE "Translation", 0x409, 1200
  END
END
`;
}
