// One data key for each session of the spool: random, kept only wrapped by a key store, in the head of the journal.

import { randomBytes } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyStore } from '../platform/keyStore.ts';
import { SightlineError, errno } from '../shared/errors.ts';
import type { SessionKeys } from './journal.ts';
import { JOURNAL_FILE } from './journal.ts';
import { DATA_KEY_BYTES } from './seal.ts';

/** @param stores the first wraps new keys; all may unlock what was wrapped before */
export function sessionKeys(stores: readonly [KeyStore, ...KeyStore[]]): SessionKeys {
  return {
    async create() {
      const [store] = stores;
      const dataKey = randomBytes(DATA_KEY_BYTES);
      const wrapped = await store.wrap(dataKey);
      return { dataKey, key: { store: store.name, wrapped: wrapped.toString('base64') } };
    },
    async unlock({ store: name, wrapped }) {
      const store = stores.find((one) => one.name === name);
      if (store === undefined) {
        throw new SightlineError(
          'SPOOL_UNREADABLE',
          `The recording's key was locked by the key store "${name}", which is not there now. Start Sightline as it was ` +
            'started then (with its window, or without).',
        );
      }
      const dataKey = await store.unwrap(Buffer.from(wrapped, 'base64'));
      if (dataKey.byteLength === DATA_KEY_BYTES) return dataKey;
      throw new SightlineError('SPOOL_UNREADABLE', `The key store "${name}" gave something that is no key.`);
    },
  };
}

/**
 * Whether anything was sealed with a key that must not be replaced: a journal begins with its key.
 * @param roots folders with a folder for each session
 */
export async function hasSealed(roots: readonly string[]): Promise<boolean> {
  for (const root of roots) {
    const sessions = await readdir(root).catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return [];
      throw error;
    });
    for (const id of sessions) {
      const journal = await stat(join(root, id, JOURNAL_FILE)).catch(() => null);
      if (journal !== null && journal.size > 0) return true;
    }
  }
  return false;
}
