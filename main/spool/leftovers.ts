// What a session that goes on after a restart is told of the recordings that the former process left behind. Pure.

import type { Failure } from '../shared/errors.ts';
import type { EncoderName } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { isInDoubt } from './damage.ts';
import type { LedgerRecording, Suspension } from './ledger.ts';
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

/**
 * The recordings that nobody has ended.
 * @param held contacts that had ended suspended before
 */
export function leftContacts(session: SpoolSession, held: readonly HeldContact[] = []): LeftContact[] {
  return session.openRecordings().flatMap(({ recordingId, recording, leftAt }) => {
    const { started, startTime } = recording;
    if (startTime === null || leftAt === null) return [];
    const { contact: info, agent, at: requestedAt } = started;
    // Its suspension may be missing where the process died as it began: in doubt it is suspended.
    const beganSuspended = held.some((one) => one.suspended && one.contactId === info.contactId);
    const inDoubt = beganSuspended && recording.suspensions.length === 0 ? startTime : null;
    const suspendedAt = heldSince(recording) ?? inDoubt;
    return [{ recordingId, info, agent, requestedAt, startTime, suspendedAt, leftAt }];
  });
}

export interface HeldContact {
  readonly contactId: string;
  readonly recordingId: string;
  readonly endTime: Moment;
  /** By the agent's own suspension. */
  readonly heldByAgent: boolean;
  /** By a page. */
  readonly suspended: boolean;
}

/** Those that ended in the middle of a suspension although no page stopped them; in doubt they did. */
export function endedSuspended({ ledger }: Pick<SpoolSession, 'ledger'>): HeldContact[] {
  const heldByAgent = agentHeldSince({ ledger }) !== null;
  const inDoubt = isInDoubt(ledger);
  return [...ledger.recordings].flatMap(([recordingId, recording]) => {
    const { stopped, started, failed, startTime } = recording;
    const suspended = inDoubt || heldSince(recording) !== null;
    if (stopped?.cause === 'stopped' || !(suspended || heldByAgent)) return [];
    // One that began suspended has nothing recorded when the process dies: it has failed, and is suspended all the same.
    const endTime = stopped?.endTime ?? (failed === null ? null : startTime);
    if (endTime === null) return [];
    const { contactId } = started.contact;
    return [{ contactId, recordingId, endTime, suspended, heldByAgent }];
  });
}

/** Of all that is known, oldest first: which contacts begin suspended again. The newest word on a contact holds. */
export function heldContacts(known: readonly Pick<SpoolSession, 'ledger'>[]): HeldContact[] {
  const held = new Map<string, HeldContact>();
  for (const { ledger } of known) {
    const ended = endedSuspended({ ledger });
    for (const [recordingId, recording] of ledger.recordings) {
      const { contactId } = recording.started.contact;
      const again = ended.find((one) => one.recordingId === recordingId);
      const isReleased = recording.stopped?.cause === 'stopped' || recording.suspensions.some(isOver);
      // The agent's suspension is in the journal of the newer recording, should it hold on.
      const wasAgentsOnly = held.get(contactId)?.suspended === false;
      if (again !== undefined) held.set(contactId, again);
      else if (isReleased || wasAgentsOnly) held.delete(contactId);
    }
  }
  return [...held.values()];
}

/** Since when the agent's own suspension holds that nobody has ended; null: there is none. */
export function agentHeldSince({ ledger }: Pick<SpoolSession, 'ledger'>): Moment | null {
  return ledger.pauses.find(({ reason, to }) => reason === 'agent' && to === null)?.from ?? null;
}

/** The recordings that are complete and wait for their delivery. */
export function unpublished(session: SpoolSession): string[] {
  return [...session.ledger.recordings].flatMap(([recordingId, { startTime, stopped, published, failed }]) =>
    published !== null || failed !== null || startTime === null || stopped === null ? [] : [recordingId],
  );
}

/** What a recording's journal tells and no process has announced, in the order of its happening. */
export function unannounced({ announced, startTime, stopped, failed, started }: LedgerRecording): Untold[] {
  const told: Untold[] = [{ status: 'INITIATED' }];
  if (startTime !== null && stopped !== null)
    told.push({ status: 'COMPLETED', startTime, endTime: stopped.endTime });
  if (failed !== null) told.push({ status: 'FAILED', startTime: started.at, failure: failed.failure });
  return told.filter(({ status }) => !announced.includes(status));
}

export type Untold =
  | { readonly status: 'INITIATED' }
  | { readonly status: 'COMPLETED'; readonly startTime: Moment; readonly endTime: Moment }
  | { readonly status: 'FAILED'; readonly startTime: Moment; readonly failure: Failure };

/**
 * Whether its open recordings may go on: only within the time that a page may be away as well, and only as the same kind
 * of video, since one MP4 has one. The system's clock may have been set back meanwhile, by no more than that time: then
 * Sightline's goes on from lastMoment(), and nobody knows how long Sightline was away.
 */
export function mayGoOn(
  session: SpoolSession,
  as: { now: Moment; graceMs: number; fps: number; encoder: EncoderName | undefined },
): boolean {
  const away = as.now - Math.max(...session.openRecordings().map((one) => one.leftAt ?? 0));
  const newest = [...session.ledger.runs.values()].at(-1)?.opened;
  const isSameVideo = newest === undefined || (newest.fps === as.fps && newest.encoder === as.encoder);
  return Math.abs(away) <= as.graceMs && isSameVideo;
}

/** The latest moment that its timeline knows of. */
export function lastMoment(session: SpoolSession): Moment {
  const left = session.openRecordings().map(({ leftAt }) => leftAt ?? -Infinity);
  const pauses = session.ledger.pauses.map(({ from, to }) => to ?? from);
  return Math.max(...left, ...pauses);
}

/** The size of its picture; null when there is none yet. */
export function canvasOf(session: SpoolSession): { width: number; height: number } | null {
  const first = [...session.ledger.runs.values()].find((run) => run.live !== null)?.live;
  return first ? { width: first.width, height: first.height } : null;
}

function isOver({ resumedAt }: Suspension): boolean {
  return resumedAt !== null;
}

function heldSince({ suspensions }: LedgerRecording): Moment | null {
  return suspensions.find((one) => one.resumedAt === null)?.at ?? null;
}
