// Whether the browsers' machine policies let the CCP's pages connect to this machine (Local Network Access). Without a policy
// the browser asks the agent, and an agent who clicks "Block" is not recorded.

import type { Access } from '../../browserPolicy/coverage.ts';
import { coverageOf } from '../../browserPolicy/coverage.ts';
import type { FoundPolicies } from '../../browserPolicy/read.ts';
import { readBrowserPolicies } from '../../browserPolicy/read.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

const MAX_SHOWN = 5;
const MAX_IN_REMEDY = 3;
const accessTexts = { blocked: 'blocked', asked: 'the agent is asked for', allowed: 'allowed' } as const;

export function browserPolicyCheck({
  policy: { allowedDomains },
  run,
}: Pick<CheckContext, 'policy' | 'run'>): Check {
  return {
    name: 'browser policy',
    run: async () => {
      if (allowedDomains.length === 0)
        return skipped('no domain is allowed; pages of this machine need no policy');
      return judgePolicies(allowedDomains, await readBrowserPolicies({ platform: process.platform, run }));
    },
  };
}

export function judgePolicies(domains: readonly string[], policies: readonly FoundPolicies[]): Finding {
  const coverage = coverageOf(domains, policies);
  const texts = coverage.map(({ browser, sources, domains: found }) => {
    const parts = (['blocked', 'asked', 'allowed'] as const).flatMap((access) => {
      const hits = found.filter((one) => one.access === access).map(({ domain }) => domain);
      return hits.length === 0 ? [] : [`${accessTexts[access]} ${hits.slice(0, MAX_SHOWN).join(', ')}`];
    });
    return `${browser}: ${parts.join('; ')} (${sources})`;
  });
  const evidence = texts.length === 0 ? 'no browser has a policy: the agent is asked' : texts.join('. ');
  const has = (access: Access): boolean =>
    coverage.some(({ domains: found }) => found.some((one) => one.access === access));
  const first = domains.slice(0, MAX_IN_REMEDY);
  const remedy =
    "Allow the page in the browser's own policy (which IT sets as a group policy, a profile or a file): " +
    `LoopbackNetworkAllowedForUrls of Chrome and Edge with ${first.map((one) => `https://${one}`).join(', ')}; ` +
    `LocalNetworkAccess of Firefox with ${first.join(', ')} in SkipDomains`;
  if (has('blocked')) {
    return failed(
      evidence,
      `${remedy}. Remove them from LoopbackNetworkBlockedForUrls and LocalNetworkAccessBlockedForUrls.`,
    );
  }
  if (texts.length === 0 || has('asked')) {
    return warning(
      evidence,
      `${remedy}; or run "sightline browser-policy --apply" as administrator. Until then agents must click "Allow" when the browser asks whether the page may reach this device.`,
    );
  }
  return ok(evidence);
}
