// The output and exit code of `sightline recordings retry`. Pure.

import type { RetryReply, ShownOutcome } from '../shared/control.ts';
import type { Row } from '../status/recordingList.ts';

/** At least one upload failed or is still pending. */
export const EXIT_NOT_DELIVERED = 1;

export interface RetryOutput {
  readonly recordings: RetryReply['recordings'];
  /** Named, without a pending upload: their last status event. */
  readonly notWaiting: readonly NotWaiting[];
  readonly lines: readonly string[];
  readonly exitCode: 0 | typeof EXIT_NOT_DELIVERED;
}

export interface NotWaiting {
  readonly name: string;
  readonly status: Row['status'] | 'UNKNOWN';
  readonly detail: string;
}

export function retryOutput(reply: RetryReply, rows: readonly Row[], waitSeconds: number): RetryOutput {
  const { recordings } = reply;
  const notWaiting = reply.unknown.flatMap((name) => lastStatus(name, rows));
  const lines = [
    headline(reply, waitSeconds),
    ...recordings.map(({ recordingId, contactId, outcome }) =>
      line(outcome.status, contactId, `${recordingId}  ${outcomeText(outcome, waitSeconds)}`),
    ),
    ...notWaiting.map(({ name, status, detail }) => line(status, name, detail)),
  ];
  const isWell = ({ outcome: { status } }: RetryReply['recordings'][number]): boolean =>
    status === 'PUBLISHED' || (status === 'PENDING' && waitSeconds === 0);
  const isFine = ({ status }: NotWaiting): boolean => status === 'PUBLISHED' || status === 'INITIATED';
  const exitCode = recordings.every(isWell) && notWaiting.every(isFine) ? 0 : EXIT_NOT_DELIVERED;
  return { recordings, notWaiting, lines, exitCode };
}

function headline({ recordings, unknown }: RetryReply, waitSeconds: number): string {
  const count = recordings.length;
  if (count === 0) return unknown.length > 0 ? 'None of these has a pending upload:' : 'No pending uploads.';
  const what = count === 1 ? '1 upload' : `${count} uploads`;
  return waitSeconds > 0
    ? `Retrying ${what} now:`
    : `Retrying ${what} now. To see the results: sightline recordings, or --wait <seconds>.`;
}

function line(status: string, name: string, words: string): string {
  return `${status.padEnd(9)}  ${name}  ${words}`;
}

function outcomeText(outcome: ShownOutcome, waitSeconds: number): string {
  switch (outcome.status) {
    case 'PUBLISHED':
      return outcome.location;
    case 'FAILED':
      return `${outcome.failure.code}: ${outcome.failure.message}`;
    case 'PENDING':
      return waitSeconds > 0 ? `not finished after ${waitSeconds} s` : 'in progress';
  }
}

function lastStatus(name: string, rows: readonly Row[]): NotWaiting[] {
  const known = rows.filter((row) => row.recordingId === name || row.contact === name);
  if (known.length === 0) {
    return [{ name, status: 'UNKNOWN', detail: 'this machine has no recording of that name' }];
  }
  return known.map((row) => ({ name, status: row.status, detail: rowText(row) }));
}

function rowText(row: Row): string {
  switch (row.status) {
    case 'INITIATED':
      return 'being recorded; uploaded when it ends';
    case 'PUBLISHED':
      return `already uploaded: ${row.detail}`;
    case 'COMPLETED':
    case 'FAILED':
      return row.waiting
        ? `the running Sightline does not have it; see its log. ${row.detail}`
        : `nothing was recorded that could be uploaded. ${row.detail}`;
  }
}
