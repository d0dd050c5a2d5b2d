import { describe, expect, it } from 'vitest';
import { proxyFromDesktop } from '../../../main/diagnostics/network/checkNetwork.ts';
import { NodeNetwork } from '../../../main/platform/network/nodeNetwork.ts';
import { sourcesFrom } from '../../../main/headless/options.ts';
import { policyKeys } from '../../../main/policy/keys.ts';
import {
  proxyFromAnswer,
  proxyFromEnvironment,
  proxyFromPolicy,
  proxyName,
} from '../../../main/platform/network/proxy.ts';

const route = (environment: Record<string, string>, host = 'acme.my.connect.aws') => {
  const found = proxyFromEnvironment(environment, host, 443);
  return found.kind === 'proxy' ? proxyName(found.url) : found.kind;
};

describe('the proxy of the environment', () => {
  it.each([
    [{}, 'direct'],
    [{ HTTPS_PROXY: '' }, 'direct'],
    [{ HTTP_PROXY: 'http://plain:1' }, 'direct'],
    [{ HTTPS_PROXY: 'http://proxy.example:3128' }, 'proxy.example:3128'],
    [{ HTTPS_PROXY: 'proxy.example:3128' }, 'proxy.example:3128'],
    [{ HTTPS_PROXY: 'http://proxy.example' }, 'proxy.example:80'],
    [{ HTTPS_PROXY: 'https://proxy.example' }, 'proxy.example:443'],
    [{ HTTPS_PROXY: 'http://big:1', https_proxy: 'http://small:2' }, 'small:2'],
    [{ ALL_PROXY: 'http://all:3' }, 'all:3'],
    [{ ALL_PROXY: 'socks5://all:3' }, 'unusable'],
    [{ HTTPS_PROXY: 'http://[' }, 'unusable'],
  ])('%j leads to %s', (environment, expected) => {
    expect(route(environment)).toBe(expected);
  });

  it.each([
    ['*', 'direct'],
    ['my.connect.aws', 'direct'],
    ['.my.connect.aws', 'direct'],
    ['*.my.connect.aws', 'direct'],
    ['other.example, acme.my.connect.aws', 'direct'],
    ['acme.my.connect.aws:443', 'direct'],
    ['acme.my.connect.aws:8443', 'proxy:1'],
    ['onnect.aws', 'proxy:1'],
    ['other.example', 'proxy:1'],
  ])('NO_PROXY %s leads to %s', (exceptions, expected) => {
    expect(route({ HTTPS_PROXY: 'http://proxy:1', NO_PROXY: exceptions })).toBe(expected);
  });

  it('is named without its user and password', () => {
    expect(proxyName(new URL('http://agent:s3cret@proxy.example:3128/'))).toBe('proxy.example:3128');
  });
});

describe('the proxy of policy', () => {
  it('is the one that it names, none, or one that Node cannot use', () => {
    expect(proxyFromPolicy(null)).toBeNull();
    expect(proxyFromPolicy('direct')).toEqual({ kind: 'direct' });
    expect(proxyFromPolicy('http://a:b@proxy.example:3128')).toMatchObject({ kind: 'proxy' });
    expect(proxyFromPolicy('pac+http://wpad/wpad.dat')).toMatchObject({ kind: 'unusable' });
  });

  it.each([
    ['direct', true],
    ['http://proxy.example:3128', true],
    ['https://proxy.example', true],
    ['http://alice:p%40ss@proxy.example:3128/', true],
    ['pac+http://wpad.example/wpad.dat', true],
    ['pac+file:///etc/proxy.pac', true],
    ['pac+ftp://wpad.example/', false],
    ['pac+https://alice:secret@wpad.example/', false],
    ['socks5://proxy.example:1080', false],
    ['http://alice:%@proxy.example', false],
    ['http://proxy.example/path', false],
    ['proxy.example:3128', false],
    ['', false],
  ])('may be %s: %s', (text, isValid) => {
    expect(policyKeys.proxyUrl.schema.safeParse(text).success).toBe(isValid);
  });

  it('is used from the next connection on, before that of the environment, and never for this computer', async () => {
    const policy: { proxyUrl: string | null; caFile: null } = { proxyUrl: null, caFile: null };
    const network = new NodeNetwork(policy, { HTTPS_PROXY: 'http://env.example:1' });
    const leads = async (to: string) => {
      const found = await network.routeTo(new URL(to));
      return found.kind === 'proxy' ? proxyName(found.url) : found.kind;
    };
    expect(await leads('https://s3.example/')).toBe('env.example:1');
    policy.proxyUrl = 'http://policy.example:2';
    expect(await leads('https://s3.example/')).toBe('policy.example:2');
    for (const here of ['https://127.0.0.1:8443/', 'https://localhost/', 'https://[::1]/'])
      expect(await leads(here)).toBe('direct');
    policy.proxyUrl = 'direct';
    expect(await leads('https://s3.example/')).toBe('direct');
  });

  it('has no password on the command line', () => {
    expect(() => sourcesFrom({ proxyUrl: 'http://alice:secret@proxy.example:3128' })).toThrow(
      /--proxy-url must not contain a password.*SIGHTLINE_PROXY_URL/,
    );
    expect(sourcesFrom({ proxyUrl: 'http://proxy.example:3128' }).flags).toEqual({
      proxyUrl: 'http://proxy.example:3128',
    });
  });
});

describe('the proxy of the desktop', () => {
  const named = (answer: string) => {
    const found = proxyFromAnswer(answer);
    return found.kind === 'proxy' ? found.url.href : found.kind;
  };
  it.each([
    ['DIRECT', 'direct'],
    ['', 'direct'],
    ['PROXY proxy.example:3128; DIRECT', 'http://proxy.example:3128/'],
    ['HTTPS proxy.example:8443;PROXY other.example:1', 'https://proxy.example:8443/'],
    ['DIRECT; PROXY proxy.example:3128', 'direct'],
    ['SOCKS5 proxy.example:1080', 'unusable'],
    ['PROXY', 'unusable'],
  ])('that answers "%s" is %s', (answer, expected) => {
    expect(named(answer)).toBe(expected);
  });

  it('is asked for the host and port, for a family by a made-up name', async () => {
    const asked: string[] = [];
    const resolve = (url: string) => Promise.resolve(`PROXY p.example:${asked.push(url)}`);
    const proxyFor = proxyFromDesktop(resolve, 1000);
    expect(await proxyFor('acme.my.connect.aws', 443)).toMatchObject({ kind: 'proxy' });
    await proxyFor('*.transport.example', 443);
    expect(asked).toEqual([
      'https://acme.my.connect.aws:443/',
      'https://sightline-check.transport.example:443/',
    ]);
  });

  it('that fails or never answers is reported, and nothing is tried', async () => {
    const why = async (resolve: () => Promise<string>) => {
      const found = await proxyFromDesktop(resolve, 30)('a.example', 443);
      return found.kind === 'unusable' ? found.why : found.kind;
    };
    expect(await why(() => Promise.reject(new Error('script away')))).toContain('script away');
    expect(await why(() => new Promise(() => undefined))).toContain('no answer within 0.03 s');
  });
});
