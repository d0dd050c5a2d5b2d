// The name of the health checks' object in the bucket: always the same for one user of one computer, so that there is never more
// than one where it may not be deleted.

import { createHash } from 'node:crypto';

/** @param prefix with forward slashes, without one at its end @param machine distinguishes this computer's object from others' */
export function trialKey(prefix: string, machine: string): string {
  const name = createHash('sha256').update(machine).digest('hex').slice(0, 16);
  return [prefix, '.sightline-doctor', `${name}.txt`].filter((part) => part !== '').join('/');
}
