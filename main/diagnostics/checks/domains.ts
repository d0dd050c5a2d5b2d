// Whether any page can connect.

import type { Policy } from '../../policy/keys.ts';
import type { Check } from '../check.ts';
import { failed, ok, warning } from '../check.ts';

const MAX_SHOWN = 10;

export function domainsCheck({
  policy: { allowedDomains, allowLoopbackOrigins },
}: {
  readonly policy: Pick<Policy, 'allowedDomains' | 'allowLoopbackOrigins'>;
}): Check {
  return {
    name: 'allowed domains',
    run: () => {
      if (allowedDomains.length === 0) {
        if (allowLoopbackOrigins) return ok('pages served from this machine only');
        return failed(
          'no page may connect',
          'Set "allowedDomains" in Sightline\'s policy to the domain of the page in which agents take calls (the CCP), for example example.my.connect.aws.',
        );
      }
      const more = allowedDomains.length - MAX_SHOWN;
      const shown = `${allowedDomains.slice(0, MAX_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
      if (!allowLoopbackOrigins) return ok(shown);
      return warning(
        `${shown}, and pages served from this machine`,
        'Set "allowLoopbackOrigins" to false in Sightline\'s policy, except for development: any program on this computer can serve such a page.',
      );
    },
  };
}
