// One recording in the upload queue (publisher.ts).

import type { Outcome } from '../shared/control.ts';
import type { Failure } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';

export interface Job {
  readonly session: SpoolSession;
  readonly recordingId: string;
  attempts: number;
  announced: boolean;
  /** Of the latest attempt. */
  why: Failure | null;
  /** Does nothing unless it is resting. */
  cancelRest: () => void;
  nextTryAt: Moment | null;
  /** A retry was requested during an attempt, which may have started before the cause was fixed. */
  again: boolean;
  /** Called with the outcome of the next attempt. */
  waiters: ((outcome: Outcome) => void)[];
}

export function newJob(session: SpoolSession, recordingId: string): Job {
  return {
    ...{ session, recordingId, attempts: 0, announced: false, why: null, nextTryAt: null, again: false },
    cancelRest: () => undefined,
    waiters: [],
  };
}

export function contactOf(session: SpoolSession, recordingId: string): string {
  return session.ledger.recordings.get(recordingId)?.started.contact.contactId ?? '';
}

/** @param outcome null: the waiters wait for the attempt that follows */
export function settle(job: Job, outcome: Outcome | null): void {
  if (outcome === null) return;
  const { waiters } = job;
  job.waiters = [];
  for (const waiter of waiters) waiter(outcome);
}
