// What the status events say of each recording. Pure.

import type { StatusDetail } from '../shared/statusEvent.ts';
import { statusEventSchema } from '../shared/statusEvent.ts';
import type { UnreadableFolder } from '../spool/unreadableFolders.ts';

export interface Row {
  readonly recordingId: string;
  readonly contact: string;
  readonly status: StatusDetail['recordingStatus'];
  /** Of the newest event. */
  readonly time: string;
  /** Complete, in the spool, and not delivered yet. */
  readonly waiting: boolean;
  /** Why it has not been delivered, as far as that was told. */
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly detail: string;
  /** Delivered, and not as it was written: the manifest says what was found. */
  readonly integrity: 'damaged' | 'end-not-verified' | null;
}

/** The newest event of each recording, in the order of their beginnings. @param before rows of earlier lines */
export function readRows(text: string, before: readonly Row[] = []): Row[] {
  const rows = new Map(before.map((row) => [row.recordingId, row]));
  for (const line of text.split('\n')) {
    const event = statusEventSchema.safeParse(parse(line));
    if (!event.success) continue; // a torn last line, or somebody else's
    const { detail, time } = event.data;
    const recordingId = detail.eventDeduplicationId.split(':', 1)[0] ?? '';
    rows.set(recordingId, rowFor(recordingId, time, detail, rows.get(recordingId)));
  }
  return [...rows.values()];
}

function rowFor(recordingId: string, time: string, detail: StatusDetail, before: Row | undefined): Row {
  const contact = detail.contactArn.split('/').at(-1) ?? '';
  const status = detail.recordingStatus;
  const common = { recordingId, contact, status, time, integrity: null };
  switch (status) {
    case 'INITIATED':
      return {
        ...common,
        waiting: false,
        reason: null,
        detail: 'being recorded, or cut off before its end was told',
      };
    case 'COMPLETED': {
      // Told again by a Sightline that has found it in the spool: what was in the way may still be.
      const reason = before?.reason ?? null;
      return { ...common, waiting: true, reason, detail: wordsForWaiting(reason) };
    }
    case 'PUBLISHED': {
      const { location, integrity = null } = detail.recordingInfo;
      return { ...common, waiting: false, reason: null, detail: location, integrity };
    }
    case 'FAILED': {
      const { code, message } = detail.failureInfo;
      const reason = { code, message };
      // What failed before it was complete has nothing to deliver.
      const waiting = before?.waiting === true;
      return {
        ...common,
        waiting,
        reason,
        detail: waiting ? wordsForWaiting(reason) : `${code}: ${message}`,
      };
    }
  }
}

/** Those in folders that cannot be read are not tried again by themselves. */
export function withUnreadable(rows: readonly Row[], folders: readonly UnreadableFolder[]): Row[] {
  return rows.map((row) => {
    const held = folders.find(({ recordings }) => recordings.includes(row.recordingId));
    if (held === undefined || row.status === 'PUBLISHED') return row;
    return { ...row, waiting: false, detail: `cannot be read; ${held.code}: ${held.message}` };
  });
}

function wordsForWaiting(reason: Row['reason']): string {
  const waits = 'waiting to be delivered';
  return reason === null ? waits : `${waits}; ${reason.code}: ${reason.message}`;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
