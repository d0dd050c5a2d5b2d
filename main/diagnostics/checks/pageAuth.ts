// Whether the endpoint that checks the tokens of pages answers, and refuses requests without one (docs/auth.md).

import { authUrlOf } from '../../server/authentication.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { Check } from '../check.ts';
import { failed, ok, skipped, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

export function pageAuthCheck({ policy, servers }: Pick<CheckContext, 'policy' | 'servers'>): Check {
  return {
    name: 'authentication',
    run: async () => {
      if (policy.auth === 'origin') return skipped('policy "auth" is origin: pages need no token');
      const url = authUrlOf(policy);
      if (url === null) return failed('no endpoint is configured', 'Set "authUrl" or "instanceAlias".');
      const { host } = new URL(url);
      let status: number;
      try {
        status = await servers.ask('the authentication endpoint', url, 'POST');
      } catch (error) {
        return failed(
          `the endpoint ${host} cannot be reached: ${errorMessage(error)}`,
          'No page can connect until it answers. Check the network, the address and the certificate.',
        );
      }
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
  };
}
