// The network's checks against stand-ins on loopback, each of which does to a connection what a network does to it; and
// `sightline doctor --instance` as a whole.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CheckResult } from '../../main/diagnostics/check.ts';
import { checkNetwork, checkTarget } from '../../main/diagnostics/network/checkNetwork.ts';
import { targetsOf } from '../../main/diagnostics/network/hosts.ts';
import type {
  NetworkCheck,
  NetworkLimits,
  NetworkPorts,
  Target,
} from '../../main/diagnostics/network/types.ts';
import { DEFAULT_LIMITS } from '../../main/diagnostics/network/types.ts';
import { NodeNetwork } from '../../main/platform/network/nodeNetwork.ts';
import type { Authority, Identity, StandIn } from '../rig/networkHosts.ts';
import {
  makeAuthority,
  startBlackhole,
  startPlainHost,
  startProxy,
  startStunHost,
  startTlsHost,
  startTlsOpener,
} from '../rig/networkHosts.ts';

const HOST = 'acme.my.connect.aws';
const tcp: Target = {
  ...{ host: HOST, port: 443, protocol: 'tcp', purpose: 'CCP page' },
  ...{ websocket: true, isOptional: false },
};
const udp: Target = {
  host: 'turn.example',
  port: 3478,
  protocol: 'udp',
  purpose: 'softphone media',
  websocket: false,
  isOptional: false,
};
const family: Target = { ...tcp, host: '*.transport.connect.eu-central-1.amazonaws.com' };
/** For hosts that are silent; the others get the program's own, so that a busy machine fails no test. */
const impatient = { ...DEFAULT_LIMITS, tcpMs: 700, websocketMs: 700, stunMs: 1200, stunFirstWaitMs: 100 };

let folder: string;
let aws: Authority;
let corporate: Authority;
let identity: Identity;
const standIns: StandIn[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sightline-network-'));
  [aws, corporate] = [await makeAuthority(folder, 'Amazon'), await makeAuthority(folder, 'Corp Proxy')];
  identity = await aws.issue(HOST);
});
afterEach(async () => {
  for (const standIn of standIns.splice(0)) await standIn.stop();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function start<T extends StandIn>(standIn: Promise<T>): Promise<T> {
  const started = await standIn;
  standIns.push(started);
  return started;
}

function portsTo(port: number, changes: Partial<NetworkPorts> = {}): NetworkPorts {
  return {
    resolve: () => Promise.resolve(['192.0.2.1']),
    dial: () => ({ address: '127.0.0.1', port }),
    proxyFor: () => Promise.resolve({ kind: 'direct' }),
    trustedRoots: aws.root,
    network: new NodeNetwork(),
    platform: 'win32',
    ...changes,
  };
}

async function check(target: Target, ports: NetworkPorts, limits: NetworkLimits = DEFAULT_LIMITS) {
  const checks = await checkTarget(target, { ports, limits, whole: new AbortController().signal });
  const steps: Record<string, NetworkCheck> = {};
  for (const one of checks) steps[one.name.split(' ').at(-1)!] = one;
  const { dns, tcp, proxy, tls, websocket, stun } = steps;
  const verdicts = Object.entries(steps).map(([step, { verdict }]) => `${step} ${verdict}`);
  return { verdicts, dns, tcp, proxy, tls, websocket, stun };
}

describe('a TCP host', () => {
  it('that is reached is ok in each step', async () => {
    const host = await start(startTlsHost(identity));
    const { verdicts, tls, websocket } = await check(tcp, portsTo(host.port));
    expect(verdicts).toEqual(['dns ok', 'tcp ok', 'tls ok', 'websocket ok']);
    expect(tls!.evidence).toMatch(/TLSv1\.3, certificate issued by "Amazon Test Root" of "Amazon"/);
    expect(websocket!.evidence).toBe('upgraded (101)');
  });

  it('whose name does not resolve is failed, and nothing else is tried', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    const { verdicts, dns, tcp: connection } = await check(tcp, portsTo(1, { resolve }));
    expect(verdicts).toEqual(['dns failed', 'tcp skipped', 'tls skipped', 'websocket skipped']);
    expect(dns!.remedy).toContain(`Allow ${HOST}, TCP 443, in firewall and proxy (for: CCP page).`);
    expect(connection!.evidence).toBe('not tried: dns failed');
  });

  it.each(['0.0.0.0', '127.0.0.1', '::'])('whose name leads to %s is blocked by a DNS filter', async (a) => {
    const { verdicts, dns } = await check(tcp, portsTo(1, { resolve: () => Promise.resolve([a]) }));
    expect(verdicts[0]).toBe('dns failed');
    expect(dns!.evidence).toContain('DNS filter');
  });

  it('that not every instance has is skipped without a name, and a warning when it cannot be reached', async () => {
    const former = { ...tcp, host: 'acme.awsapps.com', isOptional: true };
    const resolve = () => Promise.reject(Object.assign(new Error('x'), { code: 'ENOTFOUND' }));
    const { verdicts, dns } = await check(former, portsTo(1, { resolve }));
    expect(verdicts).toEqual(['dns skipped', 'tcp skipped', 'tls skipped', 'websocket skipped']);
    expect(dns!.evidence).toBe('the name is not known to DNS (ENOTFOUND); not every instance has this host');
    const gone = await startPlainHost(null);
    await gone.stop();
    const blocked = await check(former, portsTo(gone.port));
    expect(blocked.verdicts).toEqual(['dns ok', 'tcp warning', 'tls skipped', 'websocket skipped']);
    expect(blocked.tcp!.remedy).toMatch(
      /^If your agents use this address: allow acme\.awsapps\.com, TCP 443/,
    );
    expect(blocked.tls!.evidence).toBe('not tried: tcp failed');
  });

  it('that swallows connections is failed at the deadline, with what to allow', async () => {
    const host = await start(startBlackhole());
    const { verdicts, tcp: connection } = await check(tcp, portsTo(host.port), impatient);
    expect(verdicts.slice(0, 3)).toEqual(['dns ok', 'tcp failed', 'tls skipped']);
    expect(connection!.evidence).toBe('no answer within 0.7 s; a firewall drops it');
    expect(connection!.remedy).toContain(`Allow ${HOST}, TCP 443`);
  });

  it('that refuses connections says so', async () => {
    const gone = await startPlainHost(null);
    await gone.stop();
    const { tcp: connection } = await check(tcp, portsTo(gone.port));
    expect(connection).toMatchObject({ verdict: 'failed', evidence: 'refused (ECONNREFUSED)' });
  });

  it('is reached when one of its addresses is', async () => {
    const dead = await start(startBlackhole());
    const host = await start(startTlsHost(identity));
    const { verdicts } = await check(tcp, {
      ...portsTo(0, { resolve: () => Promise.resolve(['192.0.2.1', '192.0.2.2']) }),
      dial: ({ address }) => ({
        address: '127.0.0.1',
        port: address === '192.0.2.1' ? dead.port : host.port,
      }),
    });
    expect(verdicts).toEqual(['dns ok', 'tcp ok', 'tls ok', 'websocket ok']);
  });
});

describe('TLS', () => {
  it('that an untrusted box opens is failed and names the box; the websocket it drops is told', async () => {
    const host = await start(startTlsOpener(await corporate.issue(HOST)));
    const { verdicts, tls, websocket } = await check(tcp, portsTo(host.port));
    expect(verdicts).toEqual(['dns ok', 'tcp ok', 'tls failed', 'websocket warning']);
    expect(tls!.evidence).toContain('"Corp Proxy Test Root" of "Corp Proxy"');
    expect(tls!.remedy).toMatch(/^Exclude .* from TLS inspection/);
    expect(websocket!.evidence).toContain('answered with 426 by upstream, 1.1 box');
    expect(websocket!.remedy).toContain('Let websockets');
  });

  it('that a trusted box opens is a warning that names the box', async () => {
    const host = await start(startTlsOpener(await corporate.issue(HOST)));
    const { tls } = await check(tcp, portsTo(host.port, { trustedRoots: corporate.root }));
    expect(tls!.verdict).toBe('warning');
    expect(tls!.evidence).toContain("none of AWS's issuers");
  });

  it('with a certificate for another name, or one that has expired, is failed for that reason', async () => {
    const other = await start(startTlsHost(await aws.issue('portal.example')));
    expect((await check(tcp, portsTo(other.port))).tls).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringContaining('another name') as string,
    });
    const old = await start(startTlsHost(await aws.issue(HOST, { expired: true })));
    expect((await check(tcp, portsTo(old.port))).tls).toMatchObject({
      verdict: 'failed',
      evidence: expect.stringContaining('CERT_HAS_EXPIRED') as string,
      remedy: expect.stringContaining("Set this machine's clock") as string,
    });
  });

  it('that is none, or is cut off, is failed, and no websocket is tried', async () => {
    const portal = await start(startPlainHost('HTTP/1.1 302 Found\r\nLocation: http://portal/\r\n\r\n'));
    const plain = await check(tcp, portsTo(portal.port));
    expect(plain.tls!.evidence).toContain('does not speak TLS');
    expect(plain.verdicts.at(-1)).toBe('websocket skipped');
    const cutting = await start(startPlainHost(null));
    expect((await check(tcp, portsTo(cutting.port))).tls!.evidence).toContain('cut off (ECONNRESET)');
  });
});

describe('a websocket', () => {
  it.each([
    ['refuse', 'ok', /answered with 404 by stand-in, by the service itself/],
    ['wrong key', 'failed', /not a websocket server/],
    ['cut', 'failed', /not answered: .*cut off|not answered: socket hang up/],
    ['silent', 'failed', /not answered: no answer within 0\.7 s/],
  ] as const)('that the host answers with "%s" is %s', async (how, verdict, evidence) => {
    const host = await start(startTlsHost(identity, how));
    const { websocket } = await check(tcp, portsTo(host.port), impatient);
    expect(websocket!.verdict).toBe(verdict);
    expect(websocket!.evidence).toMatch(evidence);
  });
});

describe('behind a proxy', () => {
  const through = (port: number, user = '') =>
    portsTo(1, {
      resolve: () => Promise.reject(new Error('must not be asked')),
      proxyFor: () => Promise.resolve({ kind: 'proxy', url: new URL(`http://${user}127.0.0.1:${port}`) }),
    });

  it('a host is tried through its tunnel, name and port as they are', async () => {
    const host = await start(startTlsHost(identity));
    const proxy = await start(startProxy(() => ({ port: host.port })));
    const result = await check(tcp, through(proxy.port, 'agent:s3cret@'));
    expect(result.verdicts).toEqual(['proxy ok', 'tls ok', 'websocket ok']);
    const authorization = `Basic ${Buffer.from('agent:s3cret').toString('base64')}`;
    expect(proxy.asked).toEqual([{ target: `${HOST}:443`, authorization }]);
    expect(JSON.stringify(result)).not.toMatch(/s3cret|agent/);
  });

  it.each([
    [403, /refuses the tunnel \(403\)/, /Put acme\.my\.connect\.aws, TCP 443, method CONNECT/],
    [407, /asks for a sign-in with Negotiate, Basic \(407\)/, /without a sign-in/],
    [502, /does not reach the host \(502\)/, /proxy itself can resolve/],
  ])('that answers %i the host is failed', async (status, evidence, remedy) => {
    const proxy = await start(startProxy(() => ({ status })));
    const { verdicts, proxy: asked } = await check(tcp, through(proxy.port));
    expect(verdicts).toEqual(['proxy failed', 'tls skipped', 'websocket skipped']);
    expect(asked!.evidence).toMatch(evidence);
    expect(asked!.remedy).toMatch(remedy);
  });

  it('that is away the proxy is what is to be mended', async () => {
    const gone = await startPlainHost(null);
    await gone.stop();
    expect((await check(tcp, through(gone.port))).proxy!.evidence).toMatch(/cannot be reached: refused/);
  });

  it('a family of names shows whether the proxy refuses it, and no more', async () => {
    const strict = await start(startProxy(() => ({ status: 403 })));
    expect((await check(family, through(strict.port))).verdicts).toEqual(['proxy failed']);
    const lenient = await start(startProxy(() => ({ status: 503 })));
    const { proxy } = await check(family, through(lenient.port));
    expect(proxy!.verdict).toBe('skipped');
    expect(proxy!.evidence).toContain('did not refuse');
    expect(lenient.asked[0]!.target).toMatch(/^sightline-check\.transport\./);
  });
});

describe('a TURN host', () => {
  it('that answers is ok, and says how this network is seen', async () => {
    const turn = await start(startStunHost(0));
    const { verdicts, stun } = await check(udp, portsTo(turn.port));
    expect(verdicts).toEqual(['dns ok', 'stun ok']);
    expect(stun!.evidence).toMatch(/this network is seen as 127\.0\.0\.1:\d+/);
    expect(turn.requests).toHaveLength(1);
    expect(turn.requests[0]).toHaveLength(20);
  });

  it('is asked again when packets are lost, which is a warning', async () => {
    const turn = await start(startStunHost(2));
    const { stun } = await check(udp, portsTo(turn.port), impatient);
    expect(stun!.verdict).toBe('warning');
    expect(stun!.evidence).toMatch(/after [3-5] requests/);
    expect(new Set(turn.requests.map((request) => request.toString('hex'))).size).toBe(1);
  });

  it('that answers with an error has been reached', async () => {
    const turn = await start(startStunHost(0, 'error'));
    const { stun } = await check(udp, portsTo(turn.port));
    expect(stun).toMatchObject({
      verdict: 'ok',
      evidence: expect.stringContaining('STUN error 401') as string,
    });
  });

  it('that is silent is a warning at the deadline: nobody knows whether it would answer', async () => {
    const turn = await start(startStunHost(Infinity));
    const { stun } = await check(udp, portsTo(turn.port), impatient);
    expect(stun!.verdict).toBe('warning');
    expect(stun!.evidence).toBe(
      'no answer within 1.2 s; either UDP 3478 is blocked or the host does not answer without credentials',
    );
    expect(stun!.remedy).toContain('Allow turn.example, UDP 3478, with answers to');
    expect(stun!.remedy).toContain('49152-65535');
    expect(turn.requests.length).toBeGreaterThanOrEqual(3);
  });

  it('that refuses (ICMP) says so at once', async () => {
    const gone = await startStunHost(0);
    await gone.stop();
    const { stun } = await check(udp, portsTo(gone.port));
    expect(stun).toMatchObject({ verdict: 'failed' });
    expect(stun!.evidence).toContain('refused (ECONNREFUSED)');
  });
});

describe('all hosts of an instance', () => {
  it('end within the time for everything where nothing answers, and each is named', async () => {
    const host = await start(startBlackhole());
    const turn = await start(startStunHost(Infinity));
    const ports = portsTo(0, {});
    const started = performance.now();
    const checks = await checkNetwork(
      { alias: 'acme', region: 'us-west-2' },
      {
        ...ports,
        dial: ({ port }) => ({ address: '127.0.0.1', port: port === 3478 ? turn.port : host.port }),
      },
      { ...DEFAULT_LIMITS, atOnce: 2, totalMs: 1000 },
    );
    expect(performance.now() - started).toBeLessThan(9000);
    for (const { host: name } of targetsOf({ alias: 'acme', region: 'us-west-2' }))
      expect(checks.some((one) => one.name.includes(` ${name}:`))).toBe(true);
    expect(checks.filter(({ evidence }) => evidence.includes('time for all checks was over'))).not.toEqual(
      [],
    );
  });
});

describe('sightline doctor', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));

  async function doctor(args: string[], environment: Record<string, string> = {}) {
    const inherited = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => name !== 'DISPLAY' && !/proxy$/i.test(name)),
    );
    return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        [join(root, 'dist/main/headless.mjs'), 'doctor', '--port', '0', ...args],
        {
          env: {
            ...inherited,
            HOME: folder,
            XDG_DATA_HOME: join(folder, 'share'),
            NODE_OPTIONS: `--import=${new URL('../rig/loopbackNetwork.mjs', import.meta.url).href}`,
            NODE_EXTRA_CA_CERTS: aws.rootFile,
            ...environment,
          },
        },
        (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
      );
    });
  }

  const networkOf = (stdout: string) =>
    (JSON.parse(stdout) as { checks: CheckResult[] }).checks.filter(({ name }) => name.startsWith('network'));

  it('checks every host of the instance that is named', async () => {
    const ports: Record<string, number> = {};
    for (const { host, protocol } of targetsOf({ alias: 'acme', region: 'eu-central-1' })) {
      if (host.includes('*')) continue;
      const standIn = protocol === 'udp' ? startStunHost(0) : startTlsHost(await aws.issue(host));
      ports[host] = (await start<StandIn>(standIn)).port;
    }
    const upload = 'connect-recording-staging-1.s3.dualstack.eu-central-1.amazonaws.com';
    ports[upload] = (await start(startTlsHost(await aws.issue(upload)))).port;
    const list = join(folder, 'list.json');
    const createDate = new Date().toISOString();
    await writeFile(list, JSON.stringify({ createDate, endpoints: [upload, 'evil.example'] }));
    const { stdout, stderr } = await doctor(
      ['--json', '--instance', 'acme', '--region', 'eu-central-1', '--endpoint-list', list],
      { LOOPBACK_HOSTS: JSON.stringify(ports) },
    );
    expect(stderr).toBe('');
    const network = networkOf(stdout);
    const told = network.map(({ name, verdict }) => `${name} ${verdict}`);
    for (const step of ['dns', 'tcp', 'tls', 'websocket'])
      expect(told).toContain(`network acme.my.connect.aws:443 ${step} ok`);
    expect(told).toContain('network endpoint-list ok');
    for (const step of ['dns', 'tcp', 'tls']) expect(told).toContain(`network ${upload}:443 ${step} ok`);
    expect(told.join('\n')).not.toContain('evil');
    // A warning where this machine was too busy to answer the first packet in time.
    expect(told.join('\n')).toMatch(/turnnlb-ea5316ebe2759cbc\.elb\.eu-central-1\S+:3478 stun (ok|warning)/);
    expect(told.filter((line) => line.endsWith('failed'))).toEqual([]);
    expect(told.filter((line) => line.endsWith('allowlist skipped'))).toHaveLength(5);
    expect(told.filter((line) => line.endsWith('skipped'))).toHaveLength(5);
    expect(network.map(({ step }) => step)).toEqual(network.map((_, index) => network[0]!.step + index));
  });

  it('takes the instance from policy, shows what to allow in plain text too, and fails', async () => {
    const { code, stdout } = await doctor([], {
      SIGHTLINE_INSTANCE_ALIAS: 'acme',
      SIGHTLINE_INSTANCE_REGION: 'eu-central-1',
    });
    expect(code).toBe(1);
    // One cause, one entry, however many hosts: in the list and in the summary.
    expect(
      stdout.match(
        /^failed {3}network dns of acme\.my\.connect\.aws:443, .*: the name is not known to DNS/gm,
      ),
    ).toHaveLength(1);
    expect(stdout.match(/not tried: dns failed/g)).toHaveLength(1);
    expect(stdout).toContain('-> Have the DNS server of this network resolve ');
  });

  it('asks nothing of the network without an instance, and says how to have it asked', async () => {
    const network = networkOf((await doctor(['--json'])).stdout);
    expect(network).toMatchObject([{ name: 'network', verdict: 'skipped' }]);
    expect(network[0]!.remedy).toContain('"instanceAlias"');
    expect(network[0]!.remedy).toContain('"instanceRegion"');
  });

  it.each([
    [['--instance', 'https://acme'], /--instance must be the alias/],
    [['--instance', 'acme', '--region', '../x'], /--region must be a region/],
    [['--region', 'eu-central-1'], /--region needs the instance/],
  ])('refuses %j', async (args, words) => {
    const { code, stderr } = await doctor(args);
    expect(code).toBe(64);
    expect(stderr).toMatch(words);
  });
});
