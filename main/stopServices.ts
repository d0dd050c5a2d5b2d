// The end of the services, in order and under one deadline: a service that hangs or fails does not keep the others running.

import { setTimeout as delay } from 'node:timers/promises';
import type { EndCause } from './shared/deskEvent.ts';
import type { Logger } from './platform/log.ts';

export interface Stoppable {
  readonly session: { shutdown(): Promise<void> };
  readonly publisher: { idle(): Promise<unknown>; stop(): void };
  readonly announcer: { idle(): Promise<unknown> };
  readonly statusEvents: { retryNow(): void; idle(): Promise<unknown> };
  readonly eventBridge: { idle(): Promise<void>; stop(): Promise<void> };
  readonly fleet: {
    leaving(cause: EndCause): void;
    announceEnd(): Promise<void>;
    stop(): Promise<void>;
  } | null;
  readonly pauses: { stop(): Promise<void> };
  readonly displays: { close(): void };
  readonly server: { close(): Promise<void> };
  /** Ends the subscription to policy changes; undefined: there is none. */
  readonly endFollowing: (() => void) | undefined;
  readonly unlock: () => void;
  readonly log: Logger;
}

/** Of the time given: for closing connections once recordings and events are done. */
const CLOSING_MS = 1500;

export async function stopServices(parts: Stoppable, withinMs: number, cause: EndCause): Promise<void> {
  const { session, publisher, announcer, statusEvents, eventBridge, log } = parts;
  const end = performance.now() + withinMs;
  const within = async (what: string, work: Promise<unknown>, deadline: number): Promise<void> => {
    const late = delay(Math.max(0, deadline - performance.now()), 'late' as const, { ref: false });
    const failed = work.then(
      () => null,
      (error: unknown) => ({ reason: String(error) }),
    );
    const outcome = await Promise.race([failed, late]);
    if (outcome === 'late') log.warn('did not end in time', { what });
    else if (outcome !== null) log.warn('did not end well', { what, ...outcome });
  };

  parts.fleet?.leaving(cause);
  const recorded = session.shutdown().then(() => publisher.idle());
  await within('recording and uploads', recorded, end - CLOSING_MS);
  publisher.stop();
  statusEvents.retryNow();
  const written = Promise.all([announcer.idle(), parts.fleet?.announceEnd()]).then(() => statusEvents.idle());
  await within(
    'status events',
    written.then(() => eventBridge.idle()),
    end - CLOSING_MS,
  );
  parts.displays.close();
  parts.endFollowing?.();
  await Promise.all([
    within('EventBridge', eventBridge.stop(), end),
    within('the record of this end', Promise.resolve(parts.fleet?.stop()), end),
    within('the session watch', parts.pauses.stop(), end),
    within('connections', parts.server.close(), end),
  ]);
  parts.unlock();
}
