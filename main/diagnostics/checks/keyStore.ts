// Which key store protects recordings that are not uploaded yet, and whether it decrypts what it encrypted.

import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { keyFileStore } from '../../platform/keyStore.ts';
import type { Policy } from '../../policy/keys.ts';
import { errorMessage } from '../../shared/errors.ts';
import type { Check } from '../check.ts';
import { failed, ok, warning } from '../check.ts';
import type { CheckContext } from '../context.ts';

const TO_SUPPORT =
  'Nothing can be recorded until this works. Export the diagnostics and send them to support.';
const KEY_FILE =
  'Nothing can be recorded until this works. Follow the message above. If the right file is lost, and no pending recording ' +
  'is needed any more, move this file away and start Sightline again: it creates a new one.';
const PLATFORM =
  'Nothing can be recorded until this works. Log off and on again, which unlocks it; if it stays so, send the diagnostics to support.';

export function keyStoreCheck({
  keyStore,
  policy: { dataDir },
}: {
  readonly keyStore: CheckContext['keyStore'];
  readonly policy: Pick<Policy, 'dataDir'>;
}): Check {
  const keyFile = join(dataDir, 'spool.key');
  const store = keyStore ?? keyFileStore(keyFile);
  return {
    name: 'key store',
    run: async () => {
      // A check creates no key.
      if (keyStore === null && !existsSync(keyFile))
        return judged('created when the first contact is recorded', ', ');
      try {
        const key = randomBytes(32);
        const isSame = key.equals(await store.unwrap(await store.wrap(key)));
        if (!isSame) return failed(`${store.name} returns another key than it was given`, TO_SUPPORT);
      } catch (error) {
        return failed(
          `${store.name}: ${errorMessage(error)}`,
          store.name === 'key-file' ? KEY_FILE : PLATFORM,
        );
      }
      return judged('encrypts and decrypts', ' ');

      function judged(text: string, separator: string) {
        const evidence = `${store.name}${separator}${text}`;
        return store.warning === null ? ok(evidence) : warning(evidence, store.warning);
      }
    },
  };
}
