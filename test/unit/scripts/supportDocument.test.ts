// docs/support.md must know every code that Sightline can say, and none that it does not say any more.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../main/shared/errors.ts';
import { errorSources, toFailure } from '../../../main/shared/errors.ts';
import { errorGuide } from '../../../scripts/support/errorCodes.ts';
import {
  checkGuide,
  connectionGuide,
  exitGuide,
  logGuide,
  pauseGuide,
  policyGuide,
} from '../../../scripts/support/otherWords.ts';
import { saidWords } from '../../../scripts/support/saidWords.ts';

const root = new URL('../../../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
/** All of a folder's sources, each with its text. */
function sources(folder: string): (readonly [string, string])[] {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => [`${folder}${name}`, read(`${folder}${name}`)] as const);
}
const main = sources('main/');
const others = main.filter(([name]) => name !== 'main/shared/errors.ts');
const codes = Object.keys(errorSources) as ErrorCode[];
/** "UNKNOWN" is said where nothing better is known, and is also a word of other tables. */
const isSaid = (code: ErrorCode): boolean =>
  code === 'UNKNOWN'
    ? toFailure(new Error('of somebody else')).code === code &&
      others.some(([, text]) => /toFailure\(\w+\)/.test(text))
    : others.some(([, text]) => text.includes(`'${code}'`));

describe('the guide to error codes', () => {
  it.each(codes)('says where %s is seen, if anything says it, and only then', (code) => {
    expect(errorGuide[code].seen.length > 0).toBe(isSaid(code));
  });

  it.each(codes)('of %s is of whole sentences, with a cause and a remedy', (code) => {
    const { meaning, causes, remedies } = errorGuide[code];
    expect(Math.min(causes.length, remedies.length)).toBeGreaterThan(0);
    for (const text of [meaning, ...causes, ...remedies]) expect(text).toMatch(/^[A-Z"`].*[.)]$/u);
  });

  it.each(codes)('names tests of %s that are there and say it, or why there is none', (code) => {
    const { tried } = errorGuide[code];
    if ('not' in tried) return expect(tried.not).not.toBe('');
    const named = tried.flatMap((one) => one.match(/test\/[\w/]+\.test\.ts/gu) ?? []);
    expect(named.length).toBeGreaterThanOrEqual(tried.length);
    expect(named.filter((name) => !existsSync(new URL(name, root)))).toEqual([]);
    expect(named.some((name) => read(name).includes(code))).toBe(true);
    return undefined;
  });

  it('and the page’s developer is told of the same codes', () => {
    const [, section = ''] = read('docs/protocol.md').split('## Error codes');
    const told = new Set(section.match(/\b[A-Z]+(?:_[A-Z]+)+\b/gu));
    const seen = codes.filter((code) =>
      errorGuide[code].seen.some((place) => ['page', 'event', 'state', 'deliveries'].includes(place)),
    );
    expect([...told].sort()).toEqual(seen.sort());
  });
});

describe('what Sightline says with a code', () => {
  const said = saidWords();

  it('is read off the sources, with what is put in left open', () => {
    expect(said.get('CLIENT_CONNECTION_ERROR')).toContain('Port … is already in use…');
    expect(said.get('NO_DISPLAY')).toContain('No monitor is switched on');
    expect(said.get('UPLOAD_FAILED')).toContain('The sink is not a folder');
    expect(said.get('CLIENT_AUTH_ERROR')).toContain('S3 does not know the access key');
  });

  it('is there for each code that is said', () => {
    // The one has the system's words only, the other a deadline's.
    const wordless = ['UNKNOWN'];
    const hasWords = (code: ErrorCode): boolean => said.has(code) || (errorGuide[code].says ?? []).length > 0;
    expect(codes.filter((code) => isSaid(code) && !hasWords(code))).toEqual(wordless);
  });
});

describe('the other words', () => {
  const server = others.filter(([name]) => name.startsWith('main/server/'));
  const policy = others.filter(([name]) => name.startsWith('main/policy/'));
  it.each([
    ...connectionGuide.map(({ phrase }) => [phrase, server] as const),
    ...policyGuide.map(({ phrase }) => [phrase, policy] as const),
    ...Object.values(pauseGuide).map(({ phrase }) => [phrase, others] as const),
    ...codes.flatMap((code) => (errorGuide[code].says ?? []).map((words) => [words, others] as const)),
    ...logGuide.map(({ phrase }) => [phrase, others] as const),
  ])('"%s" is still said', (phrase, where) => {
    expect(where.filter(([, text]) => text.includes(phrase)).length).toBeGreaterThan(0);
  });

  it('are there for each exit code, and for no other', () => {
    const said = new Set([0]);
    for (const [, text] of others.filter(([name]) => /^main\/(headless|index)/.test(name))) {
      const found = text.matchAll(/\b(?:EXIT_\w+ = |exitCode = |exitCode: |\.exit\()(\d+)/gu);
      for (const [, code] of found) said.add(Number(code));
    }
    expect(new Set(exitGuide.map(({ code }) => code))).toEqual(said);
  });

  it('are there for each check of `sightline doctor`, here and in docs/doctor.md', () => {
    const names = main
      .filter(([name]) => name.startsWith('main/diagnostics/checks/'))
      .flatMap(([, text]) => [...text.matchAll(/\bname: '([^']+)',\s+run\b/gu)].map(([, name = '']) => name));
    expect(names.length).toBeGreaterThanOrEqual(19);
    expect(Object.keys(checkGuide).sort()).toEqual(names.sort());
    const [, table = ''] = read('docs/doctor.md').split(/^\| check .*\n\| -.*\n/mu);
    const [rows = ''] = table.split('\n\n');
    const told = rows.split('\n').map((line) => line.split('|')[1]?.trim());
    expect(told).toEqual(Object.keys(checkGuide));
  });
});
