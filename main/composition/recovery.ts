// The composition root's part for what earlier processes left in the spool: it is delivered, or gone on with.

import type { Capture } from '../capture/capture.ts';
import type { SystemClock } from '../platform/clock.ts';
import type { Logger } from '../platform/log.ts';
import type { Publisher } from '../publisher/publisher.ts';
import type { Session } from '../session/service.ts';
import { agentHeldSince, canvasOf, lastMoment, leftContacts, unpublished } from '../spool/leftovers.ts';
import type { Spool, SpoolSession } from '../spool/spool.ts';
import type { Stretch } from '../spool/stretch.ts';
import type { SuspendedMemory } from '../spool/suspendedMemory.ts';
import type { UnreadableFolders } from './unreadableFolders.ts';

export interface RecoveryOptions {
  readonly spool: Spool;
  readonly stretch: Stretch;
  readonly memory: SuspendedMemory;
  readonly publisher: Publisher;
  readonly capture: Capture;
  readonly session: Session;
  readonly unreadable: UnreadableFolders;
  readonly clock: SystemClock;
  readonly log: Logger;
}

/** @throws SightlineError when the spool cannot be searched */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { spool, memory, publisher, session, unreadable, clock, log } = options;
  const { found, sessions, goingOn } = await spool.recover(clock.now());
  await unreadable.tell((recordingId) => sessions.some(({ ledger }) => ledger.recordings.has(recordingId)));
  const held = await memory.recall(found);
  for (const left of sessions) {
    for (const recordingId of unpublished(left)) {
      log.info('found an unpublished recording', { recordingId, folder: left.folder });
      publisher.enqueue(left, recordingId);
    }
  }
  if (goingOn !== null) {
    clock.continueFrom(lastMoment(goingOn));
    goOn(goingOn, options);
  }
  session.dispatch({
    type: 'restored',
    contacts: goingOn === null ? [] : leftContacts(goingOn, held),
    agentSuspendedSince: goingOn === null ? null : agentHeldSince(goingOn),
    // The agent's suspension of the spool session that continues is already in `agentSuspendedSince`.
    endedSuspended: held.map(({ heldByAgent, ...one }) => ({
      ...one,
      suspendedByAgent: heldByAgent && goingOn?.ledger.recordings.has(one.recordingId) !== true,
    })),
  });
}

/** Recording goes on where an earlier process left it: in its folder, with its picture's size. */
function goOn(left: SpoolSession, { stretch, capture }: RecoveryOptions): void {
  stretch.goOnIn(left);
  const canvas = canvasOf(left);
  if (canvas !== null) capture.keepCanvas(canvas);
}
