// The output and exit code of `sightline recordings retry`. Pure.

import { counted } from '../diagnostics/check.ts';
import type { RetryReply, ShownOutcome } from '../shared/control.ts';
import type { Row } from '../status/recordingList.ts';

export interface RetryOutput {
  readonly recordings: RetryReply['recordings'];
  /** Named, without a pending upload: their last status event. */
  readonly notWaiting: readonly NotWaiting[];
  readonly lines: readonly string[];
  /** 1: at least one upload failed or is still pending. */
  readonly exitCode: 0 | 1;
}

interface NotWaiting {
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
  const isWell =
    recordings.every(
      ({ outcome: { status } }) => status === 'PUBLISHED' || (status === 'PENDING' && waitSeconds === 0),
    ) && notWaiting.every(({ status }) => status === 'PUBLISHED' || status === 'INITIATED');
  return { recordings, notWaiting, lines, exitCode: isWell ? 0 : 1 };
}

function headline({ recordings, unknown }: RetryReply, waitSeconds: number): string {
  if (recordings.length === 0)
    return unknown.length > 0 ? 'None of these has a pending upload:' : 'No pending uploads.';
  const what = `Retrying ${counted(recordings.length, 'upload')} now`;
  return waitSeconds > 0
    ? `${what}:`
    : `${what}. To see the results: sightline recordings, or --wait <seconds>.`;
}

function line(status: string, name: string, detail: string): string {
  return `${status.padEnd(9)}  ${name}  ${detail}`;
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
  if (known.length > 0) return known.map((row) => ({ name, status: row.status, detail: rowText(row) }));
  return [{ name, status: 'UNKNOWN', detail: 'this machine has no recording of that name' }];
}

function rowText({ status, waiting, detail }: Row): string {
  if (status === 'INITIATED') return 'being recorded; uploaded when it ends';
  if (status === 'PUBLISHED') return `already uploaded: ${detail}`;
  return waiting
    ? `the running Sightline does not have it; see its log. ${detail}`
    : `nothing was recorded that could be uploaded. ${detail}`;
}
