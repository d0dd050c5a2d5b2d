// What a session that goes on after a restart is told of the recordings that the former process left behind. Pure.

import type { Moment } from '../shared/time.ts';
import type { LedgerRecording } from './ledger.ts';
import type { SpoolSession } from './spool.ts';

export interface LeftContact {
  readonly recordingId: string;
  readonly info: LedgerRecording['started']['contact'];
  readonly agent: LedgerRecording['started']['agent'];
  readonly requestedAt: Moment;
  readonly startTime: Moment;
  readonly suspendedAt: Moment | null;
  readonly leftAt: Moment;
}

/** The recordings that nobody has ended. */
export function leftContacts(session: SpoolSession): LeftContact[] {
  return session.openRecordings().flatMap(({ recordingId, recording, leftAt }) => {
    const { started, startTime } = recording;
    if (startTime === null || leftAt === null) return [];
    const { contact: info, agent, at: requestedAt } = started;
    return [{ recordingId, info, agent, requestedAt, startTime, suspendedAt: heldSince(recording), leftAt }];
  });
}

/** Those that ended in the middle of a suspension because Sightline did. */
export function endedSuspended(
  session: SpoolSession,
): { contactId: string; recordingId: string; endTime: Moment }[] {
  return [...session.ledger.recordings].flatMap(([recordingId, recording]) => {
    const { stopped, started } = recording;
    if (stopped === null || stopped.cause === 'stopped' || heldSince(recording) === null) return [];
    return [{ contactId: started.contact.contactId, recordingId, endTime: stopped.endTime }];
  });
}

/** The size of its picture; null when there is none yet. */
export function canvasOf(session: SpoolSession): { width: number; height: number } | null {
  const first = [...session.ledger.runs.values()].find((run) => run.live !== null)?.live;
  return first ? { width: first.width, height: first.height } : null;
}

function heldSince({ suspensions }: LedgerRecording): Moment | null {
  return suspensions.find((one) => one.resumedAt === null)?.at ?? null;
}
