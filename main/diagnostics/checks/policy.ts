// Whether the policy that is set is the one in force: a running Sightline may have refused it, or wait with a part of it.

import type { Check, Finding } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';

export interface PolicySubject {
  /** What is wrong with it as it is set now; empty: nothing. */
  readonly problems: readonly string[];
  /** What of flags and environment counts for nothing as it is set now, and why. */
  readonly ignored: readonly string[];
  /** null: no Sightline runs that could tell. */
  readonly state: () => Promise<{
    readonly problems: readonly string[];
    readonly ignored: readonly string[];
    readonly pending: readonly { readonly key: string; readonly applied: 'when-idle' | 'restart' }[];
  } | null>;
}

export function policyCheck({ problems: now, ignored: ignoredNow, state }: PolicySubject): Check {
  return {
    name: 'policy in force',
    run: async () => {
      const found = await state();
      if (found === null) {
        if (now.length > 0)
          return failed(
            `the policy is not valid: ${now.join('; ')}`,
            'Sightline does not start with it. Have IT mend it, and start Sightline.',
          );
        return ignoredNow.length > 0 ? ignored(ignoredNow) : skipped('no Sightline is running');
      }
      const { pending } = found;
      const problems = found.problems.length > 0 ? found.problems : now;
      if (problems.length > 0)
        return failed(
          `the newest policy is refused, the one before is in force: ${problems.join('; ')}`,
          'Have IT mend the policy: it is taken up without a restart.',
        );
      const keys = (applied: 'when-idle' | 'restart'): string =>
        pending
          .filter((one) => one.applied === applied)
          .map(({ key }) => `"${key}"`)
          .join(', ');
      if (keys('restart') !== '')
        return warning(
          `changed, and not in effect until Sightline is next started: ${keys('restart')}`,
          'Quit Sightline when no contact is on, and start it again.',
        );
      const all = [...new Set([...found.ignored, ...ignoredNow])];
      if (all.length > 0) return ignored(all);
      if (pending.length > 0) return ok(`changed, and in effect when no contact is on: ${keys('when-idle')}`);
      return ok('what is set is in force');
    },
  };
}

function ignored(words: readonly string[]): Finding {
  return warning(
    `ignored: ${words.join(' ')}`,
    'Take these away where they were set, or have IT set them in the machine policy.',
  );
}
