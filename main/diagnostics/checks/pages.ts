// Whether the agents' pages can connect: allowed domains, authentication, the browsers' machine policies, refused pages.

import { join } from 'node:path';
import { coverageOf } from '../../browserPolicy/coverage.ts';
import { readBrowserPolicies, type FoundPolicies } from '../../browserPolicy/read.ts';
import type { Policy } from '../../policy/keys.ts';
import { authUrlOf } from '../../server/authentication.ts';
import { judge } from '../../server/guard.ts';
import { REQUEST_REFUSED } from '../../shared/names.ts';
import { failed, ok, orFailed, shortList, skipped, warning, type Finding } from '../check.ts';
import type { CheckContext } from '../context.ts';
import { readLogLines } from '../files.ts';

interface With<Key extends keyof Policy> {
  readonly policy: Pick<Policy, Key>;
}

/** Whether any page can connect. */
export function domainsCheck({
  policy: { allowedDomains, allowLoopbackOrigins },
}: With<'allowedDomains' | 'allowLoopbackOrigins'>): Finding {
  if (allowedDomains.length === 0)
    return allowLoopbackOrigins
      ? ok('pages served from this machine only')
      : failed(
          'no page may connect',
          'Set "allowedDomains" in Sightline\'s policy to the domain of the page in which agents take calls (the CCP), for example example.my.connect.aws.',
        );
  const shown = shortList(allowedDomains, 10);
  if (!allowLoopbackOrigins) return ok(shown);
  return warning(
    `${shown}, and pages served from this machine`,
    'Set "allowLoopbackOrigins" to false in Sightline\'s policy, except for development: any program on this computer can serve such a page.',
  );
}

/** Whether the endpoint that checks the tokens of pages answers, and refuses requests without one (docs/auth.md). */
export async function pageAuthCheck({
  policy,
  servers,
}: Pick<CheckContext, 'policy' | 'servers'>): Promise<Finding> {
  if (policy.auth === 'origin') return skipped('policy "auth" is origin: pages need no token');
  const url = authUrlOf(policy);
  if (url === null) return failed('no endpoint is configured', 'Set "authUrl" or "instanceAlias".');
  const { host } = new URL(url);
  return orFailed(
    `the endpoint ${host} cannot be reached: `,
    'No page can connect until it answers. Check the network, the address and the certificate.',
    async () => {
      const status = await servers.ask('the authentication endpoint', url, 'POST');
      const evidence = `the endpoint ${host} answered ${status} to a request without a token`;
      if (status === 401 || status === 403) return ok(evidence);
      if (status === 200)
        return failed(
          evidence,
          'It may let anyone in. Fix the endpoint: it must answer 401 without a token.',
        );
      return warning(
        evidence,
        'It should answer 401. Check "authUrl", and whether a proxy answers in its place.',
      );
    },
  );
}

/**
 * Whether the browsers' machine policies let the CCP's pages connect to this machine (Local Network Access). Without a policy the
 * browser asks the agent, and an agent who clicks "Block" is not recorded.
 */
export async function browserPolicyCheck({
  policy: { allowedDomains },
}: With<'allowedDomains'>): Promise<Finding> {
  if (allowedDomains.length === 0)
    return skipped('no domain is allowed; pages of this machine need no policy');
  return judgePolicies(allowedDomains, await readBrowserPolicies({ platform: process.platform }));
}

const accessTexts = { blocked: 'blocked', asked: 'the agent is asked for', allowed: 'allowed' } as const;

export function judgePolicies(domains: readonly string[], policies: readonly FoundPolicies[]): Finding {
  const found = new Set<keyof typeof accessTexts>();
  const texts = coverageOf(domains, policies).map(({ browser, sources, domains: covered }) => {
    const parts = (['blocked', 'asked', 'allowed'] as const).flatMap((access) => {
      const hits = covered.filter((one) => one.access === access).map(({ domain }) => domain);
      if (hits.length === 0) return [];
      found.add(access);
      return [`${accessTexts[access]} ${hits.slice(0, 5).join(', ')}`];
    });
    return `${browser}: ${parts.join('; ')} (${sources})`;
  });
  const evidence = texts.join('. ') || 'no browser has a policy: the agent is asked';
  const first = domains.slice(0, 3);
  const remedy =
    "Allow the page in the browser's own policy (which IT sets as a group policy, a profile or a file): " +
    `LoopbackNetworkAllowedForUrls of Chrome and Edge with ${first.map((one) => `https://${one}`).join(', ')}; ` +
    `LocalNetworkAccess of Firefox with ${first.join(', ')} in SkipDomains`;
  if (found.has('blocked'))
    return failed(
      evidence,
      `${remedy}. Remove them from LoopbackNetworkBlockedForUrls and LocalNetworkAccessBlockedForUrls.`,
    );
  if (texts.length === 0 || found.has('asked'))
    return warning(
      evidence,
      `${remedy}; or run "sightline browser-policy --apply" as administrator. Until then agents must click "Allow" when the browser asks whether the page may reach this device.`,
    );
  return ok(evidence);
}

const RECENT_MS = 7 * 24 * 3_600_000;

/** Pages that were refused recently, from the log: a CCP whose domain is not in the policy, or a page that must not connect. */
export async function refusedCheck({
  policy,
}: With<'dataDir' | 'port' | 'allowedDomains' | 'allowLoopbackOrigins'>): Promise<Finding> {
  const { dataDir, port } = policy;
  const since = new Date(Date.now() - RECENT_MS).toISOString();
  const refused = new Map<string, { count: number; last: string }>();
  await readLogLines(join(dataDir, 'logs'), ({ event, time, origin, count }) => {
    if (event !== REQUEST_REFUSED || typeof origin !== 'string' || time < since) return;
    // Any page chooses its origin, and it is printed to a terminal.
    const shown = origin.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, '?');
    const before = refused.get(shown)?.count ?? 0;
    refused.set(shown, { count: before + (typeof count === 'number' ? count : 1), last: time });
  });
  if (refused.size === 0) return ok('none in the last 7 days');
  const newestFirst = [...refused].sort(([, a], [, b]) => b.last.localeCompare(a.last));
  const listed = (origins: typeof newestFirst): string =>
    shortList(
      origins.map(
        ([origin, { count, last }]) => `${origin} (${count === 1 ? 'once' : `${count} times`}, last ${last})`,
      ),
      5,
    );
  const still = newestFirst.filter(([origin]) => !judge(`127.0.0.1:${port}`, origin, port, policy).allowed);
  if (still.length === 0) return ok(`${listed(newestFirst)}; now allowed`);
  return warning(
    listed(still),
    'If one of them is the page in which agents take calls (the CCP), add its domain to "allowedDomains" in Sightline\'s policy, without https:// and without a port. Leave out any that you do not know.',
  );
}
