// The end of the services, in order and under one deadline: what hangs or fails keeps nothing else from ending.

import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../platform/log.ts';

export interface Stoppable {
  readonly session: { shutdown(): Promise<void> };
  readonly publisher: { idle(): Promise<unknown>; stop(): void };
  readonly announcer: { idle(): Promise<unknown> };
  readonly statusEvents: { retryNow(): void; idle(): Promise<unknown> };
  /** null: policy names no bus. */
  readonly eventBridge: { readonly sender: { idle(): Promise<void>; stop(): Promise<void> } } | null;
  readonly sessionWatch: Promise<{ stop(): Promise<void> } | null>;
  readonly server: { close(): Promise<void> };
  readonly displays: { close(): void };
  readonly endFollowing: () => void;
  readonly unlock: () => void;
  readonly log: Logger;
}

/** Of the time given: for saying goodbye to pages, and for ending what only has to be told so. */
const ENDING_MS = 1500;

export async function stopServices(parts: Stoppable, withinMs: number): Promise<void> {
  const { session, publisher, announcer, eventBridge, sessionWatch, server, log } = parts;
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

  const recorded = session.shutdown().then(() => publisher.idle());
  await within('recording and deliveries', recorded, end - ENDING_MS);
  publisher.stop();
  parts.statusEvents.retryNow();
  const told = Promise.all([announcer.idle(), parts.statusEvents.idle()]).then(() =>
    eventBridge?.sender.idle(),
  );
  await within('status events', told, end - ENDING_MS);
  parts.displays.close();
  parts.endFollowing();
  await Promise.all([
    within('EventBridge', Promise.resolve(eventBridge?.sender.stop()), end),
    within(
      'the watch over the session',
      sessionWatch.then((watch) => watch?.stop()),
      end,
    ),
    within('connections', server.close(), end),
  ]);
  parts.unlock();
}
