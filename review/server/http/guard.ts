// Which requests the review server answers at all, by their request line and headers alone, before anything else looks at
// them. Pure; each rule names the attack that it stops. Who is asking is decided later.

import type { IncomingMessage } from 'node:http';

export interface Expected {
  /** Values of the Host header, lower case, with the port where browsers send it. */
  readonly hosts: ReadonlySet<string>;
  /** As browsers serialise them. */
  readonly origins: ReadonlySet<string>;
  /** Headers of a proxy in front: like those below, one of each at most. */
  readonly proxyHeaders: readonly string[];
}

export type GuardVerdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      readonly code: 'INVALID_REQUEST' | 'NOT_FOUND' | 'FOREIGN_REQUEST';
      readonly reason: string;
    };

export type GuardedRequest = Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'rawHeaders'>;

/** Two of them mean two things to two programs. */
const SINGLE = [
  ...['host', 'cookie', 'origin', 'range', 'if-range', 'if-match', 'content-type', 'content-length'],
  ...['transfer-encoding', 'x-sightline-csrf', 'sec-fetch-site', 'sec-fetch-mode', 'sec-fetch-dest'],
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT'];
const MAX_TARGET = 4096;
/** All of our paths. Nothing is encoded in them, so nothing is decoded: no %2e, %2f, %5c, %00, no second decoding. */
const PATH = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$|^\/$/;

export function judgeRequest(request: GuardedRequest, expected: Expected): GuardVerdict {
  const { method = '', url = '', headers } = request;
  if (!METHODS.includes(method)) return refuse('INVALID_REQUEST', 'method');
  // Absolute forms ("GET http://other/ HTTP/1.1") name a second host.
  const [path = ''] = url.split('?', 1);
  if (url.length > MAX_TARGET) return refuse('INVALID_REQUEST', 'target too long');
  if (!PATH.test(path)) return refuse('NOT_FOUND', 'path');
  const twice = repeated(request.rawHeaders, expected.proxyHeaders);
  if (twice !== undefined) return refuse('INVALID_REQUEST', `header ${twice} twice`);
  // DNS rebinding: a foreign name that resolves to our address reaches us, but the browser sends that name.
  if (!expected.hosts.has(headers.host?.toLowerCase() ?? '')) return refuse('FOREIGN_REQUEST', 'host');
  const reason = foreignBecause(request, path, expected.origins);
  return reason === null ? { allowed: true } : refuse('FOREIGN_REQUEST', reason);
}

/** Why a page that is not ours has sent it; null: it has not. */
function foreignBecause(
  { method = '', headers }: GuardedRequest,
  path: string,
  origins: ReadonlySet<string>,
): string | null {
  const { origin } = headers;
  // Browsers send it with every request that is not a GET, and with a GET of fetch() to another origin; "null" of sandboxes.
  if (origin !== undefined && !origins.has(origin)) return 'origin';
  const site = headers['sec-fetch-site'];
  const changes = method !== 'GET' && method !== 'HEAD';
  if (site === undefined) {
    // Older browsers and other programs: what changes something must say that it comes from our page.
    return changes && origin === undefined ? 'origin missing' : null;
  }
  if (site === 'same-origin') return null;
  // `none`: typed into the address bar, or opened by another program.
  if (site === 'none' && !changes) return null;
  // A link that somebody clicked elsewhere opens the page, which has no data in it. It never reaches the API. Another port
  // of the same host is another program: `same-site` is foreign.
  const opensPage =
    method === 'GET' &&
    headers['sec-fetch-mode'] === 'navigate' &&
    headers['sec-fetch-dest'] === 'document' &&
    !path.startsWith('/api/');
  return opensPage ? null : `sec-fetch-site ${site.slice(0, 20)}`;
}

function repeated(rawHeaders: readonly string[], more: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    if (!SINGLE.includes(name) && !more.includes(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function refuse(code: 'INVALID_REQUEST' | 'NOT_FOUND' | 'FOREIGN_REQUEST', reason: string): GuardVerdict {
  return { allowed: false, code, reason };
}
