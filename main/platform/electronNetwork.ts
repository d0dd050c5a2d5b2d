// The network of the app: Chromium's, so that the system's proxy and its scripts, Kerberos, NTLM and the system's root
// certificates work as in the browser. Its session is its own: no cookie, no cache, nothing on the disk.

import {
  net,
  session,
  type ClientRequest,
  type IncomingMessage,
  type ProxyConfig,
  type Session,
} from 'electron';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import {
  certificateError,
  proxyErrors,
  type Network,
  type NetworkAnswer,
  type NetworkRequest,
} from './network/network.ts';
import {
  credentialsOf,
  proxyFromAnswer,
  proxyFromPolicy,
  proxyName,
  type ProxyRoute,
} from './network/proxy.ts';

const PARTITION = 'sightline-network';
/** Chromium writes them itself, and refuses a request that has one (Electron, ClientRequest.setHeader). */
const OWN_HEADERS = new Set(['host', 'content-length', 'connection', 'transfer-encoding']);
const LOOK_MS = 500;
const MAX_SCRIPT_BYTES = 1024 * 1024;

/** Chromium's errors (net/base/net_error_list.h) that have a name among the system's. */
const SYSTEM_CODES: Readonly<Record<string, string>> = {
  ERR_NAME_NOT_RESOLVED: 'ENOTFOUND',
  ERR_CONNECTION_REFUSED: 'ECONNREFUSED',
  ERR_CONNECTION_TIMED_OUT: 'ETIMEDOUT',
  ERR_TIMED_OUT: 'ETIMEDOUT',
  ERR_ADDRESS_UNREACHABLE: 'EHOSTUNREACH',
  ERR_INTERNET_DISCONNECTED: 'ENETUNREACH',
};

interface AppliedProxy {
  /** undefined: none, it failed. */
  readonly proxyUrl: string | null | undefined;
  readonly done: Promise<void>;
}

export class ElectronNetwork implements Network {
  readonly stack = 'Chromium';
  /** A body with a Content-Length is passed on as a whole; a chunked one S3 refuses. */
  readonly maxBufferedBytes = Infinity;
  private readonly session: Session;
  /** Chromium begins with the system's. */
  private applied: AppliedProxy = { proxyUrl: null, done: Promise.resolve() };
  /** By host, of certificates that were not accepted. */
  private readonly issuers = new Map<string, string>();

  /** When the app is ready. @param policy read for each request */
  constructor(private readonly policy: { readonly proxyUrl: string | null }) {
    this.session = session.fromPartition(PARTITION, { cache: false });
    this.session.setCertificateVerifyProc(({ hostname, certificate, errorCode }, decide) => {
      if (errorCode === 0) this.issuers.delete(hostname);
      else this.issuers.set(hostname, certificate.issuerName);
      decide(-3); // as Chromium has decided
    });
  }

  async routeTo(url: URL): Promise<ProxyRoute> {
    await this.applyProxy();
    return proxyFromAnswer(await this.session.resolveProxy(url.href));
  }

  async send(request: NetworkRequest): Promise<NetworkAnswer> {
    const { url, method, headers, body, signal } = request;
    await this.applyProxy();
    const bytes = await bytesOf(body);
    signal.throwIfAborted();
    const outgoing = net.request({
      ...{ url: url.href, method, session: this.session },
      ...{ redirect: 'manual', useSessionCookies: false, credentials: 'omit' },
    });
    for (const [name, value] of Object.entries({ 'accept-encoding': 'identity', ...headers }))
      if (!OWN_HEADERS.has(name.toLowerCase())) outgoing.setHeader(name, value);
    const login = this.signIn(outgoing);
    const stop = watch(outgoing, bytes.length, request);
    try {
      const answer = answerOf(outgoing, signal, stop);
      if (bytes.length > 0) outgoing.write(bytes);
      outgoing.end();
      const { status } = await answer;
      // Of the proxy, when Chromium may not sign in.
      if (status === 407) throw new Error('net::ERR_PROXY_AUTH_REQUESTED');
      return await answer;
    } catch (error) {
      stop();
      throw signal.aborted ? error : await this.explained(error, url, login.refusedBy);
    }
  }

  private async applyProxy(): Promise<void> {
    const { proxyUrl } = this.policy;
    if (proxyUrl !== this.applied.proxyUrl) this.applied = { proxyUrl, done: this.setProxy(proxyUrl) };
    const { applied } = this;
    await applied.done.catch((error: unknown) => {
      // A script that could not be read may be there for the next request.
      if (this.applied === applied) this.applied = { ...applied, proxyUrl: undefined };
      throw error;
    });
  }

  private async setProxy(proxyUrl: string | null): Promise<void> {
    await this.session.setProxy(await proxyConfig(proxyUrl));
    // A connection through the one before must not be used again.
    await this.session.closeAllConnections();
  }

  /** Answers policy's proxy, once, and nothing else: no server and no other proxy gets this password. */
  private signIn(outgoing: ClientRequest): { refusedBy: string | null } {
    const state: { refusedBy: string | null } = { refusedBy: null };
    let isTried = false;
    outgoing.on('login', ({ isProxy, host, port }, answer) => {
      const route = proxyFromPolicy(this.policy.proxyUrl);
      const name = `${host}:${port}`;
      const isOurs = isProxy && route?.kind === 'proxy' && proxyName(route.url) === name;
      if (isOurs && route.url.username !== '' && !isTried) {
        isTried = true;
        const { user, password } = credentialsOf(route.url);
        answer(user, password);
        return;
      }
      if (isProxy) state.refusedBy = name;
      answer();
    });
    return state;
  }

  private async explained(error: unknown, url: URL, refusedBy: string | null): Promise<unknown> {
    const code = /^net::(ERR_[A-Z0-9_]+)/.exec(error instanceof Error ? error.message : '')?.[1];
    if (code === undefined) return error;
    if (refusedBy !== null) return proxyErrors.authRequired(refusedBy);
    if (code.startsWith('ERR_CERT_'))
      return certificateError(url.hostname, this.issuers.get(url.hostname) ?? null, code);
    if (/^ERR_(PROXY|TUNNEL)_/.test(code)) {
      const route = await this.routeTo(url);
      const name = route.kind === 'proxy' ? proxyName(route.url) : 'of this computer';
      return code === 'ERR_TUNNEL_CONNECTION_FAILED'
        ? proxyErrors.refused(name, url.host)
        : proxyErrors.unreachable(name, code);
    }
    if (/^ERR_(PAC|MANDATORY_PROXY)_/.test(code))
      return proxyErrors.notKnown(`the proxy script cannot be used (${code})`);
    return Object.assign(new Error(code), { code: SYSTEM_CODES[code] ?? 'ECONNRESET' });
  }
}

/** A stream is paced by the bandwidth limit, which therefore holds on average over a part, not within it. */
async function bytesOf(body: NetworkRequest['body']): Promise<Buffer> {
  if (typeof body === 'string' || body === undefined) return Buffer.from(body ?? '');
  if (!(body instanceof Readable)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const slices: Uint8Array[] = [];
  for await (const slice of body as AsyncIterable<Uint8Array>) slices.push(slice);
  return Buffer.concat(slices);
}

/** Both forms: Electron before 12 knows no mode. */
async function proxyConfig(proxyUrl: string | null): Promise<ProxyConfig> {
  if (proxyUrl === null) return { mode: 'system' };
  if (proxyUrl.startsWith('pac+'))
    return { mode: 'pac_script', pacScript: await pacAddress(proxyUrl.slice('pac+'.length)) };
  const route = proxyFromPolicy(proxyUrl);
  if (route?.kind !== 'proxy') return { mode: 'direct', proxyRules: 'direct://' };
  return { mode: 'fixed_servers', proxyRules: `${route.url.protocol}//${proxyName(route.url)}` };
}

/** Chromium's network service reads no files. */
async function pacAddress(address: string): Promise<string> {
  if (!address.startsWith('file:')) return address;
  const script = await readFile(fileURLToPath(address)).catch((error: unknown) => {
    throw proxyErrors.notKnown(
      `the proxy script cannot be read (${String((error as { code?: string }).code)})`,
    );
  });
  if (script.length > MAX_SCRIPT_BYTES)
    throw proxyErrors.notKnown(`the proxy script has more than ${MAX_SCRIPT_BYTES} bytes`);
  return `data:application/x-ns-proxy-autoconfig;base64,${script.toString('base64')}`;
}

/** Reports what has been sent, and ends a request on which nothing moves. @returns ends that */
function watch(
  outgoing: ClientRequest,
  sizeBytes: number,
  { body, idleTimeoutMs = Infinity }: NetworkRequest,
): () => void {
  let sentBytes = 0;
  let movedAt = performance.now();
  const moved = (nowBytes = sentBytes): void => {
    if (body instanceof Readable && nowBytes > sentBytes) body.onSent(nowBytes - sentBytes);
    sentBytes = Math.max(sentBytes, nowBytes);
    movedAt = performance.now();
  };
  const timer = setInterval(() => {
    const { current } = outgoing.getUploadProgress();
    if (current > sentBytes) moved(current);
    if (performance.now() - movedAt < idleTimeoutMs) return;
    const what = `nothing moved for ${idleTimeoutMs / 1000} s`;
    outgoing.emit('error', Object.assign(new Error(what), { name: 'TimeoutError' }));
  }, LOOK_MS);
  outgoing.on('response', (answer) => {
    moved(sizeBytes);
    answer.on('data', () => moved());
  });
  return () => clearInterval(timer);
}

/** A redirect is an answer without a body. Errors after the answer's beginning are errors of its body. */
function answerOf(outgoing: ClientRequest, signal: AbortSignal, stop: () => void): Promise<NetworkAnswer> {
  return new Promise((resolve, reject) => {
    const body = new Readable({
      read: () => undefined,
      destroy: (error, done) => {
        stop();
        outgoing.abort();
        done(error);
      },
    });
    const aborted = (): void => {
      const error = Object.assign(new Error('The request was aborted'), { name: 'AbortError' });
      reject(error);
      body.destroy(error);
    };
    const answered = (status: number, headers: NetworkAnswer['headers']): void =>
      resolve({ status, headers, body });
    signal.addEventListener('abort', aborted, { once: true });
    body.once('close', () => signal.removeEventListener('abort', aborted));
    outgoing.on('redirect', (status, _method, _url, headers) => {
      answered(status, joined(headers));
      body.push(null);
    });
    outgoing.on('error', (error) => {
      reject(error);
      body.destroy(error);
    });
    outgoing.on('response', (answer: IncomingMessage) => {
      answer.on('data', (chunk) => body.push(chunk));
      answer.on('end', () => body.push(null));
      answer.on('error', (error: Error) => body.destroy(error));
      answered(answer.statusCode, joined(answer.headers));
    });
  });
}

function joined(headers: Readonly<Record<string, string | string[]>>): NetworkAnswer['headers'] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
  );
}
