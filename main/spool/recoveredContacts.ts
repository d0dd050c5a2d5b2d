// What the session restores from the ledgers of earlier processes: open recordings, and contacts that ended suspended. Pure.

import type { EncoderName } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { isInDoubt } from './damage.ts';
import type { Ledger, LedgerRecording } from './ledger.ts';
import type { SpoolSession } from './spool.ts';

export interface RecoveredContact {
  readonly recordingId: string;
  readonly info: LedgerRecording['started']['contact'];
  readonly agent: LedgerRecording['started']['agent'];
  readonly requestedAt: Moment;
  readonly startTime: Moment;
  readonly suspendedAt: Moment | null;
  /** Until when the spool has content of it. */
  readonly leftAt: Moment;
}

/** A contact that ended suspended without a page's stop: it begins suspended if a page starts it again. */
export interface SuspendedContact {
  readonly contactId: string;
  readonly recordingId: string;
  readonly endTime: Moment;
  /** By the agent's own suspension. */
  readonly suspendedByAgent: boolean;
  /** By a page. */
  readonly suspended: boolean;
}

type HasLedger = Pick<SpoolSession, 'ledger'>;

/**
 * The open recordings of a session.
 * @param suspended contacts that had ended suspended before
 */
export function openContacts(
  session: SpoolSession,
  suspended: readonly SuspendedContact[] = [],
): RecoveredContact[] {
  return session.openRecordings().flatMap(({ recordingId, recording, leftAt }) => {
    const { started, startTime } = recording;
    if (startTime === null || leftAt === null) return [];
    const { contact: info, agent, at: requestedAt } = started;
    // If the process died as it began, its suspension may be missing: in doubt it is suspended.
    const beganSuspended = suspended.some((one) => one.suspended && one.contactId === info.contactId);
    const inDoubt = beganSuspended && recording.suspensions.length === 0 ? startTime : null;
    const suspendedAt = suspendedSince(recording) ?? inDoubt;
    return [{ recordingId, info, agent, requestedAt, startTime, suspendedAt, leftAt }];
  });
}

/** The contacts of one session that ended suspended; in doubt they did. */
export function endedSuspended({ ledger }: HasLedger): SuspendedContact[] {
  const suspendedByAgent = agentSuspendedSince({ ledger }) !== null;
  const inDoubt = isInDoubt(ledger);
  return [...ledger.recordings].flatMap(([recordingId, recording]) => {
    const { stopped, started, failed, startTime } = recording;
    const suspended = inDoubt || suspendedSince(recording) !== null;
    if (stopped?.cause === 'stopped' || !(suspended || suspendedByAgent)) return [];
    // A recording that began suspended has no frames when the process dies: it fails, and its contact stays suspended.
    const endTime = stopped?.endTime ?? (failed === null ? null : startTime);
    if (endTime === null) return [];
    const { contactId } = started.contact;
    return [{ contactId, recordingId, endTime, suspended, suspendedByAgent }];
  });
}

/**
 * Which contacts begin suspended again.
 * @param sessions oldest first: the newest session that mentions a contact decides
 */
export function suspendedContacts(sessions: readonly HasLedger[]): SuspendedContact[] {
  const contacts = new Map<string, SuspendedContact>();
  for (const { ledger } of sessions) {
    const ended = endedSuspended({ ledger });
    for (const [recordingId, recording] of ledger.recordings) {
      const { contactId } = recording.started.contact;
      const again = ended.find((one) => one.recordingId === recordingId);
      const wasResumed = recording.suspensions.some(({ resumedAt }) => resumedAt !== null);
      const isReleased = recording.stopped?.cause === 'stopped' || wasResumed;
      // The agent's suspension is in the newer recording's journal if it is still active.
      const wasAgentsOnly = contacts.get(contactId)?.suspended === false;
      if (again !== undefined) contacts.set(contactId, again);
      else if (isReleased || wasAgentsOnly) contacts.delete(contactId);
    }
  }
  return [...contacts.values()];
}

/** When the agent's own suspension began that is still active; null: there is none. */
export function agentSuspendedSince({ ledger }: HasLedger): Moment | null {
  return ledger.pauses.find(({ reason, to }) => reason === 'agent' && to === null)?.from ?? null;
}

/** The recordings that are complete and not published. */
export function unpublishedRecordings({ ledger }: HasLedger): string[] {
  return [...ledger.recordings].flatMap(([recordingId, { startTime, stopped, published, failed }]) =>
    published !== null || failed !== null || startTime === null || stopped === null ? [] : [recordingId],
  );
}

/**
 * Whether this process may continue the open recordings: only within the grace period of a lost page, and only with the
 * same fps and encoder, since one MP4 has one decoder configuration. The system's clock may have been set back meanwhile,
 * by no more than the grace period: Sightline's clock then continues from lastMoment(), and the length of the gap is unknown.
 */
export function canContinue(
  session: SpoolSession,
  as: { now: Moment; graceMs: number; fps: number; encoder: EncoderName | undefined },
): boolean {
  const awayMs = as.now - Math.max(...session.openRecordings().map((one) => one.leftAt ?? 0));
  const newest = [...session.ledger.runs.values()].at(-1)?.opened;
  const isSameVideo = newest === undefined || (newest.fps === as.fps && newest.encoder === as.encoder);
  return Math.abs(awayMs) <= as.graceMs && isSameVideo;
}

/** The latest moment on its timeline. */
export function lastMoment(session: SpoolSession): Moment {
  const ends = session.openRecordings().map(({ leftAt }) => leftAt ?? -Infinity);
  const pauses = session.ledger.pauses.map(({ from, to }) => to ?? from);
  return Math.max(...ends, ...pauses);
}

/** The size of its frames; null before the first one. */
export function canvasOf({ ledger }: { ledger: Ledger }): { width: number; height: number } | null {
  const first = [...ledger.runs.values()].find((run) => run.live !== null)?.live;
  return first ? { width: first.width, height: first.height } : null;
}

function suspendedSince({ suspensions }: LedgerRecording): Moment | null {
  return suspensions.find((one) => one.resumedAt === null)?.at ?? null;
}
