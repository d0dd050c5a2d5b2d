// Whether the policy that is set is the one in force: a running Sightline may have refused it, or wait with a part of it.

import type { Check } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';

export interface PolicySubject {
  /** null: no Sightline runs that could tell. */
  readonly state: () => Promise<{
    readonly problems: readonly string[];
    readonly pending: readonly { readonly key: string; readonly applied: 'when-idle' | 'restart' }[];
  } | null>;
}

export function policyCheck({ state }: PolicySubject): Check {
  return {
    name: 'policy in force',
    run: async () => {
      const found = await state();
      if (found === null) return skipped('no Sightline is running');
      const { problems, pending } = found;
      if (problems.length > 0)
        return failed(
          `the newest policy is refused, the one before is in force: ${problems.join('; ')}`,
          'Mend the policy; it is taken up without a restart.',
        );
      const keys = (applied: 'when-idle' | 'restart'): string =>
        pending
          .filter((one) => one.applied === applied)
          .map(({ key }) => `"${key}"`)
          .join(', ');
      if (keys('restart') !== '')
        return warning(
          `changed, and not in effect until Sightline is next started: ${keys('restart')}`,
          'Start Sightline again when no contact is on.',
        );
      if (pending.length > 0) return ok(`changed, and in effect when no contact is on: ${keys('when-idle')}`);
      return ok('what is set is in force');
    },
  };
}
