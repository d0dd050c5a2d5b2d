// Notes as CSV (RFC 4180), for spreadsheets: those run cells that begin like a formula, and notes come from many people, names of
// queues from outside. Such cells get an apostrophe in front, as OWASP advises (CSV injection).

import type { NoteEntry, RecordingRow } from '../../../contract.ts';

const COLUMNS = [
  ...['contact', 'agent', 'queue', 'channel', 'start (UTC)', 'at (ms)', 'at', 'criterion', 'points'],
  ...['note', 'author', 'changed (UTC)', 'recording'],
];
/** Full-width forms count too: spreadsheets of East Asian locales accept them. Spaces and controls before them as well. */
const FORMULA = /^[\s\p{C}]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u;

/** With the byte order mark without which Excel takes UTF-8 for another encoding. */
export const csvHeader = `\uFEFF${csvLine(COLUMNS)}`;

export function csvOf(row: RecordingRow, entries: readonly NoteEntry[]): string {
  const { contactId, agent, queue, channel, startTime, id } = row;
  return entries
    .map(({ atMs, score, text, author, changedAt }) =>
      csvLine([
        ...[contactId, agent, queue ?? '', channel ?? '', startTime],
        ...[atMs === null ? '' : String(atMs), atMs === null ? '' : playingTime(atMs)],
        ...[score?.criterion ?? '', score === null ? '' : String(score.points), text, author, changedAt, id],
      ]),
    )
    .join('');
}

export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\r\n`;
}

function cell(text: string): string {
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** `1:02:03` */
function playingTime(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
