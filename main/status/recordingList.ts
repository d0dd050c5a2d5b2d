// The recordings of this machine and their status, from the status events. Pure.

import type { StatusDetail } from '../shared/statusEvent.ts';
import { parseEvents } from './eventsReader.ts';

export interface Row {
  readonly recordingId: string;
  readonly contact: string;
  readonly status: Exclude<StatusDetail['recordingStatus'], 'OVERDUE'>;
  /** Of the newest event. */
  readonly time: string;
  /** Of the first frame; before the recording has ended, of the first event. */
  readonly startTime: string;
  /** null until the recording has ended. */
  readonly durationMs: number | null;
  /** Complete, in the spool, and not uploaded yet. */
  readonly waiting: boolean;
  /** Why the last upload failed. */
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly detail: string;
  /** Published with damage: the manifest says what was found. */
  readonly integrity: 'damaged' | 'end-not-verified' | null;
}

/** The newest event of each recording, in the order of their first events. */
export function readRows(text: string, before: readonly Row[] = []): Row[] {
  const rows = new Map(before.map((row) => [row.recordingId, row]));
  for (const { recordingId, event } of parseEvents(text))
    rows.set(recordingId, rowFor(recordingId, event.time, event.detail, rows.get(recordingId)));
  return [...rows.values()];
}

function rowFor(recordingId: string, time: string, detail: StatusDetail, before: Row | undefined): Row {
  const row = {
    recordingId,
    contact: detail.contactArn.split('/').at(-1) ?? '',
    // Overdue is a completed one that still waits.
    status: detail.recordingStatus === 'OVERDUE' ? ('COMPLETED' as const) : detail.recordingStatus,
    time,
    startTime: before?.startTime ?? time,
    durationMs: before?.durationMs ?? null,
    waiting: false,
    reason: null,
    integrity: null,
  };
  switch (detail.recordingStatus) {
    case 'INITIATED':
      return { ...row, detail: 'being recorded, or interrupted' };
    case 'COMPLETED': {
      // A later Sightline announces again what it finds in the spool: the last failure still counts.
      const reason = before?.reason ?? null;
      return { ...row, ...lengthOf(detail.recordingInfo), waiting: true, reason, detail: pending(reason) };
    }
    case 'OVERDUE': {
      const reason = detail.overdueInfo.reason ?? before?.reason ?? null;
      return { ...row, ...lengthOf(detail.recordingInfo), waiting: true, reason, detail: pending(reason) };
    }
    case 'PUBLISHED': {
      const { location, integrity = null } = detail.recordingInfo;
      return { ...row, ...lengthOf(detail.recordingInfo), detail: location, integrity };
    }
    case 'FAILED': {
      const { code, message } = detail.failureInfo;
      const reason = { code, message };
      const { startTime } = detail.recordingInfo;
      // A recording that failed before it was complete leaves nothing to upload.
      const waiting = before?.waiting === true;
      return {
        ...row,
        startTime,
        waiting,
        reason,
        detail: waiting ? pending(reason) : `${code}: ${message}`,
      };
    }
  }
}

function lengthOf(info: { startTime: string; endTime: string }): Pick<Row, 'startTime' | 'durationMs'> {
  const { startTime, endTime } = info;
  return { startTime, durationMs: Date.parse(endTime) - Date.parse(startTime) };
}

/** Recordings in folders that cannot be read are not retried before the next start. */
export function withUnreadable(
  rows: readonly Row[],
  folders: readonly { recordings: readonly string[]; code: string; message: string }[],
): Row[] {
  return rows.map((row) => {
    const folder = folders.find(({ recordings }) => recordings.includes(row.recordingId));
    if (folder === undefined || row.status === 'PUBLISHED') return row;
    return { ...row, waiting: false, detail: `cannot be read; ${folder.code}: ${folder.message}` };
  });
}

function pending(reason: Row['reason']): string {
  return reason === null ? 'upload pending' : `upload pending; ${reason.code}: ${reason.message}`;
}
