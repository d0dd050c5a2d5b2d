// What `sightline recordings retry` tells of the answer it got, and with which exit code. Pure.

import type { RetryReply, ShownOutcome } from '../shared/control.ts';
import type { Row } from './recordingsModel.ts';

/** Something is not delivered although the command was asked to see to it. */
export const EXIT_NOT_DELIVERED = 1;

export interface Told {
  readonly recordings: RetryReply['recordings'];
  /** Named, and not waiting for delivery: what the status events know of them. */
  readonly notWaiting: readonly NotWaiting[];
  readonly lines: readonly string[];
  readonly exitCode: 0 | typeof EXIT_NOT_DELIVERED;
}

export interface NotWaiting {
  readonly name: string;
  readonly status: Row['status'] | 'UNKNOWN';
  readonly detail: string;
}

export function tellRetry(reply: RetryReply, rows: readonly Row[], waitSeconds: number): Told {
  const { recordings } = reply;
  const notWaiting = reply.unknown.flatMap((name) => whatIsKnown(name, rows));
  const lines = [
    headline(reply, waitSeconds),
    ...recordings.map(({ recordingId, contactId, outcome }) =>
      line(outcome.status, contactId, `${recordingId}  ${wordsFor(outcome, waitSeconds)}`),
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
  if (count === 0)
    return unknown.length > 0 ? 'None of these waits to be delivered:' : 'Nothing waits to be delivered.';
  const what = count === 1 ? '1 recording is' : `${count} recordings are`;
  return waitSeconds > 0
    ? `${what} tried now:`
    : `${what} tried now. To see what becomes of it: sightline recordings, or --wait <seconds>.`;
}

function line(status: string, name: string, words: string): string {
  return `${status.padEnd(9)}  ${name}  ${words}`;
}

function wordsFor(outcome: ShownOutcome, waitSeconds: number): string {
  switch (outcome.status) {
    case 'PUBLISHED':
      return outcome.location;
    case 'FAILED':
      return `${outcome.failure.code}: ${outcome.failure.message}`;
    case 'PENDING':
      return waitSeconds > 0 ? `not decided after ${waitSeconds} s` : 'being tried';
  }
}

function whatIsKnown(name: string, rows: readonly Row[]): NotWaiting[] {
  const known = rows.filter((row) => row.recordingId === name || row.contact === name);
  if (known.length === 0) {
    return [{ name, status: 'UNKNOWN', detail: 'no recording of this machine goes by that name' }];
  }
  return known.map((row) => ({ name, status: row.status, detail: wordsForRow(row) }));
}

function wordsForRow(row: Row): string {
  switch (row.status) {
    case 'INITIATED':
      return 'being recorded; delivered when it has ended';
    case 'PUBLISHED':
      return `delivered already: ${row.detail}`;
    case 'COMPLETED':
    case 'FAILED':
      return row.waiting
        ? `the running Sightline does not have it (any more); look into its log. ${row.detail}`
        : `nothing was recorded that could be delivered. ${row.detail}`;
  }
}
