// Whether the configured policy is in effect: a running Sightline may have rejected it, or be waiting to apply a part of it.

import { readPolicyState } from '../../policy/start.ts';
import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

export function policyCheck({
  policy: { dataDir },
  policyProblems,
  policyWarnings,
}: Pick<CheckContext, 'policy' | 'policyProblems' | 'policyWarnings'>): Check {
  return {
    name: 'policy in force',
    run: async () => {
      const running = await readPolicyState(dataDir);
      const problems = running === null || running.problems.length === 0 ? policyProblems : running.problems;
      if (problems.length > 0) {
        return running === null
          ? failed(
              `the policy is not valid: ${problems.join('; ')}`,
              'Sightline does not start with it. Have IT fix it, and start Sightline.',
            )
          : failed(
              `the new policy was rejected, the previous one is in effect: ${problems.join('; ')}`,
              'Have IT fix the policy. It is applied without a restart.',
            );
      }
      const keys = (applied: 'when-idle' | 'restart'): string =>
        (running?.pending ?? [])
          .filter((one) => one.applied === applied)
          .map(({ key }) => `"${key}"`)
          .join(', ');
      if (keys('restart') !== '') {
        return warning(
          `changed, and not in effect until Sightline is next started: ${keys('restart')}`,
          'Quit Sightline when no contact is active, and start it again.',
        );
      }
      const ignored = new Set([...(running?.ignored ?? []), ...policyWarnings]);
      if (ignored.size > 0) return judgeIgnored([...ignored]);
      if (running === null) return skipped('no Sightline is running');
      if (keys('when-idle') === '') return ok('the configured policy is in effect');
      return ok(`changed, and in effect as soon as no contact is active: ${keys('when-idle')}`);
    },
  };
}

function judgeIgnored(settings: readonly string[]): Finding {
  return warning(
    `ignored: ${settings.join(' ')}`,
    'Remove these where they were set, or have IT set them in the machine policy.',
  );
}
