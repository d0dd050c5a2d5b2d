// A short name for the policy in force, by which IT sees which desks have which.

import { createHash } from 'node:crypto';
import { redactUrl } from '../platform/redact.ts';
import { policyKeyNames, policyKeys, type Policy, type PolicyKey } from './keys.ts';

/** Their usual values contain the user's name, so they would differ from desk to desk. */
const OWN_FOLDERS: readonly PolicyKey[] = ['dataDir', 'sinkFolder', 'statusEventsFile'];

/** Without what a user may set, and without passwords: a short hash of one could be tried out. */
export function policyHash(policy: Policy): string {
  const named = policyKeyNames
    .filter((name) => !OWN_FOLDERS.includes(name) && !('userMaySet' in policyKeys[name]))
    .map((name) => [
      name,
      name === 'proxyUrl' && policy.proxyUrl !== null ? redactUrl(policy.proxyUrl) : policy[name],
    ]);
  return createHash('sha256').update(JSON.stringify(named)).digest('hex').slice(0, 16);
}
