// `tsx scripts/make-sbom.ts --out FILE`: the software bill of materials (CycloneDX) of what is given to others: npm's own list of
// our packages, and the programs that npm does not know of.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import manifest from '../package.json' with { type: 'json' };
import { windowsNode } from './windows.mjs';
import { runTool } from './installer/tool.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({ options: { out: { type: 'string', default: 'release/sightline.cdx.json' } } });

interface Component {
  type: 'application' | 'library' | 'framework';
  'bom-ref': string;
  name: string;
  version: string;
  purl: string;
  licenses: { license: { id: string } }[];
  hashes?: { alg: 'SHA-256'; content: string }[];
}

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const words = [
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
  '--omit',
  'dev',
  '--omit',
  'optional',
];
const bom = JSON.parse(runTool(npm, words, { cwd: root, hint: 'Run npm ci first.' })) as {
  components: Component[];
};
bom.components.push(...ffmpegComponents(), ...runtimes());
const out = resolve(values.out);
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, `${JSON.stringify(bom, null, 2)}\n`);
console.log(`${out}: ${bom.components.length} components`);

function ffmpegComponents(): Component[] {
  const builds = readdirSync(join(root, 'resources/ffmpeg'))
    .map((name) => join(root, 'resources/ffmpeg', name, 'build-info.json'))
    .filter((file) => existsSync(file));
  return builds.flatMap((file) => {
    const info = JSON.parse(readFileSync(file, 'utf8')) as {
      platform: string;
      ffmpegVersion: string;
      openh264Version: string;
      sha256: string;
    };
    const { platform } = info;
    return [
      {
        ...component('application', 'ffmpeg', info.ffmpegVersion, 'LGPL-2.1-or-later', platform),
        hashes: [{ alg: 'SHA-256' as const, content: info.sha256 }],
      },
      component('library', 'openh264', info.openh264Version, 'BSD-2-Clause', platform),
    ];
  });
}

function runtimes(): Component[] {
  return [
    component('framework', 'electron', manifest.devDependencies.electron, 'MIT', 'app'),
    component('application', 'node', windowsNode.version, 'MIT', 'win32-x64'),
    component('application', 'sightline-helper', manifest.version, 'Apache-2.0', 'win32-x64'),
  ];
}

function component(
  type: Component['type'],
  name: string,
  version: string,
  licence: string,
  where: string,
): Component {
  return {
    type,
    'bom-ref': `${name}@${version}#${where}`,
    name,
    version,
    purl: `pkg:generic/${name}@${version}?platform=${where}`,
    licenses: [{ license: { id: licence } }],
  };
}
