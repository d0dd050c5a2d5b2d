// Where events wait: one list of small records in IndexedDB, which all tabs of the origin share and which survives reloads.
// Every change reads and writes the whole list in one transaction, so that tabs never overwrite one another. Where IndexedDB
// cannot be used, the list is in memory, and is lost with the page.

import type { FailureEvent } from './event.ts';

export interface FailureRecord {
  /** `<contactId>:<code>`; the contactId alone for a contact that the recorder knows. */
  readonly key: string;
  readonly contactId: string;
  /** Since when it is here, and when it may be posted; ms since 1970. */
  readonly addedAt: number;
  readonly dueAt: number;
  /** Null: nothing is left to post; the record prevents that it is posted again. */
  readonly event: FailureEvent | null;
}

export interface Change<T> {
  readonly put?: readonly FailureRecord[];
  readonly remove?: readonly string[];
  readonly result: T;
}

export interface FailureStore {
  /** @param change synchronous and pure; may be called again with another list */
  update<T>(change: (records: readonly FailureRecord[]) => Change<T>): Promise<T>;
  close(): void;
}

const DATABASE = 'sightline-failures';
const RECORDS = 'records';

/** Never rejects. */
export async function openStore(): Promise<FailureStore> {
  const memory = new Map<string, FailureRecord>();
  let database = await openDatabase().catch(() => undefined);
  // Another version of this code, in another tab, needs it.
  database?.addEventListener('versionchange', () => database?.close());
  return {
    async update(change) {
      if (database !== undefined) {
        try {
          return await inDatabase(database, change);
        } catch (error) {
          // eslint-disable-next-line no-console -- the page's developer reads it there
          console.warn(
            'Sightline: IndexedDB failed; events that are not posted are lost with this page.',
            error,
          );
          database.close();
          database = undefined;
        }
      }
      const { put = [], remove = [], result } = change([...memory.values()]);
      for (const key of remove) memory.delete(key);
      for (const record of put) memory.set(record.key, record);
      return result;
    },
    close() {
      database?.close();
      database = undefined;
    },
  };
}

function openDatabase(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(RECORDS, { keyPath: 'key' });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB cannot be opened'));
    request.onblocked = () => reject(new Error('IndexedDB is blocked by another tab'));
  });
}

function inDatabase<T>(
  database: IDBDatabase,
  change: (records: readonly FailureRecord[]) => Change<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(RECORDS, 'readwrite');
    const store = transaction.objectStore(RECORDS);
    const reading = store.getAll() as IDBRequest<FailureRecord[]>;
    let result: T;
    reading.onsuccess = () => {
      const changed = change(reading.result);
      for (const key of changed.remove ?? []) store.delete(key);
      for (const record of changed.put ?? []) store.put(record);
      ({ result } = changed);
    };
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(transaction.error ?? new Error('IndexedDB aborted'));
  });
}
