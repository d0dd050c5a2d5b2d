// Whether the browsers' machine policies let the CCP's pages reach this machine (Local Network Access): without one the
// browser asks the agent, and whoever says no is not recorded.
// https://learn.microsoft.com/deployedge/microsoft-edge-browser-policies/loopbacknetworkallowedforurls (order of the
// lists), https://chromeenterprise.google/policies/url-patterns/ and Firefox's policy LocalNetworkAccess.

import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';

export interface BrowserPolicies {
  readonly browser: 'Chrome' | 'Chromium' | 'Edge' | 'Firefox';
  /** Where it was read. */
  readonly source: string;
  /** By the policies' names. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface BrowserSubject {
  readonly allowedDomains: readonly string[];
  readonly read: () => Promise<readonly BrowserPolicies[]>;
}

export type Say = 'allowed' | 'blocked' | 'asked';

/** The first list that has the page decides. */
const LISTS = [
  ['LoopbackNetworkBlockedForUrls', 'blocked'],
  ['LoopbackNetworkAllowedForUrls', 'allowed'],
  ['LocalNetworkAccessBlockedForUrls', 'blocked'],
  ['LocalNetworkAccessAllowedForUrls', 'allowed'],
] as const;

export function browserPolicyCheck({ allowedDomains, read }: BrowserSubject): Check {
  return {
    name: 'browser policy',
    run: async () => {
      if (allowedDomains.length === 0)
        return skipped('no domain is allowed; pages of this machine need no policy');
      return judge(allowedDomains, await read());
    },
  };
}

export interface Coverage {
  readonly browser: BrowserPolicies['browser'];
  /** Where its policies are; empty: it has none. */
  readonly sources: string;
  readonly by: readonly (readonly [domain: string, say: Say])[];
}

/** What the policies of each browser say to pages of the domains. Only browsers that have any policy. */
export function coverageOf(domains: readonly string[], policies: readonly BrowserPolicies[]): Coverage[] {
  const browsers = [...new Set(policies.map(({ browser }) => browser))];
  return browsers.map((browser) => {
    const of = policies.filter((one) => one.browser === browser);
    const sources = of.map(({ source }) => source).join(', ');
    // The files and keys of one browser count as one policy.
    const values = merged(of.map((one) => one.values));
    const by = domains.map((domain) => [domain, sayOf(browser, values, domain)] as const);
    return { browser, sources, by };
  });
}

function judge(domains: readonly string[], policies: readonly BrowserPolicies[]): Finding {
  const said = coverageOf(domains, policies);
  const words = said.map(({ browser, sources, by }) => {
    const parts = (['blocked', 'asked', 'allowed'] as const).flatMap((say) => {
      const hit = by.filter(([, one]) => one === say).map(([domain]) => domain);
      return hit.length === 0
        ? []
        : [`${say === 'asked' ? 'the agent is asked for' : say} ${hit.slice(0, 5).join(', ')}`];
    });
    return `${browser}: ${parts.join('; ')} (${sources})`;
  });
  const evidence = words.length === 0 ? 'no browser has a policy: the agent is asked' : words.join('. ');
  const has = (say: Say): boolean => said.some(({ by }) => by.some(([, one]) => one === say));
  const pages = domains.slice(0, 3).map((domain) => `https://${domain}`);
  const remedy =
    "Let the page reach Sightline by the browser's own policy (which IT sets as a group policy, a profile or a file): " +
    `LoopbackNetworkAllowedForUrls of Chrome and Edge with ${pages.join(', ')}; LocalNetworkAccess of Firefox with ` +
    `${domains.slice(0, 3).join(', ')} in SkipDomains`;
  if (has('blocked'))
    return failed(
      evidence,
      `${remedy}. Take them out of LoopbackNetworkBlockedForUrls and LocalNetworkAccessBlockedForUrls.`,
    );
  if (words.length === 0 || has('asked')) {
    return warning(
      evidence,
      `${remedy}; or run "sightline browser-policy --apply" as administrator. Until then agents must click "Allow" when the browser asks whether the page may reach this device.`,
    );
  }
  return ok(evidence);
}

function sayOf(browser: BrowserPolicies['browser'], values: BrowserPolicies['values'], domain: string): Say {
  if (browser === 'Firefox') return inFirefox(values.LocalNetworkAccess, domain);
  for (const [name, say] of LISTS) {
    if (textsOf(values[name]).some((pattern) => matchesPattern(pattern, domain))) return say;
  }
  return 'asked';
}

function inFirefox(policy: unknown, domain: string): Say {
  if (typeof policy !== 'object' || policy === null) return 'asked';
  const { Enabled, EnablePrompting, SkipDomains } = policy as Record<string, unknown>;
  if (isNo(Enabled)) return 'allowed';
  if (
    textsOf(SkipDomains).some(
      (one) =>
        // Firefox looks for the page's domain and for the address that it wants to reach, ours.
        ['*', domain, '127.0.0.1'].includes(one) ||
        (one.startsWith('*.') && `.${domain}`.endsWith(one.slice(1))),
    )
  ) {
    return 'allowed';
  }
  // Without the question the answer is yes (network.lna.blocking off).
  return isNo(EnablePrompting) ? 'allowed' : 'asked';
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
  const [, scheme, below, host = '', port] = match;
  if (scheme === 'http' || (port !== undefined && port !== '443' && port !== '*')) return false;
  const name = host.toLowerCase();
  if (name === '*') return true;
  return domain === name || (below !== undefined && domain.endsWith(`.${name}`));
}

function merged(all: readonly BrowserPolicies['values'][]): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const one of all) {
    for (const [name, value] of Object.entries(one)) {
      const before = values[name];
      values[name] =
        Array.isArray(before) && Array.isArray(value)
          ? [...(before as unknown[]), ...(value as unknown[])]
          : value;
    }
  }
  return values;
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
