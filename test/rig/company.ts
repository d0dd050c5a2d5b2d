// Everything outside the desk of a company: S3, EventBridge, a credentials broker and an authentication endpoint with the names
// of servers on the internet, which only its proxy knows; the authority of their certificates, and that of the proxy.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { startAuthServer, type AuthServer } from './authServer.ts';
import { startBroker, type Broker } from './broker.ts';
import {
  startCompanyProxy,
  startTlsFront,
  type CompanyProxy,
  type CompanyProxyOptions,
} from './companyProxy.ts';
import { keyEnvironment, startEventBridgeServer, type EventBridgeServer } from './eventBridgeServer.ts';
import { makeAuthority, type Authority } from './networkHosts.ts';
import { agent } from './recorder.ts';
import type { S3Server } from './s3Server.ts';
import { BUCKET, REGION, startStrictStore, type S3Store } from './s3Store.ts';

/** The machine's own settings, out of the way. */
export const NO_PROXIES: Readonly<Record<string, string>> = Object.fromEntries(
  ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [
    [name, ''],
    [name.toUpperCase(), ''],
  ]),
);
export const TOKEN = 'page-token-of-alice';
export const hello = { protocol: 1, ...agent, token: TOKEN };
export const HOSTS = {
  s3: 's3.test.example',
  events: 'events.test.example',
  broker: 'broker.test.example',
  auth: 'auth.test.example',
} as const;
/** As CONNECT names them. */
export const TARGETS = Object.values(HOSTS)
  .map((host) => `${host}:443`)
  .sort();

export interface Company {
  readonly home: string;
  /** Of the servers' own certificates. */
  readonly publicRoots: Authority;
  /** Of the proxy that inspects. */
  readonly inspector: Authority;
  readonly store: S3Store;
  readonly s3: S3Server;
  readonly bus: EventBridgeServer;
  readonly broker: Broker;
  readonly auth: AuthServer;
  /** By name, where its TLS is. */
  readonly ports: Readonly<Record<string, number>>;
  /** Policy keys for everything, as variables. */
  readonly environment: Readonly<Record<string, string>>;
  proxy(
    options?: Omit<CompanyProxyOptions, 'hosts' | 'inspect'> & { inspects?: boolean },
  ): Promise<CompanyProxy>;
  /** One contact's three events and its two objects, sooner or later; and nothing was wrong with any request. */
  arrived(): Promise<void>;
  stop(): Promise<void>;
}

export async function startCompany(): Promise<Company> {
  const home = await mkdtemp(join(tmpdir(), 'sightline-company-'));
  const stops: (() => Promise<unknown>)[] = [];
  const [publicRoots, inspector] = await Promise.all([
    makeAuthority(home, 'Public Roots'),
    makeAuthority(home, 'Company Proxy'),
  ]);
  const store = await startStrictStore();
  const s3 = store.strict!;
  s3.frontHost = HOSTS.s3;
  const bus = await startEventBridgeServer({ region: REGION });
  const broker = await startBroker(s3, [TOKEN]);
  const auth = await startAuthServer();
  auth.tokens.set(TOKEN, { agentArn: agent.agentArn });
  stops.push(
    () => store.stop(),
    () => bus.stop(),
    () => broker.close(),
    () => auth.close(),
  );
  const behind = { s3: store.endpoint, events: bus.endpoint, broker: broker.url, auth: auth.url };
  const ports: Record<string, number> = {};
  for (const name of ['s3', 'events', 'broker', 'auth'] as const) {
    const host = HOSTS[name];
    const front = await startTlsFront(await publicRoots.issue(host), Number(new URL(behind[name]).port));
    ports[host] = front.port;
    stops.push(() => front.stop());
  }
  return {
    ...{ home, publicRoots, inspector, store, s3, bus, broker, auth, ports },
    environment: {
      SIGHTLINE_SINK: 's3',
      SIGHTLINE_S3_BUCKET: BUCKET,
      SIGHTLINE_S3_ENDPOINT: `https://${HOSTS.s3}`,
      SIGHTLINE_S3_PATH_STYLE: 'yes',
      SIGHTLINE_AWS_REGION: REGION,
      SIGHTLINE_BROKER_URL: `https://${HOSTS.broker}/credentials`,
      SIGHTLINE_EVENT_BUS_NAME: bus.bus,
      SIGHTLINE_EVENT_BRIDGE_ENDPOINT: `https://${HOSTS.events}`,
      SIGHTLINE_AUTH: 'endpoint',
      SIGHTLINE_AUTH_URL: `https://${HOSTS.auth}${new URL(auth.url).pathname}`,
      ...keyEnvironment(home),
    },
    async proxy({ inspects = false, ...options } = {}) {
      const proxy = await startCompanyProxy({
        hosts: ports,
        ...(inspects ? { inspect: { authority: inspector, upstream: publicRoots } } : {}),
        ...options,
      });
      stops.push(() => proxy.stop());
      return proxy;
    },
    async arrived() {
      // Those of the desk are not about a recording.
      const statuses = () => bus.received.flatMap(({ detail }) => detail['recordingStatus'] ?? []);
      await bus.until(() => statuses().length >= 3);
      const kinds = s3.objects(BUCKET).map(({ key }) => key.split('.').pop());
      expect({ statuses: statuses(), kinds: kinds.sort() }).toEqual({
        statuses: ['INITIATED', 'COMPLETED', 'PUBLISHED'],
        kinds: ['json', 'mp4'],
      });
      expect([...s3.problems, ...auth.complaints]).toEqual([]);
    },
    async stop() {
      for (const stop of stops.reverse()) await stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}
