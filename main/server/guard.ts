// Which requests to the loopback server are allowed, by their headers alone. Pure; each rule names the attack that it stops.

import { createHash, timingSafeEqual } from 'node:crypto';

export interface GuardPolicy {
  /** Exact host names, lower case, without scheme, port or wildcard. */
  readonly allowedDomains: readonly string[];
  /** For development: pages served from this machine, with any scheme and port. */
  readonly allowLoopbackOrigins: boolean;
}

export type Verdict =
  { readonly allowed: true; readonly origin: string } | { readonly allowed: false; readonly reason: string };

/**
 * @param host the Host header (RFC 9110, 7.2)
 * @param origin the Origin header as a browser serialises it (RFC 6454, 6.2)
 * @param port the port we listen on
 */
export function judge(
  host: string | undefined,
  origin: string | undefined,
  port: number,
  policy: GuardPolicy,
): Verdict {
  // DNS rebinding: a foreign name that resolves to 127.0.0.1 reaches us, but the browser sends that name.
  if (!isLoopbackHost(host, port)) {
    return { allowed: false, reason: 'Host is not a loopback name or address with our port' };
  }
  // A program that is not a browser, or a browser that hides the page's origin.
  if (origin === undefined) return { allowed: false, reason: 'Origin is missing' };
  // Sandboxed frames and file: pages all share the origin "null", which identifies none of them.
  if (origin === 'null') return { allowed: false, reason: 'Origin is "null"' };
  return isAllowedOrigin(origin, policy)
    ? { allowed: true, origin }
    : { allowed: false, reason: `Origin ${origin.slice(0, 300)} is not in "allowedDomains"` };
}

export type ControlVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly status: 401 | 403; readonly reason: string };

/**
 * The control path is for the command line of this user only, never for a page, however trusted.
 *
 * @param headers lower-case names, as Node gives them
 * @param port the port we listen on
 * @param token only this user can read it (server/controlFile.ts)
 */
export function judgeControl(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  port: number,
  token: string,
): ControlVerdict {
  const { host, origin, authorization } = headers;
  // DNS rebinding, as above: to the browser such a page is of the same origin, and may read what we answer.
  if (!isLoopbackHost(host, port)) {
    return { allowed: false, status: 403, reason: 'Host is not a loopback name or address with our port' };
  }
  // A page: browsers send Origin with every POST and every preflight (Fetch standard, 3.2), "null" included.
  if (origin !== undefined)
    return { allowed: false, status: 403, reason: 'Origin is present: a page sent it' };
  // Another user on this machine, or a program that may connect but not read this user's files.
  const shown = typeof authorization === 'string' ? /^Bearer ([\w-]+)$/i.exec(authorization)?.[1] : undefined;
  if (shown === undefined) return { allowed: false, status: 401, reason: 'no token' };
  if (!isSame(shown, token)) {
    return { allowed: false, status: 401, reason: 'the token is not the one of this process' };
  }
  return { allowed: true };
}

/** In constant time for any token of any length. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

/** Whether a Host header names this machine by a loopback name or address, and our port. */
export function isLoopbackHost(host: string | string[] | undefined, port: number): boolean {
  const match =
    typeof host === 'string' ? /^(127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?$/i.exec(host) : null;
  if (match === null) return false;
  return Number(match[2] ?? 80) === port;
}

/** @param origin as a browser serialises it */
export function isAllowedOrigin(origin: string, policy: GuardPolicy): boolean {
  // Compared with its own serialisation, which "https://good.example@evil.example", trailing paths, upper case and
  // non-ASCII look-alikes do not equal.
  const url = URL.canParse(origin) ? new URL(origin) : null;
  if (url?.origin !== origin) return false;
  if (policy.allowLoopbackOrigins && isLoopbackName(url.hostname)) return true;
  // Only https on its default port: anything else could be served by another machine on the network.
  return url.protocol === 'https:' && url.port === '' && policy.allowedDomains.includes(url.hostname);
}

function isLoopbackName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
