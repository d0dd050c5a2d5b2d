import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Redaction } from '../../../main/platform/redact.ts';
import {
  hashedHost,
  looksSecret,
  redactText,
  redactUrl,
  redactValue,
  secretsIn,
  urlSecrets,
} from '../../../main/platform/redact.ts';

const nobody: Redaction = { home: null, hostName: null, secrets: [] };
const alphabet = (characters: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...characters.split('')), minLength, maxLength });
const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LETTERS = CAPITALS + CAPITALS.toLowerCase();
const DIGITS = '0123456789';

/** A secret in the clothes in which logs show it, and the part of it that must be gone. */
const dressed = fc.oneof(
  alphabet(`${LETTERS + DIGITS}-._~+/`, 8, 60).map((secret) => ({ text: `Bearer ${secret}`, secret })),
  alphabet(CAPITALS + DIGITS, 16, 16).map((rest) => ({ text: `AKIA${rest}`, secret: rest })),
  alphabet(CAPITALS + DIGITS, 16, 16).map((rest) => ({ text: `key=ASIA${rest},`, secret: rest })),
  alphabet(`${LETTERS + DIGITS}+/`, 37, 37).map((rest) => ({ text: `(${rest}aB1)`, secret: rest })),
  alphabet(`${LETTERS + DIGITS}+/`, 60, 400).map((rest) => ({ text: `IQoJb3Jp${rest}==`, secret: rest })),
  alphabet(`${LETTERS + DIGITS}_-`, 20, 80).map((rest) => ({
    text: `eyJhbGci.${rest}.${rest}`,
    secret: rest,
  })),
  fc
    .tuple(
      fc.constantFrom(
        'token',
        'sessionToken',
        'PASSWORD',
        'client_secret',
        'x-api-key',
        'accessKeyId',
        'Cookie',
      ),
      fc.constantFrom('=', ': ', '": "', '\\":\\"', "='", ' = '),
      alphabet(`${LETTERS + DIGITS}!#%()*+-./?@^_~$`, 6, 40),
    )
    .map(([key, sign, secret]) => ({ text: `"${key}${sign}${secret}`, secret })),
  fc
    .tuple(
      fc.constantFrom('http', 'https', 'wss', 'socks5'),
      alphabet(LETTERS, 3, 10),
      alphabet(`${LETTERS + DIGITS}!$%*+-._~:@#?/`, 6, 30),
    )
    .map(([scheme, user, secret]) => ({ text: `${scheme}://${user}:${secret}@host.example:8080/p`, secret })),
  alphabet(`${LETTERS + DIGITS}%+-=&`, 8, 60).map((secret) => ({
    text: `https://host.example/path?${secret}#x`,
    secret,
  })),
);
const around = fc.string({ unit: fc.constantFrom(...'ab .,;{}[]"\n/ü'.split('')), maxLength: 30 });

describe('a secret in its clothes', () => {
  it('is gone from any text, and stays gone', () => {
    fc.assert(
      fc.property(dressed, around, around, ({ text, secret }, before, after) => {
        const redacted = redactText(`${before} ${text} ${after}`, nobody);
        expect(redacted).not.toContain(secret);
        expect(redactText(redacted, nobody)).not.toContain(secret);
      }),
      { numRuns: 3000 },
    );
  });

  it('is gone from any value, as JSON within JSON too', () => {
    fc.assert(
      fc.property(dressed, ({ text, secret }) => {
        const value = { reason: text, list: [{ [text]: 1 }], inner: JSON.stringify({ message: text }) };
        expect(JSON.stringify(redactValue(value, nobody))).not.toContain(secret);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a secret that is known', () => {
  it('is gone wherever it stands, whatever it looks like', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6, maxLength: 40 }), around, around, (secret, before, after) => {
        fc.pre(!'[left-out]'.includes(secret));
        const redaction = { ...nobody, secrets: [secret] };
        for (const form of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)])
          expect(redactText(`${before}${form}${after}`, redaction)).not.toContain(form);
      }),
    );
  });

  it('is found in the environment by its name, and in URLs', () => {
    const found = secretsIn({
      AWS_SECRET_ACCESS_KEY: 'one',
      AWS_REGION: 'eu-central-1',
      HTTPS_PROXY: 'http://u:p%40ss@proxy:3128',
      PWD: '/home/a',
      NOTHING: undefined,
    });
    expect(found).toEqual(['one', 'u', 'u', 'p%40ss', 'p@ss']);
    expect(urlSecrets('no url, and https://plain.example/a')).toEqual([]);
  });
});

describe('a value under a key', () => {
  it('that looks secret or private is gone, numbers and objects too', () => {
    const value = {
      apiKey: 1234567,
      AWS_SESSION_TOKEN: { a: 'b' },
      attributes: { name: 'x' },
      queue: 'q',
      environment: ['A=b'],
      key: 'connect/acme/a.mp4',
      source: 'environment',
    };
    expect(redactValue(value, nobody)).toEqual({
      apiKey: '[left-out]',
      AWS_SESSION_TOKEN: '[left-out]',
      attributes: '[left-out]',
      queue: '[left-out]',
      environment: '[left-out]',
      key: 'connect/acme/a.mp4',
      source: 'environment',
    });
  });

  it.each(['monitor', 'key', 's3KmsKeyId', 'author', 'basic', 'keyPrefix'])('%s is no secret', (key) => {
    expect(looksSecret(key)).toBe(false);
  });
});

describe('an URL', () => {
  it.each([
    ['https://u:p@h.example:8443/a/b?c=d#e', 'https://h.example:8443/a/b?…'],
    ['https://h.example/a', 'https://h.example/a'],
    ['http://[::1]:5431/v1', 'http://[::1]:5431/v1'],
    ['https://u:pa/ss@h.example/', 'https://[left-out]'],
    ['https://u:12/ss@h.example/', 'https://[left-out]'],
    ['https://u:p', 'https://[left-out]'],
    ['s3://bucket/some@where/a.mp4', 's3://bucket/some@where/a.mp4'],
    ['no url', '[left-out]'],
  ])('%s is shown as %s', (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
    expect(redactUrl(shown)).toBe(shown);
  });
});

describe('whose machine it is', () => {
  it.each([
    ['/home/alice', 'open /home/alice/x and /home/alicex', 'open ~/x and ~'],
    ['/home/alice', '/home/bob/x, /Users/carol/y', '~/x, ~/y'],
    ['/srv', '/srv/data /srvfs', '~/data /srvfs'],
    ['/tmp/h o m e', 'file:///tmp/h%20o%20m%20e/a', 'file://~/a'],
    ['C:\\Users\\Jane Doe', 'C:\\Users\\Jane Doe\\AppData', '~\\AppData'],
    ['C:\\Users\\Jane Doe', JSON.stringify('C:\\Users\\Jane Doe\\AppData'), '"~\\\\AppData"'],
    ['D:\\x', 'c:/users/someone else/AppData', '~/AppData'],
  ])('with the home %s: %s', (home, text, shown) => {
    expect(redactText(text, { ...nobody, home })).toBe(shown);
  });

  it('is a hash, the same each time', () => {
    const redaction = { ...nobody, hostName: 'DESK-42.corp.example' };
    const hash = hashedHost('desk-42.CORP.example');
    expect(hash).toMatch(/^host-[0-9a-f]{10}$/);
    expect(redactText('at desk-42, DESK-42.corp.example; DESK-421', redaction)).toBe(
      `at ${hash}, ${hash}; DESK-421`,
    );
    expect(redactText('on localhost', { ...nobody, hostName: 'localhost' })).toBe('on localhost');
  });
});

describe('what support needs', () => {
  it.each([
    'CLIENT_AUTH_ERROR: S3 refused the credentials. Ask IT for the right to put objects.',
    'arn:aws:connect:eu-central-1:123456789012:instance/11111111-2222-3333-4444-555555555555/agent/alice',
    "ffmpeg -f x11grab -i :1+0,0 -vf 'scale=flags=area' -enc_time_base 1/1000 pipe:1",
    `sha256 ${'0123456789abcdef'.repeat(4)}, sha1 ${'0123456789abcdef'.repeat(2)}01234567`,
    's3://acme-recordings/connect/acme/ScreenRecordings/2026/11/21/c_20261121T084603Z.mp4',
  ])('stays: %s', (text) => {
    expect(redactText(text, nobody)).toBe(text);
  });

  it('takes time that grows with the text only', () => {
    const long = ['a', 'a.', 'https:', '-token', 'eyJ'].map((word) => word.repeat(60_000 / word.length));
    const began = performance.now();
    for (const text of long) redactText(text, { ...nobody, home: '/home/a', hostName: 'desk' });
    expect(performance.now() - began).toBeLessThan(2000);
  });
});

describe('addresses', () => {
  it.each([
    ['this network is seen as 203.0.113.7:50000', 'this network is seen as public-address:50000'],
    ['connected to 192.168.1.20 in 7 ms.', 'connected to private-address in 7 ms.'],
    ['10.0.0.1, 172.16.9.9, 100.64.1.1, 8.8.8.8.', `${'private-address, '.repeat(3)}public-address.`],
    ['2600:1f18::17, fd00::1 and fe80::1%eth0', 'public-address, private-address and private-address'],
    ['https://10.1.2.3:9000/bucket', 'https://private-address:9000/bucket'],
    ['https://[2600:1f18::17]:443/', 'https://public-address:443/'],
    ['{"seen":"203.0.113.7"}', '{"seen":"public-address"}'],
    ['::ffff:203.0.113.7', 'public-address'],
    ['::ffff:10.0.0.7', 'private-address'],
    ['172.32.0.1 100.128.0.1 fec0::1', 'public-address public-address public-address'],
  ])('%s: only whether it is within the company', (text, shown) => {
    expect(redactText(text, nobody)).toBe(shown);
    expect(redactText(shown, nobody)).toBe(shown);
  });

  it.each([
    '127.0.0.1:5431, [::1]:5431, ::ffff:127.0.0.1 and what a DNS filter answers: 0.0.0.0, ::',
    'Mozilla/5.0 (X11) Chrome/126.0.0.0 Safari/537.36',
    'at 12:34:56, 2026-11-21T10:05:52.000Z',
    'arn:aws:s3:::acme/x and arn:aws:events:eu-central-1:123456789012:event-bus/b',
    'ffmpeg 5.1.9-0+deb12u1, 10.0.22631, 1.2.3.4.5, 999.1.1.1',
  ])('%s: stays', (text) => {
    expect(redactText(text, nobody)).toBe(text);
  });
});
