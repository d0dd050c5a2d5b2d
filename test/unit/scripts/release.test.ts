// What a release must not lose: pinned actions, secrets only where something is signed, commands that exist, a check for our
// own ffmpeg, and a notice for everything that is given to others.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
// @ts-expect-error -- a hook of electron-builder's, in plain JavaScript
import * as beforePack from '../../../scripts/beforePack.mjs';
import { windowsHelperRecipe } from '../../../resources/windowsHelper/build.mjs';
import { findLicences, productionPackages } from '../../../scripts/installer/packages.ts';

const { checkFfmpeg, checkWindowsHelper } = beforePack as {
  checkFfmpeg: (root: string, platform: string) => void;
  checkWindowsHelper: (root: string) => void;
};
const workflowNames = ['release', 'pull-request'] as const;
const textOf = (name: (typeof workflowNames)[number]): string =>
  readFileSync(`.github/workflows/${name}.yml`, 'utf8');
/** Each with the lines up to the next. */
const stepsOf = (workflow: string): string[] =>
  workflow
    .split(/^ {6}- /m)
    .slice(1)
    .map((step) => step.split(/^ {2}\S/m)[0] ?? '');

describe.each(workflowNames)('the workflow %s', (name) => {
  const workflow = textOf(name);
  const steps = stepsOf(workflow);

  it('uses actions by the hash of their commit', () => {
    const used = [...workflow.matchAll(/uses: *(\S+)(.*)/g)];
    expect(used.length).toBeGreaterThan(name === 'release' ? 10 : 3);
    for (const [, action = '', comment] of used) {
      expect(action).toMatch(/^(actions|azure)\/[a-z-]+@[0-9a-f]{40}$/);
      expect(comment).toMatch(/# v\d+\.\d+\.\d+$/);
    }
  });

  it('installs packages without their install scripts', () => {
    const installs = [...workflow.matchAll(/npm (?:ci|i|install)\b.*/g)].map(([line]) => line);
    expect(installs.length).toBeGreaterThan(name === 'release' ? 2 : 0);
    for (const line of installs) expect(line).toBe('npm ci --ignore-scripts');
  });

  it('keeps the credentials of the checkout out of the folder', () => {
    for (const step of steps.filter((one) => one.includes('actions/checkout'))) {
      expect(step).toContain('persist-credentials: false');
    }
  });

  it('runs scripts that exist', () => {
    const names = [...workflow.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script ?? '');
    expect(names).toContain(name === 'release' ? 'test:full' : 'types');
    for (const script of names) expect(Object.keys(manifest.scripts)).toContain(script);
  });

  it('passes values of the event to a shell as variables only', () => {
    for (const step of steps) {
      const script = /run:([\s\S]*?)(?:\n {8}\w|$)/.exec(step)?.[1] ?? '';
      expect(script).not.toContain('${{');
    }
  });
});

describe('the release workflow', () => {
  const workflow = textOf('release');

  it('shows secrets to the steps that sign, and to no others', () => {
    const withSecrets = stepsOf(workflow).filter((step) => step.includes('secrets.'));
    expect(withSecrets.length).toBeGreaterThan(1);
    for (const step of withSecrets) expect(step).toMatch(/^name: .*sign/i);
    const beforeSteps = workflow.split(/^ {4}steps:$/m).map((part) => part.split(/^ {6}- /m)[0] ?? '');
    for (const part of beforeSteps) expect(part).not.toContain('secrets.');
  });

  it('uses no cache: a pull request could have filled it', () => {
    expect(workflow).not.toMatch(/actions\/cache|^\s+cache:/m);
  });
});

describe('the pull-request workflow', () => {
  const workflow = textOf('pull-request');

  it('runs code before review: no secrets, and a read-only token', () => {
    expect(workflow).not.toContain('secrets.');
    expect(workflow).not.toContain('pull_request_target');
    expect([...workflow.matchAll(/^ *permissions:\n((?: +\w+: \w+\n)+)/gm)].map(([, one]) => one)).toEqual([
      '  contents: read\n',
    ]);
  });
});

describe('the version', () => {
  it('is the same in package.json, in its lock file and as the newest of the changelog', () => {
    const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { version: string };
    const [, newest] = /^## \[(\d+\.\d+\.\d+)\]/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
    expect([lock.version, newest]).toEqual([manifest.version, manifest.version]);
  });
});

describe('before packing', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'sightline-pack-'));
  });
  afterEach(() => {
    rmSync(root, { recursive: true, force: true });
  });

  it('a platform without our ffmpeg is refused, with the command that mends it', () => {
    expect(() => checkFfmpeg(root, 'darwin-arm64')).toThrow(
      /node resources\/ffmpeg\/build\.mjs darwin-arm64/,
    );
  });

  it('an ffmpeg that is not the one that was built is refused', () => {
    const folder = join(root, 'resources/ffmpeg/linux-x64');
    mkdirSync(folder, { recursive: true });
    copyFileSync('resources/ffmpeg/linux-x64/build-info.json', join(folder, 'build-info.json'));
    writeFileSync(join(folder, 'ffmpeg'), 'something else');
    expect(() => checkFfmpeg(root, 'linux-x64')).toThrow(/is not the one that was built/);
    copyFileSync('resources/ffmpeg/linux-x64/ffmpeg', join(folder, 'ffmpeg'));
    expect(() => checkFfmpeg(root, 'linux-x64')).not.toThrow();
  });

  it('a Windows helper that is missing, from other sources or not the one that was built is refused', () => {
    const folder = join(root, 'resources/windowsHelper/win32-x64');
    mkdirSync(folder, { recursive: true });
    const source = join(root, 'resources/windowsHelper/monitors.c');
    for (const name of readdirSync('resources/windowsHelper').filter((name) => /\.[ch]$/.test(name)))
      copyFileSync(join('resources/windowsHelper', name), join(root, 'resources/windowsHelper', name));
    expect(() => checkWindowsHelper(root)).toThrow(/node resources\/windowsHelper\/build\.mjs/);
    writeFileSync(join(folder, 'sightline-helper.exe'), 'a program');
    const sha256 = createHash('sha256').update('a program').digest('hex');
    const info = JSON.stringify({ recipe: windowsHelperRecipe(), sha256 });
    writeFileSync(join(folder, 'build-info.json'), info);
    expect(() => checkWindowsHelper(root)).not.toThrow();
    writeFileSync(join(folder, 'sightline-helper.exe'), 'another program');
    expect(() => checkWindowsHelper(root)).toThrow(/is not the one that was built/);
    writeFileSync(source, 'int main(void) { return 0; }');
    expect(() => checkWindowsHelper(root)).toThrow(/from other sources/);
  });
});

describe('packages that are given to others', () => {
  const packages = productionPackages('.');

  it('are the dependencies and what they need, none that is optional or for development', () => {
    const names = packages.map((one) => one.name);
    expect(names).toEqual(expect.arrayContaining(Object.keys(manifest.dependencies)));
    expect(names).not.toContain('ffmpeg-static');
    expect(names).not.toContain('vitest');
  });

  it.each(packages.map((one) => [one.name, one] as const))('%s has a licence that lets us', (_, one) => {
    expect(one.licence ?? findLicences(one.folder).join('').slice(0, 300)).toMatch(
      /^(MIT|ISC|0BSD|Apache-2\.0|BSD-[23]-Clause|MPL-2\.0|\(?MIT OR |Copyright|.*MIT)/s,
    );
  });
});
