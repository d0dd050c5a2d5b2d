// The one way to servers outside this machine: recordings, status events, the credentials broker and the authentication
// endpoint. In the app it is Chromium's network stack (electronNetwork.ts), elsewhere Node's (nodeNetwork.ts). Both verify
// certificates, follow no redirect, send no cookie, and use the proxy of policy or of the computer.

import type { Readable } from 'node:stream';
import type { ProxyRoute } from './proxy.ts';

export interface Network {
  /** For evidence: `Chromium`, `Node`. */
  readonly stack: string;
  /** So much of a body may have been passed on without being sent. */
  readonly maxBufferedBytes: number;
  /**
   * One request, to this address and no other.
   * @throws NetworkError, or a system error with its errno name as `code`; when aborted, the signal's reason
   */
  send(request: NetworkRequest): Promise<NetworkAnswer>;
  /** How requests to this address go out now. */
  routeTo(url: URL): Promise<ProxyRoute>;
}

export interface NetworkRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its Content-Length must be among the headers. */
  readonly body?: string | Uint8Array | UploadBody | undefined;
  readonly signal: AbortSignal;
  /** How long nothing may move. Without it, only the signal ends a request. */
  readonly idleTimeoutMs?: number;
}

export interface NetworkAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Destroying it ends the request. */
  readonly body: Readable;
}

/** A body that waits for its turn (the bandwidth cap) while the server has done nothing wrong. */
export interface UploadBody extends Readable {
  /** How long it has waited in all, by now. */
  readonly waitedMs: () => number;
  /** The network has sent so many bytes more. */
  readonly onSent: (bytes: number) => void;
}

export type NetworkErrorCode =
  | 'CA_FILE_UNUSABLE'
  | 'CERTIFICATE_REJECTED'
  | 'PROXY_AUTH_REQUIRED'
  | 'PROXY_NOT_KNOWN'
  | 'PROXY_REFUSED'
  | 'PROXY_UNREACHABLE';

/** What stands between this computer and a server. The message is ours: it contains no secret and no text of a server. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';

  constructor(
    readonly code: NetworkErrorCode,
    what: string,
    options?: { cause?: unknown },
  ) {
    super(`${what} (${code})`, options);
  }
}

/** @param name its host and port, without user and password */
export const proxyErrors = {
  unreachable: (name: string, code: string) =>
    new NetworkError(
      'PROXY_UNREACHABLE',
      `the proxy ${name} cannot be reached (${code}): check that it runs, and that "proxyUrl" in Sightline's policy or this computer's proxy settings name the right one`,
    ),
  authRequired: (name: string) =>
    new NetworkError(
      'PROXY_AUTH_REQUIRED',
      `the proxy ${name} requires a sign-in, and Sightline has no user and password for it or they are rejected: set "proxyUrl" in Sightline's policy with valid ones, or let these hosts pass without a sign-in`,
    ),
  refused: (name: string, target: string, status = '') =>
    new NetworkError(
      'PROXY_REFUSED',
      `the proxy ${name} does not open a connection to ${target}${status}: put it on the proxy's allowlist, and check that the proxy reaches it`,
    ),
  notKnown: (why: string) =>
    new NetworkError('PROXY_NOT_KNOWN', `${why}: set "proxyUrl" in Sightline's policy`),
};

/** @param issuer as the certificate has it; any text @param fault the stack's own code */
export function certificateError(host: string, issuer: string | null, fault: string): NetworkError {
  const by = issuer === null ? '' : ` issued by "${oneLine(issuer)}"`;
  return new NetworkError(
    'CERTIFICATE_REJECTED',
    `the certificate of ${host}${by} is not trusted here (${fault}): if a proxy inspects TLS, exempt this host, or add the proxy's root certificate to the system's store (without the app also: policy "caFile")`,
  );
}

/** A certificate contains any text: reduced to one short line. */
export function oneLine(text: string): string {
  return text.replace(/[^\x20-\x7e\p{L}\p{N}]/gu, '?').slice(0, 100);
}
