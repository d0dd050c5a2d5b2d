// What a network can do to an instance's hosts: one bad network for all steps, and two for what shows by itself.
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { targetsOf } from '../../../main/diagnostics/network/hosts.ts';
import {
  makeAuthority,
  startBlackhole,
  startPlainHost,
  startProxy,
  startStunHost,
  startTlsHost,
  startTlsOpener,
  type StandIn,
} from '../networkHosts.ts';
import type { Bench, DoctorStart } from './bench.ts';

export interface NetworkCase {
  readonly step: string;
  readonly verdict: 'failed' | 'warning';
  readonly when: string;
  readonly host: string;
  readonly evidence: RegExp;
  readonly remedy: RegExp;
}

export interface Network {
  readonly name: string;
  readonly inProcess: boolean;
  readonly cases: readonly NetworkCase[];
  readonly arrange: (bench: Bench) => Promise<DoctorStart>;
}

// A region with two TURN hosts and more.
const CCP = 'acme.my.connect.aws';
const all = targetsOf({ alias: 'acme', region: 'us-west-2' }).filter(({ host }) => !host.includes('*'));
const turn = all.filter(({ protocol }) => protocol === 'udp').map(({ host }) => host);
const web = all
  .filter(({ protocol, isOptional }) => protocol === 'tcp' && !isOptional)
  .map(({ host }) => host);
const [silent = '', refusing = ''] = turn;
const chat = 'participant.connect.us-west-2.amazonaws.com';
const [unknown = '', swallowed = '', opened = ''] = web.filter((host) => host !== CCP && host !== chat);
const STAGING = 'connect-recording-staging-1a2b3c.s3.dualstack.us-west-2.amazonaws.com';
const INSTANCE = ['--instance', 'acme', '--region', 'us-west-2'];

if ([silent, refusing, unknown, swallowed, opened].includes(''))
  throw new Error('The region has too few hosts.');

function loopback(hosts: Readonly<Record<string, number>>): Record<string, string> {
  const module = fileURLToPath(new URL('../loopbackNetwork.mjs', import.meta.url));
  return { NODE_OPTIONS: `--import=${module}`, LOOPBACK_HOSTS: JSON.stringify(hosts) };
}

export const networks: readonly Network[] = [
  {
    name: 'a network that breaks everything',
    inProcess: false,
    cases: [
      {
        ...{ step: 'dns', verdict: 'failed', when: 'a name is not known', host: unknown },
        evidence: /^the name is not known to DNS \(ENOTFOUND\)$/,
        remedy: /^Have the DNS server of this network resolve /,
      },
      {
        ...{ step: 'tcp', verdict: 'failed', when: 'a firewall swallows packets', host: swallowed },
        evidence: /^no answer within 4 s; a firewall drops it$/,
        remedy: /^Allow .*, TCP 443, in firewall and proxy \(for: /,
      },
      {
        ...{ step: 'tls', verdict: 'failed', when: 'a box opens it that nobody trusts', host: CCP },
        evidence: /issued by "Untrusted Box Test Root" of "Untrusted Box"/,
        remedy: /^Exclude .* from TLS inspection/,
      },
      {
        ...{ step: 'websocket', verdict: 'warning', when: 'that box drops the upgrade', host: CCP },
        evidence: /TLS is intercepted on the way/,
        remedy: /^Let websockets \(HTTP Upgrade\) to acme/,
      },
      {
        ...{ step: 'tls', verdict: 'warning', when: 'a box opens it that is trusted', host: opened },
        evidence: /none of AWS's issuers/,
        remedy: /^Exclude .* from TLS inspection/,
      },
      {
        ...{ step: 'websocket', verdict: 'failed', when: 'the connection is cut', host: chat },
        evidence: /^the upgrade was not answered: /,
        remedy: /^Let websockets/,
      },
      {
        ...{ step: 'stun', verdict: 'warning', when: 'nobody answers', host: silent },
        evidence: /either UDP 3478 is blocked or the host does not answer without credentials$/,
        remedy:
          /^If calls have no sound or end early here: Allow .*If they are fine, there is nothing to do\.$/,
      },
      {
        ...{ step: 'stun', verdict: 'failed', when: 'a firewall refuses', host: refusing },
        evidence: /^UDP 3478 is blocked: refused \(ECONNREFUSED\)$/,
        remedy: /^Allow .*, UDP 3478, with answers to this machine's UDP ports/,
      },
    ],
    arrange: async (bench) => {
      const [trusted, untrusted] = [
        await makeAuthority(bench.home, 'Trusted Box'),
        await makeAuthority(bench.home, 'Untrusted Box'),
      ];
      const keep = async (standIn: Promise<StandIn>): Promise<number> => {
        const { port, stop } = await standIn;
        bench.onEnd(stop);
        return port;
      };
      const gone = await startStunHost(0);
      await gone.stop();
      const hosts = {
        [CCP]: await keep(startTlsOpener(await untrusted.issue(CCP))),
        [chat]: await keep(startTlsHost(await trusted.issue(chat), 'cut')),
        [opened]: await keep(startTlsHost(await trusted.issue(opened))),
        [swallowed]: await keep(startBlackhole()),
        [silent]: await keep(startStunHost(Infinity)),
        [refusing]: gone.port,
      };
      return {
        flags: INSTANCE,
        environment: { ...loopback(hosts), NODE_EXTRA_CA_CERTS: trusted.rootFile },
      };
    },
  },
  {
    name: 'behind a proxy that refuses',
    inProcess: true,
    cases: [
      {
        ...{ step: 'proxy', verdict: 'failed', when: 'the host is not on its allowlist', host: CCP },
        evidence: /^the proxy 127\.0\.0\.1:\d+ refuses the tunnel \(403\)$/,
        remedy: /^Put acme\.my\.connect\.aws, TCP 443, method CONNECT, on the proxy's allowlist/,
      },
    ],
    arrange: async (bench) => {
      const { port, stop } = await startProxy(() => ({ status: 403 }));
      bench.onEnd(stop);
      const environment = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
      return { flags: INSTANCE, environment };
    },
  },
  {
    name: 'behind a proxy that is away',
    inProcess: true,
    cases: [
      {
        ...{ step: 'proxy', verdict: 'failed', when: 'nobody answers there', host: CCP },
        evidence: /cannot be reached: refused \(ECONNREFUSED\)$/,
        remedy: /^Check that the proxy runs, and that its name and port are right/,
      },
    ],
    arrange: async () => {
      const gone = await startPlainHost(null);
      await gone.stop();
      const environment = { HTTPS_PROXY: `http://127.0.0.1:${gone.port}` };
      return { flags: INSTANCE, environment };
    },
  },
  {
    name: 'a list of endpoints that is old, and one of its hosts that does not exist',
    inProcess: true,
    cases: [
      {
        ...{ step: 'endpoint-list', verdict: 'warning', when: 'it is old', host: '' },
        evidence: /list\.json, created on 2026-01-01 \(\d+ days ago\): 2 hosts, 1 in us-west-2$/,
        remedy: /^AWS changes this list.*Download it again from https:\/\/screenrecording\.connect\.aws\//,
      },
      {
        ...{ step: 'dns', verdict: 'failed', when: 'the name is not known', host: STAGING },
        evidence: /^the name is not known to DNS \(ENOTFOUND\)$/,
        remedy: /^Have the DNS server of this network resolve connect-recording-staging-/,
      },
    ],
    arrange: async (bench) => {
      const file = bench.path('list.json');
      const elsewhere = STAGING.replace('us-west-2', 'eu-west-2');
      const list = { createDate: '2026-01-01-00-00-00', endpoints: [STAGING, elsewhere] };
      await writeFile(file, JSON.stringify(list));
      return { flags: [...INSTANCE, '--endpoint-list', file] };
    },
  },
  {
    name: 'a list of endpoints that is not there',
    inProcess: true,
    cases: [
      {
        ...{ step: 'endpoint-list', verdict: 'failed', when: 'there is no file', host: '' },
        evidence: /gone\.json cannot be used: it cannot be read \(ENOENT\)$/,
        remedy: /^Download AWS's list again from https:.*, and check "endpointList" in Sightline's policy\.$/,
      },
    ],
    arrange: (bench) => Promise.resolve({ flags: [...INSTANCE, '--endpoint-list', bench.path('gone.json')] }),
  },
  {
    name: 'an instance without a region',
    inProcess: true,
    cases: [
      {
        ...{ step: 'region', verdict: 'warning', when: 'there is none', host: '' },
        evidence: /^the region of the instance is not known, so most of its hosts were not tried$/,
        remedy: /^Set "instanceRegion"/,
      },
    ],
    arrange: () => Promise.resolve({ flags: ['--instance', 'acme'] }),
  },
  {
    name: 'an instance in a region that the list does not have',
    inProcess: true,
    cases: [
      {
        ...{ step: 'region', verdict: 'warning', when: 'it is not in the list', host: '' },
        evidence: /^no TURN hosts are known for xx-nowhere-1/,
        remedy: /^Check the spelling of xx-nowhere-1/,
      },
    ],
    arrange: () => Promise.resolve({ flags: ['--instance', 'acme', '--region', 'xx-nowhere-1'] }),
  },
];
