// Which proxy leads to a host (policy, environment, or what the desktop answers), and a tunnel through it. A proxy's user and
// password are sent only to that proxy and appear in no message and no evidence.

import { once } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import type { SecureContext } from 'node:tls';

export type ProxyRoute =
  | { readonly kind: 'direct' }
  | { readonly kind: 'proxy'; readonly url: URL }
  | { readonly kind: 'unusable'; readonly why: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** Of policy `proxyUrl`; null: it names none. */
export function proxyFromPolicy(proxyUrl: string | null): ProxyRoute | null {
  if (proxyUrl === null) return null;
  // Node has no interpreter that is safe for scripts from the network; Chromium has one, and gets the script itself.
  if (proxyUrl.startsWith('pac+'))
    return {
      kind: 'unusable',
      why: 'a proxy script (PAC) is for the app only; elsewhere name the proxy itself',
    };
  return proxyUrl === 'direct' ? { kind: 'direct' } : { kind: 'proxy', url: new URL(proxyUrl) };
}

/** A PAC result (FindProxyForURL). The first entry counts; the others are fallbacks. */
export function proxyFromAnswer(answer: string): ProxyRoute {
  const [kind = '', address = ''] = (answer.split(';', 1)[0] ?? '').trim().split(/\s+/);
  switch (kind.toUpperCase()) {
    case '':
    case 'DIRECT':
      return { kind: 'direct' };
    case 'PROXY':
    case 'HTTP':
    case 'HTTPS': {
      const url = `${kind.toUpperCase() === 'HTTPS' ? 'https' : 'http'}://${address}`;
      if (URL.canParse(url)) return { kind: 'proxy', url: new URL(url) };
      return { kind: 'unusable', why: 'the settings name a proxy that has no address' };
    }
    default:
      return { kind: 'unusable', why: `the settings name a ${kind} proxy, which Sightline does not use` };
  }
}

/** HTTPS_PROXY, ALL_PROXY and NO_PROXY as curl reads them: lower case takes precedence. */
export function proxyFromEnvironment(environment: Environment, host: string, port: number): ProxyRoute {
  const named = (...names: string[]) =>
    names.map((name) => environment[name]?.trim()).find((value) => value !== undefined && value !== '');
  const text = named('https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY');
  if (text === undefined || isExempt(named('no_proxy', 'NO_PROXY') ?? '', host, port))
    return { kind: 'direct' };
  const address = text.includes('://') ? text : `http://${text}`;
  if (!URL.canParse(address))
    return { kind: 'unusable', why: 'the environment names a proxy that is no URL (HTTPS_PROXY)' };
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { kind: 'unusable', why: `a ${url.protocol.slice(0, -1)} proxy, which Sightline does not use` };
  return { kind: 'proxy', url };
}

function isExempt(list: string, host: string, port: number): boolean {
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [name = '', onlyPort] = entry.toLowerCase().split(':');
      if (onlyPort !== undefined && onlyPort !== String(port)) return false;
      const bare = name.replace(/^\*?\./, '');
      return host === bare || host.endsWith(`.${bare}`);
    });
}

/** Host and port, without user and password. */
export function proxyName(url: URL): string {
  return `${url.hostname}:${proxyPort(url)}`;
}

function proxyPort(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

export function credentialsOf({ username, password }: URL): { user: string; password: string } {
  return { user: decodeURIComponent(username), password: decodeURIComponent(password) };
}

export interface TunnelAnswer {
  readonly status: number;
  /** null unless the status is 200. */
  readonly socket: Socket | null;
  /** The authentication schemes of a 407. */
  readonly schemes: string;
}

/** CONNECT (RFC 9110, 9.3.6), whatever it answers. @param secureContext for a proxy that speaks TLS itself @throws a system error, when the proxy itself cannot be reached */
export async function openTunnel(
  proxy: URL,
  targetHost: string,
  targetPort: number,
  signal: AbortSignal,
  secureContext?: SecureContext,
): Promise<TunnelAnswer> {
  const host = proxy.hostname.replace(/^\[|\]$/g, '');
  const target = `${targetHost}:${targetPort}`;
  const { user, password } = credentialsOf(proxy);
  const sent = { 'Proxy-Authorization': `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
  const connect = (proxy.protocol === 'https:' ? requestHttps : requestHttp)({
    ...{ host, port: proxyPort(proxy) },
    // Else the name in the Host header, the target's, would be the one that the proxy's certificate must have.
    servername: isIP(host) === 0 ? host : '',
    ...{ method: 'CONNECT', path: target, agent: false, signal, secureContext },
    headers: { Host: target, ...(proxy.username === '' ? {} : sent) },
  });
  connect.on('error', () => undefined); // a late one must not end the program
  connect.end();
  const [{ statusCode: status = 0, headers }, socket] = (await once(connect, 'connect').catch(
    (error: unknown) => {
      throw signal.aborted ? signal.reason : error;
    },
  )) as [IncomingMessage, Socket];
  // Until TLS adds its listeners, an error must not end the program.
  socket.on('error', () => undefined);
  const isOpen = status >= 200 && status < 300;
  if (!isOpen) socket.destroy();
  const schemes = (headers['proxy-authenticate'] ?? '')
    .split(',')
    .map((one) => one.trim().split(' ')[0] ?? '')
    .filter((one) => /^[A-Za-z]+$/.test(one));
  return { status, socket: isOpen ? socket : null, schemes: schemes.join(', ') };
}
