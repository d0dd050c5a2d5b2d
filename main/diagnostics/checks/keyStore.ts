// Which key store guards recordings that are not delivered yet, and whether it gives back what it has locked.

import { randomBytes } from 'node:crypto';
import type { KeyStore } from '../../platform/keyStore.ts';
import type { Check } from '../check.ts';
import { failed, ok, warning, wordsOf } from '../check.ts';

export interface KeyStoreSubject {
  readonly store: KeyStore;
  /** Whether it has its key already: a check makes none. */
  readonly isMade: () => Promise<boolean>;
}

const TO_SUPPORT =
  'Nothing can be recorded until this works. Export the diagnostics and send them to support.';
const KEY_FILE =
  'Nothing can be recorded until this works. Do what is said above. If the right file is nowhere to be found, and no recording ' +
  'that waits is needed any more, move this one away and start Sightline again: it makes a new one.';
const PLATFORM =
  'Nothing can be recorded until this works. Log off and on again, which unlocks it; if it stays so, send the diagnostics to support.';

export function keyStoreCheck({ store, isMade }: KeyStoreSubject): Check {
  return {
    name: 'key store',
    run: async () => {
      if (!(await isMade())) {
        const evidence = `${store.name}, made when the first contact is recorded`;
        return store.warning === null ? ok(evidence) : warning(evidence, store.warning);
      }
      try {
        const key = randomBytes(32);
        const isSame = key.equals(await store.unwrap(await store.wrap(key)));
        if (!isSame) return failed(`${store.name} gives back another key than it locked`, TO_SUPPORT);
      } catch (error) {
        return failed(`${store.name}: ${wordsOf(error)}`, store.name === 'key-file' ? KEY_FILE : PLATFORM);
      }
      const evidence = `${store.name} locks and unlocks`;
      return store.warning === null ? ok(evidence) : warning(evidence, store.warning);
    },
  };
}
