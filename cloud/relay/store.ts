// What the relay keeps, as a port: which pages have which contact, what flows last asked for, and acknowledgements. dynamoStore.ts is the
// one for Lambda, where each request may run in another container; this one is for a single process.

import type { Outcome, Wanted } from './messages.ts';

/** A page's connection that has a contact. */
export interface Desk {
  readonly connectionId: string;
  readonly agentArn: string;
  /** Of the contact, as the page knows it. */
  readonly initialContactId: string | null;
}

export interface DeskSubscription {
  readonly connectionId: string;
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly contacts: readonly {
    readonly contactId: string;
    readonly initialContactId?: string | undefined;
  }[];
  /** Milliseconds since the epoch. It does not count after that. */
  readonly expiresAt: number;
}

export interface RelayStore {
  /** Replaces what the connection had. */
  subscribe(subscription: DeskSubscription): Promise<void>;
  /** The connection is closed. */
  forget(connectionId: string): Promise<void>;
  isSubscribed(connectionId: string): Promise<boolean>;
  desksOf(instanceArn: string, contactId: string): Promise<readonly Desk[]>;
  /** Kept for a day. @returns false: a later request is known already */
  setWanted(instanceArn: string, wanted: Wanted): Promise<boolean>;
  wantedOf(instanceArn: string, contactIds: readonly string[]): Promise<readonly Wanted[]>;
  acknowledge(requestId: string, connectionId: string, outcome: Outcome): Promise<void>;
  /** By connection. */
  acknowledgementsOf(requestId: string): Promise<ReadonlyMap<string, Outcome>>;
  /** Resolves when there may be another acknowledgement, at the latest after so many milliseconds. */
  acknowledged(requestId: string, withinMs: number): Promise<void>;
}

export const WANTED_MS = 24 * 60 * 60 * 1000;
/** Longer than any caller waits. */
export const ACKNOWLEDGEMENT_MS = 5 * 60 * 1000;

export function memoryStore(now = Date.now): RelayStore {
  const subscriptions = new Map<string, DeskSubscription>();
  const wanted = new Map<string, Wanted>();
  const outcomes = new Map<string, { map: Map<string, Outcome>; until: number }>();
  const waiting = new Set<() => void>();
  const keyOf = (instanceArn: string, contactId: string): string => `${instanceArn} ${contactId}`;

  return {
    subscribe(subscription) {
      subscriptions.set(subscription.connectionId, subscription);
      return Promise.resolve();
    },
    forget(connectionId) {
      subscriptions.delete(connectionId);
      return Promise.resolve();
    },
    isSubscribed: (connectionId) =>
      Promise.resolve((subscriptions.get(connectionId)?.expiresAt ?? 0) > now()),
    desksOf(instanceArn, contactId) {
      const desks = [...subscriptions.values()].flatMap((one): Desk[] => {
        const contact = one.contacts.find((has) => has.contactId === contactId);
        if (contact === undefined || one.instanceArn !== instanceArn || one.expiresAt <= now()) return [];
        const { connectionId, agentArn } = one;
        return [{ connectionId, agentArn, initialContactId: contact.initialContactId ?? null }];
      });
      return Promise.resolve(desks);
    },
    setWanted(instanceArn, asked) {
      const key = keyOf(instanceArn, asked.contactId);
      const isNewest = (wanted.get(key)?.requestedAt ?? 0) <= asked.requestedAt;
      if (isNewest) wanted.set(key, asked);
      for (const [old, { requestedAt }] of wanted) if (requestedAt < now() - WANTED_MS) wanted.delete(old);
      return Promise.resolve(isNewest);
    },
    wantedOf: (instanceArn, contactIds) =>
      Promise.resolve(contactIds.flatMap((contactId) => wanted.get(keyOf(instanceArn, contactId)) ?? [])),
    acknowledge(requestId, connectionId, outcome) {
      for (const [old, { until }] of outcomes) if (until < now()) outcomes.delete(old);
      const known = outcomes.get(requestId) ?? { map: new Map(), until: now() + ACKNOWLEDGEMENT_MS };
      known.map.set(connectionId, outcome);
      outcomes.set(requestId, known);
      for (const wake of [...waiting]) wake();
      return Promise.resolve();
    },
    acknowledgementsOf: (requestId) => Promise.resolve(new Map(outcomes.get(requestId)?.map)),
    acknowledged: (_, withinMs) =>
      new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, withinMs);
        waiting.add(wake);
      }),
  };
}
