// Who may talk to the loopback server, decided from headers alone. Pure; each rule names the attack that it stops.

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
  if (host === undefined || !isOurHost(host, port)) {
    return { allowed: false, reason: 'Host is not a loopback name or address with our port' };
  }
  // A program that is no browser (or a browser hiding where it comes from) has no business here.
  if (origin === undefined) return { allowed: false, reason: 'Origin is missing' };
  // Sandboxed frames and file: pages all share the origin "null"; it tells nothing about who asks.
  if (origin === 'null') return { allowed: false, reason: 'Origin is "null"' };
  return isAllowedOrigin(origin, policy)
    ? { allowed: true, origin }
    : { allowed: false, reason: `Origin ${origin.slice(0, 300)} is not in "allowedDomains"` };
}

function isOurHost(host: string, port: number): boolean {
  const match = /^(127\.0\.0\.1|localhost|\[::1\])(?::(\d{1,5}))?$/i.exec(host);
  if (match === null) return false;
  return Number(match[2] ?? 80) === port;
}

function isAllowedOrigin(origin: string, policy: GuardPolicy): boolean {
  // Compared with its own serialisation: "https://good.example@evil.example", trailing paths, odd cases and
  // non-ASCII look-alikes do not survive the round trip.
  const url = URL.canParse(origin) ? new URL(origin) : null;
  if (url?.origin !== origin) return false;
  if (policy.allowLoopbackOrigins && isLoopbackName(url.hostname)) return true;
  // Only https on its default port: on any other, or by http, somebody else on the network could be that page.
  return url.protocol === 'https:' && url.port === '' && policy.allowedDomains.includes(url.hostname);
}

function isLoopbackName(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
