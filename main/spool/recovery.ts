// After a start: uploads what earlier processes left in the spool, and continues the recordings that may continue.

import type { Logger } from '../platform/log.ts';
import type { Moment } from '../shared/time.ts';
import type { CurrentSpoolSession } from './currentSession.ts';
import type { RecoveredContact, SuspendedContact } from './recoveredContacts.ts';
import {
  agentSuspendedSince,
  canvasOf,
  lastMoment,
  openContacts,
  unpublishedRecordings,
} from './recoveredContacts.ts';
import { recoverSessions } from './recoverSessions.ts';
import type { Spool, SpoolSession } from './spool.ts';
import type { SuspendedMemory } from './suspendedMemory.ts';
import type { UnreadableFolders } from './unreadableFolders.ts';

export interface RecoveryOptions {
  readonly spool: Spool;
  readonly current: CurrentSpoolSession;
  readonly memory: SuspendedMemory;
  readonly unreadable: UnreadableFolders;
  readonly clock: { now(): Moment; continueFrom(moment: Moment): void };
  readonly publisher: { enqueue(session: SpoolSession, recordingId: string): void };
  /** One MP4 has one frame size: new runs use that of the continued session. */
  readonly capture: { keepCanvas(size: { width: number; height: number }): void };
  /** Called once, even when there is nothing to restore. */
  readonly restore: (state: RestoredState) => void;
  readonly log: Logger;
}

export interface RestoredState {
  readonly contacts: readonly RecoveredContact[];
  readonly agentSuspendedSince: Moment | null;
  readonly endedSuspended: readonly SuspendedContact[];
}

/** @throws SightlineError when the spool cannot be read */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { spool, current, memory, unreadable, clock, publisher, capture, restore, log } = options;
  const { all, unpublished, continued } = await recoverSessions(spool, clock.now());
  await unreadable.report((recordingId) =>
    unpublished.some(({ ledger }) => ledger.recordings.has(recordingId)),
  );
  const suspended = await memory.restore(all);
  for (const session of unpublished) {
    for (const recordingId of unpublishedRecordings(session)) {
      log.info('found an unpublished recording', { recordingId, folder: session.folder });
      publisher.enqueue(session, recordingId);
    }
  }
  if (continued === null) {
    restore({ contacts: [], agentSuspendedSince: null, endedSuspended: suspended });
    return;
  }
  clock.continueFrom(lastMoment(continued));
  current.continueIn(continued);
  const canvas = canvasOf(continued);
  if (canvas !== null) capture.keepCanvas(canvas);
  restore({
    contacts: openContacts(continued, suspended),
    agentSuspendedSince: agentSuspendedSince(continued),
    // In the continued session, `agentSuspendedSince` represents the agent's suspension.
    endedSuspended: suspended.map((one) =>
      continued.ledger.recordings.has(one.recordingId) ? { ...one, suspendedByAgent: false } : one,
    ),
  });
}
