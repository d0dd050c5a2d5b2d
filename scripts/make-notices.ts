// `npm run notices -- [--out FILE] [--platform win32] [--strict]`: the licences of everything that is given to others with
// Sightline, and the written offer of source that the LGPL asks for. A package without a licence text is an error.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { windowsNode } from './windows.mjs';
import { findLicences, productionPackages } from './installer/packages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'release/THIRD-PARTY-NOTICES.txt' },
    platform: { type: 'string', default: process.platform },
    strict: { type: 'boolean', default: false },
  },
});
const parts: string[] = [
  `Sightline is licensed under the Apache License 2.0 (LICENSE). It contains the works below, under their own licences.`,
];
const missing: string[] = [];

ffmpegParts(values.platform);
if (values.platform === 'win32') nodePart();
parts.push(
  section('Electron and Chromium', 'MIT and others', [
    'Where the app with windows is installed, LICENSE.electron.txt and LICENSES.chromium.html lie beside its program.',
  ]),
);
for (const one of productionPackages(root)) {
  const texts = findLicences(one.folder);
  if (texts.length === 0 && one.licence === null) missing.push(`${one.name} ${one.version}`);
  const words =
    texts.length > 0 ? texts : [`Its package has no licence text; it says: ${one.licence ?? 'nothing'}.`];
  // The MPL requires a statement of where the source is.
  if (one.licence === 'MPL-2.0')
    words.unshift(`Its source, unchanged: npm pack ${one.name}@${one.version}\n\n`);
  parts.push(section(`${one.name} ${one.version}`, one.licence ?? 'see below', words));
}
if (missing.length > 0) throw new Error(`No licence is known of: ${missing.join(', ')}`);
const out = resolve(values.out);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${parts.join('\n\n')}\n`);
console.log(`${out}: ${parts.length - 1} works`);

function section(title: string, licence: string, texts: readonly string[]): string {
  const line = '='.repeat(Math.max(title.length, 20));
  return [line, title, line, `Licence: ${licence}`, '', ...texts.map((text) => text.trim())].join('\n');
}

/** What is linked into ffmpeg, as its build laid it beside it. */
function ffmpegParts(platform: string): void {
  const folder = readdirSync(join(root, 'resources/ffmpeg')).find((name) => name.startsWith(`${platform}-`));
  if (folder === undefined) {
    throw new Error(`resources/ffmpeg has no build for ${platform}; run: node resources/ffmpeg/build.mjs`);
  }
  const at = (name: string): string => join(root, 'resources/ffmpeg', folder, name);
  const info = JSON.parse(readFileSync(at('build-info.json'), 'utf8')) as {
    ffmpegVersion: string;
    openh264Version: string;
    configure: string;
    sources: readonly { name: string; sha256: string }[];
  };
  const offer = [
    'Written offer of source: for three years from the day on which you were given this copy, The Sightline founders',
    '(founders@sightline.example) send anybody who asks the complete corresponding source of the FFmpeg program in it:',
    'the archives below, the build recipe, and what is needed to link it again, for no more than what sending costs.',
    ...info.sources.map(({ name, sha256 }) => `  ${name}  SHA-256 ${sha256}`),
    `It was configured with: ${info.configure}`,
  ].join('\n');
  // What mingw-w64 links into ffmpeg.exe it links into our own small programs as well.
  const linkers = platform === 'win32' ? 'FFmpeg, sightline-helper.exe and sightline.exe' : 'FFmpeg';
  const openh264 =
    'Built by us from source: the patent licence that Cisco pays for covers only the binaries that Cisco itself distributes.';
  for (const name of readdirSync(dirname(at('build-info.json'))).filter((one) =>
    one.startsWith('LICENSE.'),
  )) {
    const text = readFileSync(at(name), 'utf8');
    if (name === 'LICENSE.FFmpeg')
      parts.push(section(`FFmpeg ${info.ffmpegVersion}`, 'LGPL-2.1-or-later', [offer, '', text]));
    else if (name === 'LICENSE.OpenH264')
      parts.push(section(`OpenH264 ${info.openh264Version}`, 'BSD-2-Clause', [openh264, '', text]));
    else
      parts.push(section(`${name.slice('LICENSE.'.length)} (linked into ${linkers})`, 'see below', [text]));
  }
}

/** The command line's Node. Its package has no text; an installation of Node from its own archive has. */
function nodePart(): void {
  const places = ['../LICENSE', 'LICENSE'].map((name) => join(dirname(process.execPath), name));
  const found = places.find(
    (path) => existsSync(path) && readFileSync(path, 'utf8').startsWith('Node.js is licensed'),
  );
  if (found === undefined && values.strict) {
    throw new Error(
      "Node's LICENSE does not lie beside this Node. Run this with a Node from nodejs.org's archive.",
    );
  }
  const pointer = `Its licence: https://github.com/nodejs/node/blob/v${windowsNode.version}/LICENSE`;
  parts.push(
    section(`Node.js ${windowsNode.version}`, 'MIT and others', [
      found === undefined ? pointer : readFileSync(found, 'utf8'),
    ]),
  );
}
