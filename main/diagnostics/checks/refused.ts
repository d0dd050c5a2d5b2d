// Pages that were refused recently, from the log: a CCP whose domain is not in the policy, or a page that must not connect.

import { join } from 'node:path';
import type { Policy } from '../../policy/keys.ts';
import { judge } from '../../server/guard.ts';
import { REQUEST_REFUSED } from '../../shared/names.ts';
import type { Check } from '../check.ts';
import { ok, warning } from '../check.ts';
import { readLogLines } from '../logLines.ts';

const RECENT_MS = 7 * 24 * 3_600_000;
const MAX_SHOWN = 5;

interface Refused {
  count: number;
  last: string;
}

export function refusedCheck({
  policy,
}: {
  readonly policy: Pick<Policy, 'dataDir' | 'port' | 'allowedDomains' | 'allowLoopbackOrigins'>;
}): Check {
  const { dataDir, port } = policy;
  return {
    name: 'refused pages',
    run: async () => {
      const since = new Date(Date.now() - RECENT_MS).toISOString();
      const origins = new Map<string, Refused>();
      await readLogLines(join(dataDir, 'logs'), ({ event, time, origin, count }) => {
        if (event !== REQUEST_REFUSED || typeof origin !== 'string' || time < since) return;
        const shown = printable(origin);
        const before = origins.get(shown)?.count ?? 0;
        origins.set(shown, { count: before + (typeof count === 'number' ? count : 1), last: time });
      });
      const refused = [...origins].filter(
        ([origin]) => !judge(`127.0.0.1:${port}`, origin, port, policy).allowed,
      );
      if (origins.size === 0) return ok('none in the last 7 days');
      if (refused.length === 0) return ok(`${listed([...origins])}; now allowed`);
      return warning(
        listed(refused),
        'If one of them is the page in which agents take calls (the CCP), add its domain to "allowedDomains" in Sightline\'s policy, without https:// and without a port. Leave out any that you do not know.',
      );
    },
  };
}

function listed(origins: readonly (readonly [string, Refused])[]): string {
  const newest = [...origins].sort(([, a], [, b]) => b.last.localeCompare(a.last));
  const shown = newest
    .slice(0, MAX_SHOWN)
    .map(
      ([origin, { count, last }]) => `${origin} (${count === 1 ? 'once' : `${count} times`}, last ${last})`,
    );
  const more = newest.length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Any page chooses its origin, and it is printed to a terminal. */
function printable(origin: string): string {
  return origin.slice(0, 200).replaceAll(/[^\x21-\x7e]/g, '?');
}
