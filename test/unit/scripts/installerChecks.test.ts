// The installer's properties have the same rules as policy: both accept the same values and store them alike. The installer's
// are in C because they run inside Windows Installer.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyKeys } from '../../../main/policy/keys.ts';

const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);
const sources = 'resources/installer';
/** As in checks.h. */
const kinds = { domains: 0, port: 1, sink: 2, bucket: 3, region: 4, kmsKey: 5, flag: 6 } as const;
const why = compiler === undefined ? ' (left out: no C compiler)' : '';

describe.skipIf(compiler === undefined)(`the installer's properties${why}`, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sightline-checks-'));
    const files = ['checks.c', 'checks-main.c'].map((name) => join(sources, name));
    const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fsanitize=address,undefined'];
    const built = spawnSync(compiler ?? '', [...flags, ...files, '-o', join(folder, 'checks')], {
      encoding: 'utf8',
    });
    expect(built.stderr).toBe('');
  }, 120_000); // the compiler shares the processors with the other tests
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function check(kind: keyof typeof kinds, value: string): { good: boolean; text: string } {
    const { status, stdout, stderr } = spawnSync(join(folder, 'checks'), [String(kinds[kind])], {
      input: value,
      encoding: 'utf8',
    });
    if (status !== 0 && status !== 1) throw new Error(`checks: ${stderr}`);
    return { good: status === 0, text: stdout };
  }

  /** As the custom action passes them: the first two are those in which nothing may be installed. */
  const taken = [
    ...['C:\\Users\\', 'C:\\Windows\\', 'C:\\Program Files\\', 'C:\\Program Files (x86)\\'],
    ...['C:\\Program Files\\Common Files\\', 'C:\\ProgramData\\'],
  ];
  it.each([
    ['C:\\Program Files\\Sightline\\', true],
    ['c:\\program files\\sightline\\', true],
    ['C:\\Apps\\Sightline\\', true],
    ['D:\\Sightline\\', true],
    ['\\\\server\\share\\Sightline\\', true],
    ['C:\\Program Files\\', false],
    ['c:\\PROGRAM FILES\\', false],
    ['C:\\Program Files\\Common Files\\', false],
    ['C:\\ProgramData\\', false],
    ['C:\\', false],
    ['D:\\', false],
    ['\\\\server\\share\\', false],
    ['C:\\Windows\\System32\\', false],
    ['C:\\Users\\', false],
    ['C:\\Users\\agent\\Sightline\\', false],
    ['C:\\Windows.old\\', true],
  ])('folder: %s', (where, good) => {
    const args = ['folder', where, ...taken];
    const { status, stdout, stderr } = spawnSync(join(folder, 'checks'), args, { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(good ? 0 : 1);
    if (!good) expect(stdout).toContain('this folder is or overlaps a folder of the system');
  });

  const label = 'abcdefghij'.repeat(6);
  const domainLists = [
    'acme.my.connect.aws',
    'Acme.my.connect.AWS, b.example',
    ' a.example ,\tb.example',
    'a.example,,b.example',
    'a.example,',
    ',',
    'https://a.example',
    'a.example/path',
    '*.example',
    'a.example:443',
    'a..example',
    '.example',
    'example.',
    'a_b.example',
    'a b.example',
    'bücher.example',
    '例え.jp',
    '-',
    `${label}.${label}.${label}.${label}.aaaaaaaaaaaa`,
    `${label}.${label}.${label}.${label}.aaaaaaaaaaaaa`,
    Array.from({ length: 500 }, (_, index) => `d${index}.example`).join(','),
    Array.from({ length: 501 }, (_, index) => `d${index}.example`).join(','),
    Array.from({ length: 500 }, () => `${label}.${label}.${label}.${label}.aaaaaaaaaaaa`).join(','),
  ];
  it.each(domainLists.map((list) => [list.slice(0, 40), list] as const))('a domain list: %s', (_, list) => {
    const policy = policyKeys.allowedDomains.schema.safeParse(list.split(','));
    const { good, text } = check('domains', list);
    expect(good).toBe(policy.success);
    if (policy.success) expect(text).toBe(policy.data.join(','));
    else for (const { message } of policy.error.issues.slice(0, 3)) expect(text).toContain(message);
  });

  it('a domain list: any other text', () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'Z', '0', '-', '.', ',', ':', '/', '*', ' ', '_', 'é'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(part, (list) => {
        const policy = policyKeys.allowedDomains.schema.safeParse(list.split(','));
        expect(check('domains', list).good).toBe(policy.success);
      }),
      { numRuns: 150 },
    );
  });

  const { s3Bucket, awsRegion, sink } = policyKeys;
  it.each(['abc', 'a.b-c', 'ab', 'Abc', '-abc', 'abc-', 'a'.repeat(63), 'a'.repeat(64), ''])(
    'bucket: %s',
    (value) => {
      expect(check('bucket', value).good).toBe(s3Bucket.schema.safeParse(value).success);
    },
  );
  it.each(['eu-central-1', 'us-gov-west-1', 'eu', 'e-1', 'eu-', 'EU-central-1', 'eu--1', 'eu-central-1 '])(
    'region: %s',
    (value) => {
      expect(check('region', value).good).toBe(awsRegion.schema.safeParse(value).success);
    },
  );
  it.each(['folder', 's3', 'S3', ''])('sink: %s', (value) => {
    expect(check('sink', value).good).toBe(sink.schema.safeParse(value).success);
  });
  it.each([
    ['1', true],
    ['5431', true],
    ['65535', true],
    ['65536', false],
    // Policy allows 0 for any free port, for tests; pages could not find it.
    ['0', false],
    ['-1', false],
    ['5431a', false],
    ['99999999999999999999', false],
  ])('port: %s', (value, good) => {
    expect(check('port', value).good).toBe(good);
  });
  it.each([
    ['arn:aws:kms:eu-central-1:123456789012:key/1', true],
    ['alias/recordings', true],
    ['two words', false],
    ['k'.repeat(2048), true],
    ['k'.repeat(2049), false],
    ['line\nend', false],
  ])('KMS key: %s', (value, good) => {
    expect(check('kmsKey', value).good).toBe(good);
  });
  it.each([
    ['0', true],
    ['1', true],
    ['2', false],
    ['yes', false],
  ])('flag: %s', (value, good) => {
    expect(check('flag', value).good).toBe(good);
  });
});
