import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { policyKeys } from '../../../main/policy/keys.ts';
import type { NamedContact, Naming } from '../../../main/publisher/objectKey.ts';
import { objectKey, objectTags } from '../../../main/publisher/objectKey.ts';
import { manifestKey } from '../../../main/publisher/sink.ts';
import { temporaryFolder } from '../support/folders.ts';

const instanceArn = 'arn:aws:connect:eu-central-1:123456789012:instance/11111111-aaaa';
const naming = {
  keyPrefix: 'connect/<alias>/ScreenRecordings',
  instanceAlias: null,
  attributesForKeys: [],
  s3Tags: [],
} satisfies Naming;
const parts = { instanceAlias: 'acme' as string | undefined, instanceArn, contactId: '6f2c1d3e-0a4b' };
const START = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

function named(of: Partial<typeof parts> = {}, contact: Partial<NamedContact['contact']> = {}): NamedContact {
  const { contactId, instanceAlias, ...arn } = { ...parts, ...of };
  return {
    contact: { contactId, channel: 'VOICE', ...contact },
    agent: { agentArn: 'arn:agent', ...arn, ...(instanceAlias === undefined ? {} : { instanceAlias }) },
  };
}

const keyOf = (of: Partial<typeof parts> = {}, startTime = START, prefix = naming.keyPrefix): string =>
  objectKey({ ...naming, keyPrefix: prefix }, named(of), startTime);

describe('the name of a recording', () => {
  it('is AWS’s: prefix, date and contact, with the start to the second', () => {
    expect(keyOf()).toBe('connect/acme/ScreenRecordings/2026/01/02/6f2c1d3e-0a4b_20260102T030405Z.mp4');
  });

  it('has date and time in UTC, to the last moment of a year', () => {
    expect(keyOf({}, Date.UTC(2026, 11, 31, 23, 59, 59, 999))).toMatch(
      /\/2026\/12\/31\/6f2c1d3e-0a4b_20261231T235959Z\.mp4$/,
    );
    expect(keyOf({}, Date.UTC(2027, 0, 1))).toMatch(/\/2027\/01\/01\/6f2c1d3e-0a4b_20270101T000000Z\.mp4$/);
  });

  it('has the instance’s id where there is no alias', () => {
    const key = (arn: string): string => keyOf({ instanceAlias: undefined, instanceArn: arn });
    expect(key(instanceArn)).toMatch(/^connect\/11111111-aaaa\/ScreenRecordings\//);
    expect(key('arn:aws/../..')).toMatch(/^connect\/instance\/ScreenRecordings\//);
    expect(key('arn:a b\\c')).toMatch(/^connect\/arn-a-b-c\/ScreenRecordings\//);
    expect(key('')).toMatch(/^connect\/instance\/ScreenRecordings\//);
  });

  it('has no part that a file system refuses, no matter what a page named', async () => {
    const key = (arn: string, instanceAlias?: string): string =>
      keyOf({ contactId: 'c'.repeat(128), instanceAlias, instanceArn: arn });
    const [one, other] = ['a', 'b'].map((end) => key(`arn:${'x'.repeat(2000)}${end}`)) as [string, string];
    expect(one).not.toBe(other);
    const root = await temporaryFolder();
    // As long as the sink's hidden names make it.
    const path = join(root, dirname(one), `.${basename(one)}.${'r'.repeat(36)}.part`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '');
    for (const alias of ['con', 'NUL', 'COM1', 'lpt9'])
      expect(key('arn', alias)).toMatch(new RegExp(`^connect/${alias}-/ScreenRecordings/`));
    expect(key('arn', 'console')).toMatch(/^connect\/console\//);
  });

  it('has the alias wherever the prefix asks for it, or nowhere', () => {
    const key = (prefix: string): string => keyOf({}, START, prefix);
    expect(key('<alias>/x/<alias>')).toMatch(/^acme\/x\/acme\/2026\//);
    expect(key('calls')).toMatch(/^calls\/2026\//);
  });

  it('neither begins with a slash nor has an empty part, however the prefix begins and ends', () => {
    for (const prefix of ['', '/', '//']) {
      expect(keyOf({}, START, prefix)).toBe('2026/01/02/6f2c1d3e-0a4b_20260102T030405Z.mp4');
    }
    expect(keyOf({}, START, '//calls/')).toMatch(/^calls\/2026\//);
  });
});

/** What a page may send: up to 1,024 of any UTF-16 units, and what has harmed others. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 1024 }),
  fc.string({
    unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    maxLength: 1024,
  }),
  fc.constantFrom(
    '../../x',
    '..',
    '.',
    '/',
    '\\',
    '\0',
    'a\0b',
    'x'.repeat(1024),
    '\u202egnp.exe',
    '\u200f',
    'CON',
    'nul.txt',
  ),
  fc.constantFrom(
    '<queue>',
    '<attribute:b>',
    '%2e%2e%2f',
    '~',
    '-',
    '*',
    ' ',
    '😀'.repeat(300),
    '𝒳'.repeat(300),
  ),
);

describe('placeholders', () => {
  const all = {
    ...naming,
    keyPrefix: 'a/<queue>/<channel>-<attribute:b>/<attribute:other>/<instanceId>',
    attributesForKeys: ['b', 'other'],
    s3Tags: ['queue=<queue>', 'b=x <attribute:b>', 'fixed=1', 'alias=<alias>'],
  };

  it('are replaced by what the page said of the contact', () => {
    const one = named({}, { queue: 'Billing EU', channel: 'CHAT', attributes: { b: 'case 4711', c: 'no' } });
    expect(objectKey(all, one, START)).toMatch(/^a\/Billing-EU\/CHAT-case-4711\/none\/11111111-aaaa\/2026\//);
    expect(objectTags(all, one)).toEqual({
      queue: 'Billing EU',
      b: 'x case 4711',
      fixed: '1',
      alias: 'acme',
    });
  });

  it('have policy’s alias before the page’s', () => {
    const key = objectKey({ ...naming, instanceAlias: 'Policy-1' }, named({ instanceAlias: 'page' }), START);
    expect(key).toMatch(/^connect\/Policy-1\//);
  });

  it('show no attribute that policy does not list, whatever its name', () => {
    const attributes = { b: 'seen', card: '4711' };
    const prefix = {
      ...all,
      keyPrefix: '<attribute:card>/<attribute:__proto__>/<attribute:constructor>/<attribute:b>',
    };
    expect(objectKey(prefix, named({}, { attributes }), START)).toMatch(/^none\/none\/none\/seen\//);
    const listed = { ...prefix, attributesForKeys: ['constructor', '__proto__', 'b'] };
    expect(objectKey(listed, named({}, { attributes }), START)).toMatch(/^none\/none\/none\/seen\//);
  });

  it('keep what lost letters or was cut distinct', () => {
    const key = (queue: string): string => objectKey(all, named({}, { queue }), START).split('/')[1] ?? '';
    expect(key('Ärzte')).toMatch(/^rzte-[0-9a-f]{8}$/);
    expect(key('Ärzte')).not.toBe(key('Örzte'));
    expect(key('x'.repeat(100))).not.toBe(key('x'.repeat(101)));
    expect(key('x'.repeat(100))).toHaveLength(64);
    expect(key('../..')).toBe('none');
    expect(key('../../x')).toBe('x');
  });

  it('make keys that stay in their folder and fit S3 and every file system, whatever a page sends', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (queue, b, arn) => {
        const one = named({ instanceArn: arn, contactId: 'c'.repeat(128) }, { queue, attributes: { b } });
        const key = objectKey(all, one, START);
        expect(objectKey(all, structuredClone(one), START)).toBe(key);
        expect(Buffer.byteLength(key)).toBeLessThanOrEqual(1024 - '_12345678'.length);
        expect(key).toMatch(/^[A-Za-z0-9!_.'()/-]+$/);
        expect(key).not.toContain('..');
        const folders = key.split('/').slice(0, -1);
        expect(folders).toHaveLength(8);
        expect(folders[0]).toBe('a');
        for (const folder of folders) {
          expect(folder.length).toBeGreaterThan(0);
          expect(folder.length).toBeLessThanOrEqual(255);
          expect(folder).not.toMatch(/^\.|\.$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
        }
      }),
    );
  });

  it('make tags that S3 accepts, whatever a page sends', () => {
    fc.assert(
      fc.property(hostile, hostile, (queue, b) => {
        const tags = objectTags(all, named({}, { queue, attributes: { b } }));
        for (const value of Object.values(tags)) {
          expect(value).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+@-]*$/u);
          expect(value.length).toBeLessThanOrEqual(256);
          expect(value).not.toBe('');
        }
        expect(Object.keys(tags)).toEqual(['queue', 'b', 'fixed', 'alias']);
      }),
    );
  });

  it('fill the longest prefix that policy accepts to a key that S3 accepts', () => {
    const keyPrefix =
      Array.from({ length: 5 }, () => `${'p'.repeat(80)}<instanceId>`).join('/') + `/${'q'.repeat(40)}`;
    expect(policyKeys.keyPrefix.schema.safeParse(keyPrefix).success).toBe(true);
    const long = named({ instanceArn: `arn/${'i'.repeat(500)}`, contactId: 'c'.repeat(128) });
    expect(objectKey({ ...all, keyPrefix }, long, START).length).toBeLessThanOrEqual(1015);
  });
});

describe('the name of a manifest', () => {
  it('is that of the recording, with another ending', () => {
    expect(manifestKey('calls/a.mp4_x.mp4')).toBe('calls/a.mp4_x.json');
  });
});
