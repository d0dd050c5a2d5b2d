// The bridges of this page, so that <sightline-status> finds the one that there is. Never read by a bridge.

import type { Client, ContactRecorder, Unsubscribe } from './contract.ts';

/** What <sightline-status> shows: a bridge, or a client and a ContactRecorder that a page has made itself. */
export interface StatusSource {
  readonly client: Client;
  readonly contacts: ContactRecorder;
  /** What the element's button calls; without them it suspends and resumes every contact for the cause `page`. */
  suspend?(contactId?: string): unknown;
  resume?(contactId?: string): unknown;
}

const bridges = new Set<StatusSource>();
const listeners = new Set<() => void>();

/** Called by each bridge when it begins. Call the result when it closes. */
export function announceBridge(bridge: StatusSource): Unsubscribe {
  bridges.add(bridge);
  for (const listener of [...listeners]) listener();
  return () => {
    bridges.delete(bridge);
    for (const listener of [...listeners]) listener();
  };
}

/** The page's bridge, if there is exactly one. */
export function onlyBridge(): StatusSource | undefined {
  return bridges.size === 1 ? [...bridges][0] : undefined;
}

/** Calls `listener` when a bridge begins or closes. */
export function onBridges(listener: () => void): Unsubscribe {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
