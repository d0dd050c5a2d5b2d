// Whether the browsers' machine policies let pages of given domains connect to this machine (Local Network Access). Pure.
// https://learn.microsoft.com/deployedge/microsoft-edge-browser-policies/loopbacknetworkallowedforurls (order of the
// lists), https://chromeenterprise.google/policies/url-patterns/ and Firefox's policy LocalNetworkAccess.

import { browserNames, type BrowserName } from './lists.ts';
import type { FoundPolicies } from './read.ts';

/** `asked`: the browser asks the agent. */
export type Access = 'allowed' | 'blocked' | 'asked';

/** The first list with a matching pattern decides. */
const LISTS = [
  ['LoopbackNetworkBlockedForUrls', 'blocked'],
  ['LoopbackNetworkAllowedForUrls', 'allowed'],
  ['LocalNetworkAccessBlockedForUrls', 'blocked'],
  ['LocalNetworkAccessAllowedForUrls', 'allowed'],
] as const;

export interface Coverage {
  readonly browser: BrowserName;
  /** Where its policies are; empty when it has none. */
  readonly sources: string;
  readonly domains: readonly { readonly domain: string; readonly access: Access }[];
}

/** For each browser that has any policy. */
export function coverageOf(domains: readonly string[], policies: readonly FoundPolicies[]): Coverage[] {
  return browserNames.flatMap((browser) => {
    const found = policies.filter((one) => one.browser === browser);
    if (found.length === 0) return [];
    const values = merge(found);
    const covered = domains.map((domain) => ({ domain, access: accessOf(browser, values, domain) }));
    return [{ browser, sources: found.map(({ source }) => source).join(', '), domains: covered }];
  });
}

function accessOf(browser: BrowserName, values: FoundPolicies['values'], domain: string): Access {
  if (browser === 'Firefox') return accessInFirefox(values.LocalNetworkAccess, domain);
  for (const [name, access] of LISTS) {
    if (textsOf(values[name]).some((pattern) => matchesPattern(pattern, domain))) return access;
  }
  return 'asked';
}

function accessInFirefox(policy: unknown, domain: string): Access {
  if (typeof policy !== 'object' || policy === null) return 'asked';
  const { Enabled, EnablePrompting, SkipDomains } = policy as Record<string, unknown>;
  // Firefox looks up both the page's domain and the address that the page connects to, ours. Without a prompt access is
  // granted (network.lna.blocking is off).
  const isExempt = textsOf(SkipDomains).some(
    (one) =>
      ['*', domain, '127.0.0.1'].includes(one) ||
      (one.startsWith('*.') && `.${domain}`.endsWith(one.slice(1))),
  );
  return isNo(Enabled) || isExempt || isNo(EnablePrompting) ? 'allowed' : 'asked';
}

function isNo(value: unknown): boolean {
  return value === false || value === 0 || value === '0x0';
}

/** `*`, `[*.]my.connect.aws`, `acme.my.connect.aws`, `https://acme.my.connect.aws:443` */
export function matchesPattern(pattern: string, domain: string): boolean {
  if (pattern === '*') return true;
  const match = /^(?:(https?|\*):\/\/)?(\[\*\.\])?([A-Za-z0-9.*-]+)(?::(\d+|\*))?(?:\/.*)?$/.exec(
    pattern.trim(),
  );
  if (match === null) return false;
  const [, scheme, subdomains, host = '', port] = match;
  if (scheme === 'http' || (port !== undefined && port !== '443' && port !== '*')) return false;
  const name = host.toLowerCase();
  return name === '*' || domain === name || (subdomains !== undefined && domain.endsWith(`.${name}`));
}

/** The files and keys of one browser count as one policy. */
function merge(all: readonly FoundPolicies[]): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const [name, value] of all.flatMap(({ values }) => Object.entries(values))) {
    const before = merged[name];
    merged[name] = Array.isArray(before) && Array.isArray(value) ? before.concat(value) : value;
  }
  return merged;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
