// What a session that goes on after a restart is told of the recordings that the former process left behind. Pure.

import type { Failure } from '../shared/errors.ts';
import type { EncoderName } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { isInDoubt } from './damage.ts';
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

/** Those that ended in the middle of a suspension because Sightline did; in doubt they did. */
export function endedSuspended(
  session: SpoolSession,
): { contactId: string; recordingId: string; endTime: Moment; heldByAgent: boolean; suspended: boolean }[] {
  const agentSince = agentHeldSince(session);
  return [...session.ledger.recordings].flatMap(([recordingId, recording]) => {
    const { stopped, started } = recording;
    const suspended = heldSince(recording) !== null || isInDoubt(session.ledger);
    const heldByAgent = agentSince !== null;
    if (stopped === null || stopped.cause === 'stopped' || !(suspended || heldByAgent)) return [];
    const { contactId } = started.contact;
    return [{ contactId, recordingId, endTime: stopped.endTime, suspended, heldByAgent }];
  });
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
 * of video, since one MP4 has one.
 */
export function mayGoOn(
  session: SpoolSession,
  as: { now: Moment; graceMs: number; fps: number; encoder: EncoderName | undefined },
): boolean {
  const away = as.now - Math.max(...session.openRecordings().map((one) => one.leftAt ?? 0));
  const newest = [...session.ledger.runs.values()].at(-1)?.opened;
  const isSameVideo = newest === undefined || (newest.fps === as.fps && newest.encoder === as.encoder);
  return away >= 0 && away <= as.graceMs && isSameVideo;
}

/** The size of its picture; null when there is none yet. */
export function canvasOf(session: SpoolSession): { width: number; height: number } | null {
  const first = [...session.ledger.runs.values()].find((run) => run.live !== null)?.live;
  return first ? { width: first.width, height: first.height } : null;
}

function heldSince({ suspensions }: LedgerRecording): Moment | null {
  return suspensions.find((one) => one.resumedAt === null)?.at ?? null;
}
