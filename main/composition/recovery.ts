// The composition root's part for what earlier processes left in the spool: it is delivered, or gone on with.

import type { Capture } from '../capture/capture.ts';
import type { Logger } from '../platform/log.ts';
import type { Publisher } from '../publisher/publisher.ts';
import type { Session } from '../session/service.ts';
import type { Clock } from '../shared/time.ts';
import { agentHeldSince, canvasOf, endedSuspended, leftContacts, unpublished } from '../spool/leftovers.ts';
import type { Spool, SpoolSession } from '../spool/spool.ts';
import type { Stretch } from '../spool/stretch.ts';
import type { UnreadableFolders } from './unreadableFolders.ts';

export interface RecoveryOptions {
  readonly spool: Spool;
  readonly stretch: Stretch;
  readonly publisher: Publisher;
  readonly capture: Capture;
  readonly session: Session;
  readonly unreadable: UnreadableFolders;
  readonly clock: Clock;
  readonly log: Logger;
}

/** @throws SightlineError when the spool cannot be searched */
export async function recover(options: RecoveryOptions): Promise<void> {
  const { spool, publisher, session, unreadable, clock, log } = options;
  const { sessions, goingOn } = await spool.recover(clock.now());
  await unreadable.tell((recordingId) => sessions.some(({ ledger }) => ledger.recordings.has(recordingId)));
  for (const left of sessions) {
    for (const recordingId of unpublished(left)) {
      log.info('found an unpublished recording', { recordingId, folder: left.folder });
      publisher.enqueue(left, recordingId);
    }
  }
  if (goingOn !== null) goOn(goingOn, options);
  session.dispatch({
    type: 'restored',
    contacts: goingOn === null ? [] : leftContacts(goingOn),
    agentHeldSince: goingOn === null ? null : agentHeldSince(goingOn),
    endedSuspended: sessions.filter((one) => one !== goingOn).flatMap(endedSuspended),
  });
}

/** Recording goes on where an earlier process left it: in its folder, with its picture's size. */
function goOn(left: SpoolSession, { stretch, capture }: RecoveryOptions): void {
  stretch.goOnIn(left);
  const canvas = canvasOf(left);
  if (canvas !== null) capture.keepCanvas(canvas);
}
