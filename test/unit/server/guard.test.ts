// One test for each attack on the loopback server that headers can show, named by the attack.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuardPolicy } from '../../../main/server/guard.ts';
import { judge } from '../../../main/server/guard.ts';

const PORT = 5431;
const HOST = `127.0.0.1:${PORT}`;
const GOOD = 'https://acme.my.connect.aws';

const policy: GuardPolicy = {
  allowedDomains: ['acme.my.connect.aws', 'ccp.example.com'],
  allowLoopbackOrigins: false,
};
const development: GuardPolicy = { ...policy, allowLoopbackOrigins: true };

const allows = (origin: string | undefined, by = policy, host: string | undefined = HOST): boolean =>
  judge(host, origin, PORT, by).allowed;

describe('a page that is allowed', () => {
  it('gets in from each allowed domain, by https on its default port', () => {
    for (const origin of [GOOD, 'https://ccp.example.com']) {
      expect(judge(HOST, origin, PORT, policy)).toEqual({ allowed: true, origin });
    }
  });

  it('gets in under every loopback name and address that we listen on', () => {
    for (const host of ['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]']) {
      expect(allows(GOOD, policy, `${host}:${PORT}`)).toBe(true);
    }
  });

  it('gets in without a port in Host only where ours is that of http', () => {
    expect(judge('localhost', GOOD, 80, policy).allowed).toBe(true);
    expect(judge('localhost', GOOD, PORT, policy).allowed).toBe(false);
  });
});

describe('an attack by Host', () => {
  it.each([
    ['DNS rebinding: a foreign name that resolves to us', `attacker.example:${PORT}`],
    ['DNS rebinding by an allowed domain’s name', `acme.my.connect.aws:${PORT}`],
    ['DNS rebinding under a name that begins like ours', `localhost.attacker.example:${PORT}`],
    ['DNS rebinding under a name that begins like our address', `127.0.0.1.attacker.example:${PORT}`],
    ['a name with a dot at its end', `localhost.:${PORT}`],
    ['a sub-domain of localhost', `a.localhost:${PORT}`],
    ['another port', '127.0.0.1:5432'],
    ['another port that ends like ours', `127.0.0.1:1${PORT}`],
    ['another port that ends like ours and is none', `127.0.0.1:100000${PORT}`],
    ['no port', '127.0.0.1'],
    ['an empty port', '127.0.0.1:'],
    ['IPv4 in its short form', `127.1:${PORT}`],
    ['IPv4 in hexadecimal', `0x7f000001:${PORT}`],
    ['IPv4 in decimal', `2130706433:${PORT}`],
    ['IPv4 in octal', `0177.0.0.1:${PORT}`],
    ['another address of the loopback network', `127.0.0.2:${PORT}`],
    ['every address of this machine', `0.0.0.0:${PORT}`],
    ['IPv4 within IPv6', `[::ffff:127.0.0.1]:${PORT}`],
    ['IPv6 in its long form', `[0:0:0:0:0:0:0:1]:${PORT}`],
    ['IPv6 without brackets', `::1:${PORT}`],
    ['IPv6 with a zone', `[::1%25lo]:${PORT}`],
    ['a user name before ours', `attacker@127.0.0.1:${PORT}`],
    ['two names', `127.0.0.1:${PORT}, attacker.example`],
    ['a line break after ours', `127.0.0.1:${PORT}\n`],
    ['spaces around ours', ` 127.0.0.1:${PORT} `],
    ['an address of the network', `192.168.1.10:${PORT}`],
    ['nothing', ''],
  ])('is refused: %s', (_, host) => {
    expect(judge(host, GOOD, PORT, policy)).toEqual({
      allowed: false,
      reason: 'Host is not a loopback name or address with our port',
    });
  });

  it('is refused: no Host at all', () => {
    expect(judge(undefined, GOOD, PORT, policy).allowed).toBe(false);
  });

  it('is refused before Origin is even looked at, in development too', () => {
    expect(allows('http://localhost:3000', development, `attacker.example:${PORT}`)).toBe(false);
  });
});

describe('an attack by Origin', () => {
  it('is refused: none at all, as from a program that is no browser', () => {
    expect(judge(HOST, undefined, PORT, policy)).toEqual({ allowed: false, reason: 'Origin is missing' });
    expect(allows(undefined, development)).toBe(false);
  });

  it('is refused: "null", as from a sandboxed frame or a file', () => {
    expect(judge(HOST, 'null', PORT, policy)).toEqual({ allowed: false, reason: 'Origin is "null"' });
    expect(allows('null', development)).toBe(false);
  });

  it.each([
    ['http, which any machine on the network can serve', 'http://acme.my.connect.aws'],
    ['a scheme that is neither', 'ftp://acme.my.connect.aws'],
    ['a websocket scheme', 'wss://acme.my.connect.aws'],
    ['a browser extension', 'chrome-extension://acme.my.connect.aws'],
    ['a blob of an allowed page', 'blob:https://acme.my.connect.aws'],
    ['another port of an allowed host', 'https://acme.my.connect.aws:8443'],
    ['the default port spelled out, which no browser does', 'https://acme.my.connect.aws:443'],
    ['http on the port of https', 'http://acme.my.connect.aws:443'],
    ['an empty port', 'https://acme.my.connect.aws:'],
    ['a sub-domain', 'https://evil.acme.my.connect.aws'],
    ['the domain above', 'https://my.connect.aws'],
    ['another instance', 'https://evil.my.connect.aws'],
    ['a look-alike with more at its front', 'https://notacme.my.connect.aws'],
    ['a look-alike with more at its end', 'https://acme.my.connect.aws.evil.example'],
    ['a look-alike with a dash for a dot', 'https://acme-my.connect.aws'],
    ['a look-alike that differs where a pattern would take any letter', 'https://acmeXmy.connect.aws'],
    ['a user name that looks like the host', 'https://acme.my.connect.aws@evil.example'],
    ['a user name and a password', 'https://acme.my.connect.aws:443@evil.example'],
    ['a user name before an allowed host', 'https://evil@acme.my.connect.aws'],
    ['a path', 'https://acme.my.connect.aws/'],
    ['a path that names another', 'https://acme.my.connect.aws/evil.example'],
    ['a query', 'https://acme.my.connect.aws?x'],
    ['a fragment', 'https://acme.my.connect.aws#x'],
    ['a backslash', 'https://acme.my.connect.aws\\@evil.example'],
    ['upper case, which no browser sends', 'https://ACME.my.connect.aws'],
    ['an upper-case scheme', 'HTTPS://acme.my.connect.aws'],
    ['a dot at the end', 'https://acme.my.connect.aws.'],
    ['an international look-alike', 'https://аcme.my.connect.aws'],
    ['the same, as browsers send it', 'https://xn--cme-6cd.my.connect.aws'],
    ['letters that browsers would map to ours', 'https://ａcme.my.connect.aws'],
    ['an encoded dot', 'https://acme%2Emy.connect.aws'],
    ['a space before', ' https://acme.my.connect.aws'],
    ['a line break after', 'https://acme.my.connect.aws\n'],
    ['a tab within', 'https://acme.my\t.connect.aws'],
    ['two of them', 'https://acme.my.connect.aws https://evil.example'],
    ['two of them, as of repeated headers', 'https://acme.my.connect.aws, https://evil.example'],
    ['the name alone', 'acme.my.connect.aws'],
    ['any', '*'],
    ['nothing', ''],
  ])('is refused: %s', (_, origin) => {
    expect(allows(origin)).toBe(false);
    expect(allows(origin, development)).toBe(false);
  });

  it('is refused unless it is exactly one of ours', () => {
    const pieces = fc.constantFrom(
      'https://',
      'http://',
      '//',
      'acme.my.connect.aws',
      'ccp.example.com',
      'evil.example',
      'localhost',
      '@',
      ':443',
      ':',
      '/',
      '\\',
      '.',
      '#',
      '?',
      '%2e',
      '\t',
      ' ',
      '\0',
      'ß',
    );
    const text = fc.oneof(
      fc.array(pieces, { maxLength: 6 }).map((all) => all.join('')),
      fc.string(),
      fc.webUrl(),
    );
    const ours = policy.allowedDomains.map((name) => `https://${name}`);
    fc.assert(
      fc.property(text, (origin) => {
        expect(allows(origin)).toBe(ours.includes(origin));
      }),
      { numRuns: 600 },
    );
  });

  it('is quoted only up to a length that a log line can have', () => {
    const verdict = judge(HOST, `https://${'x'.repeat(100_000)}.example`, PORT, policy);
    expect(verdict.allowed ? '' : verdict.reason).toMatch(/^Origin https:\/\/x+ is not in "allowedDomains"$/);
    expect(verdict.allowed ? Infinity : verdict.reason.length).toBeLessThan(400);
  });
});

describe('pages served from this machine', () => {
  const local = [
    'http://localhost',
    'http://localhost:3000',
    'https://localhost:8443',
    'http://127.0.0.1:3000',
    'http://127.8.9.10',
    'http://[::1]:3000',
  ];

  it('are refused unless policy allows them', () => {
    for (const origin of local) expect(allows(origin)).toBe(false);
  });

  it('get in with any scheme and port when policy allows them', () => {
    for (const origin of local) {
      expect(judge(HOST, origin, PORT, development)).toEqual({ allowed: true, origin });
    }
  });

  it('leave allowed domains as they are', () => {
    expect(allows(GOOD, development)).toBe(true);
    expect(allows('http://acme.my.connect.aws', development)).toBe(false);
    expect(allows('https://evil.example', development)).toBe(false);
  });

  it.each([
    ['a name that begins like it', 'http://localhost.attacker.example'],
    ['a name that ends like it', 'http://notlocalhost'],
    ['a sub-domain of it', 'http://a.localhost'],
    ['a dot at its end', 'http://localhost.'],
    ['a name that begins like its address', 'http://127.0.0.1.attacker.example'],
    ['IPv4 in its short form, which no browser sends', 'http://127.1'],
    ['IPv4 in hexadecimal, which no browser sends', 'http://0x7f000001'],
    ['IPv4 in decimal, which no browser sends', 'http://2130706433'],
    ['IPv4 within IPv6', 'http://[::ffff:7f00:1]'],
    ['IPv6 in its long form, which no browser sends', 'http://[0:0:0:0:0:0:0:1]'],
    ['every address of this machine', 'http://0.0.0.0'],
    ['an address of the network', 'http://192.168.1.10'],
    ['a user name that looks like it', 'http://localhost@evil.example'],
    ['a file', 'file://'],
    ['a file of a machine of that name', 'file://localhost'],
  ])('are not to be confused with %s', (_, origin) => {
    expect(allows(origin, development)).toBe(false);
  });
});

describe('no allowed domains', () => {
  it('allow no page', () => {
    const none = { allowedDomains: [], allowLoopbackOrigins: false };
    for (const origin of [GOOD, 'https://', 'https://localhost', ''])
      expect(allows(origin, none)).toBe(false);
  });
});
