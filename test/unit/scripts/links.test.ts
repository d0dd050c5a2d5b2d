// No dead links in the pages: every relative link leads to an existing file and heading, and every source file and
// npm script that a page names exists.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };

const root = fileURLToPath(new URL('../../../', import.meta.url));
const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((name) => name !== '' && existsSync(join(root, name)));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');
/** Without what is shown as code. */
const prose = (name: string): string =>
  read(name)
    .replaceAll(/^ *```[\s\S]*?^ *```$/gmu, '')
    .replaceAll(/`[^`\n]*`/gu, (code) => code.replaceAll(/[[\]()]/gu, ''));

/** Paths of sources that the page names, such as `test/unit/x.test.ts`. */
function namedSources(name: string): string[] {
  const paths = read(name).matchAll(
    /`((?:main|preload|renderer|ccp|cloud|resources|scripts|test)\/[\w./-]+\.[cm]?ts)`/gu,
  );
  return [...paths].map(([, path = '']) => path);
}

/** As GitHub makes them: small letters, blanks as "-", nothing else but letters, digits, "-" and "_". */
function anchors(name: string): Set<string> {
  const headings = [...prose(name).matchAll(/^#+ (.+)$/gmu)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function links(name: string): string[] {
  return [...prose(name).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gmu)]
    .map(([, inline, reference]) => inline ?? reference ?? '')
    .filter((target) => !/^[a-z]+:/u.test(target));
}

function isDead(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : relative(root, join(root, dirname(page), decodeURIComponent(path)));
  if (file.startsWith('..') || !existsSync(join(root, file))) return true;
  return anchor !== undefined && statSync(join(root, file)).isFile() && !anchors(file).has(anchor);
}

describe('the pages', () => {
  it.each(pages)('%s has no dead link', (page) => {
    expect(links(page).filter((target) => isDead(page, target))).toEqual([]);
  });

  it.each(pages)('%s names no source file that does not exist', (page) => {
    expect(namedSources(page).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it.each(pages)('%s names no npm script that does not exist', (page) => {
    const scripts = [...read(page).matchAll(/\bnpm run ([\w:-]+)/gu)].map(([, name = '']) => name);
    expect(scripts.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
  });

  it('are all named in docs/README.md', () => {
    const named = new Set(links('docs/README.md').map((target) => join('docs', target.split('#')[0] ?? '')));
    const wanted = pages.filter((page) => /^docs\/[^/]+\.md$/u.test(page) && page !== 'docs/README.md');
    expect(wanted.filter((page) => !named.has(page))).toEqual([]);
  });

  it('would be found dead if they were', () => {
    expect(isDead('docs/policy.md', 'nowhere.md')).toBe(true);
    expect(isDead('docs/policy.md', 'support.md#no-such-heading')).toBe(true);
    expect(isDead('docs/policy.md', 'support.md#error-codes')).toBe(false);
  });
});
