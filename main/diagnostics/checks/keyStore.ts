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
        if (!isSame) return failed(`${store.name} gives back another key than it locked`, 'Tell support.');
      } catch (error) {
        return failed(`${store.name}: ${wordsOf(error)}`, 'Mend it: nothing can be recorded without it.');
      }
      const evidence = `${store.name} locks and unlocks`;
      return store.warning === null ? ok(evidence) : warning(evidence, store.warning);
    },
  };
}
