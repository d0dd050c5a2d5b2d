// One recording in the index.

import type { RecordingRow } from '../../contract.ts';

export interface Entry {
  /** The name of the MP4 in the library, without its ending. */
  readonly stem: string;
  /** Of the manifest that the row was made of; '': it is read again at the next refresh. */
  readonly stamp: string;
  readonly row: RecordingRow;
  /** Of `row.startTime`. */
  readonly startMs: number;
  /** As the row says. */
  readonly isTrial: boolean;
  /** What a search looks at. */
  readonly text: string;
}

export function entryOf(stem: string, stamp: string, row: RecordingRow): Entry {
  const { contactId, agent, queue, channel } = row;
  const text = forSearch(`${contactId}\n${agent}\n${queue ?? ''}\n${channel ?? ''}`);
  return { stem, stamp, row, startMs: Date.parse(row.startTime), isTrial: row.trial, text };
}

/** The same letters in one form, without case. */
export function forSearch(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
