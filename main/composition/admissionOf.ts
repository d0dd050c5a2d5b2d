// The composition root's part for page authentication: from policy to who may come in.

import type { Logger } from '../platform/log.ts';
import { appVersion } from '../platform/version.ts';
import type { Policy } from '../policy/keys.ts';
import { PolicyError } from '../policy/load.ts';
import { Admission } from '../server/admission.ts';
import { askEndpoint } from '../server/authEndpoint.ts';

/** The alias is policy's, never the page's: a page must not choose who vouches for it. null: nobody can be asked. */
export function authUrlOf({ authUrl, instanceAlias }: Policy): string | null {
  if (authUrl !== null) return authUrl;
  return instanceAlias === null ? null : `https://${instanceAlias}.my.connect.aws/taps/client/auth`;
}

/** null: no token is asked for. @throws PolicyError */
export function admissionOf(policy: Policy, log: Logger): Admission | null {
  if (policy.auth === 'origin') return null;
  const url = authUrlOf(policy);
  if (url === null) {
    throw new PolicyError(
      'Policy "auth" is endpoint, and nobody is named. Set "authUrl" or "instanceAlias".',
    );
  }
  return new Admission({
    host: new URL(url).host,
    ask: (token, question) => askEndpoint(url, token, question),
    appVersion,
    log,
    now: () => performance.now(),
    wallClock: Date.now,
  });
}
