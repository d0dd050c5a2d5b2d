// ffmpeg.exe must count in physical pixels: a build or a package of one whose manifest does not say so ends with an error.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requirePerMonitorV2 } from '../../resources/ffmpeg/dpiAwareness.mjs';
// @ts-expect-error -- a hook of electron-builder's, in plain JavaScript
import * as beforePack from '../../scripts/beforePack.mjs';
import { runOrThrow } from '../rig/process.ts';

const { checkFfmpeg } = beforePack as { checkFfmpeg: (root: string, platform: string) => void };
const shipped = fileURLToPath(new URL('../../resources/ffmpeg/win32-x64/ffmpeg.exe', import.meta.url));
const refusal = /does not declare dpiAwareness PerMonitorV2/;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-manifest-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function packed(name: string, program: Uint8Array): Promise<string> {
  const root = join(folder, name);
  const place = join(root, 'resources/ffmpeg/win32-x64');
  await mkdir(place, { recursive: true });
  await writeFile(join(place, 'ffmpeg.exe'), program);
  const sha256 = createHash('sha256').update(program).digest('hex');
  await writeFile(join(place, 'build-info.json'), JSON.stringify({ sha256 }));
  return root;
}

it('the shipped ffmpeg.exe has it and is packaged; with another manifest it is not', async () => {
  const program = await readFile(shipped);
  const asShipped = await packed('shipped', program);
  expect(() => checkFfmpeg(asShipped, 'win32-x64')).not.toThrow();
  const at = program.indexOf('PerMonitorV2</dpiAwareness>');
  expect(at).toBeGreaterThan(0);
  // Of the same length: aware of the first monitor's scale only.
  program.write('System      ', at, 'latin1');
  const changed = await packed('changed', program);
  expect(() => checkFfmpeg(changed, 'win32-x64')).toThrow(refusal);
});

describe('a program', () => {
  const settings = (text: string): string =>
    `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0" xmlns:asmv3="urn:schemas-microsoft-com:asm.v3">
<asmv3:application><asmv3:windowsSettings>${text}</asmv3:windowsSettings></asmv3:application></assembly>`;
  const awareness = (value: string): string =>
    `<dpiAwareness xmlns="http://schemas.microsoft.com/SMI/2016/WindowsSettings">${value}</dpiAwareness>`;
  const old = '<dpiAware xmlns="http://schemas.microsoft.com/SMI/2005/WindowsSettings">true</dpiAware>';

  /** @param text of the program itself, which is no manifest */
  async function build(name: string, manifest: string | null, text = ''): Promise<string> {
    const base = join(folder, name);
    await writeFile(
      `${base}.c`,
      `const char *text = ${JSON.stringify(text)};\nint main(void) { return text[0]; }\n`,
    );
    const objects: string[] = [];
    if (manifest !== null) {
      await writeFile(`${base}.manifest`, manifest);
      await writeFile(`${base}.rc`, `1 24 "${name}.manifest"\n`);
      await runOrThrow('x86_64-w64-mingw32-windres', [`${base}.rc`, `${base}.o`], { cwd: folder });
      objects.push(`${base}.o`);
    }
    await runOrThrow('x86_64-w64-mingw32-gcc', ['-o', `${base}.exe`, `${base}.c`, ...objects]);
    return `${base}.exe`;
  }

  it.each([
    ['PerMonitorV2 first', settings(awareness('PerMonitorV2, PerMonitor')), true],
    ['PerMonitor first', settings(awareness('PerMonitor, PerMonitorV2')), false],
    ['dpiAware only', settings(old), false],
    ['no manifest', null, false],
  ] as const)('with %s', async (name, manifest, isAware) => {
    const program = await build(name.replaceAll(/\W/g, ''), manifest);
    if (isAware) expect(() => requirePerMonitorV2(program)).not.toThrow();
    else expect(() => requirePerMonitorV2(program)).toThrow(refusal);
  });

  it('that only mentions it in its code', async () => {
    const program = await build('mentions', settings(old), awareness('PerMonitorV2'));
    expect((await readFile(program)).includes('PerMonitorV2</dpiAwareness>')).toBe(true);
    expect(() => requirePerMonitorV2(program)).toThrow(refusal);
  });
});
