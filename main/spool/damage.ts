// What recovery adds to a journal with missing lines: entries that state the damage, and what the witness still knows. In
// doubt it claims less: the times that missing lines were about are "unreadable", even where other entries explain them. Pure.

import type { JournalEntry } from './journalEntry.ts';
import type { ResumedJournal } from './journal.ts';
import type { MissingLines } from './journalLines.ts';
import type { Ledger } from './ledger.ts';
import { addEntry } from './ledger.ts';
import { momentOf } from './statement.ts';

/** To be written into the journal before anything else, in this order. */
export function damageEntries(
  { entries, missing, witness }: Pick<ResumedJournal, 'entries' | 'missing' | 'witness'>,
  ledger: Ledger,
): JournalEntry[] {
  const isNoted = (one: MissingLines): boolean =>
    ledger.damages.some(({ line, lines }) => line <= one.line && line + lines >= one.line + one.lines);
  const added: JournalEntry[] = missing
    .filter((one) => !isNoted(one))
    .map((one) => ({ type: 'journal.damaged', ...one, ...timesOf(one, entries, ledger) }));
  const isNew = added.length > 0;
  if (typeof witness === 'string') {
    if (ledger.unverified === null) added.push({ type: 'journal.unverified', cause: witness });
  } else if (isNew) {
    added.push(...statedRecordings(witness, ledger));
  }
  return isNew ? [...added, ...seenStarts([...added].reduce(addEntry, ledger))] : added;
}

/** The times that missing lines may have been about: from the entries before them to those after them. */
function timesOf(
  { line, lines }: MissingLines,
  entries: ResumedJournal['entries'],
  ledger: Ledger,
): { from: number; to: number | null } {
  const moments = (wanted: (line: number) => boolean): number[] =>
    entries.flatMap((one) => (wanted(one.line) ? (momentOf(one.entry) ?? []) : []));
  const before = Math.max(...moments((one) => one < line));
  const after = moments((one) => one >= line + lines);
  const next = Math.min(...after);
  const first = Math.min(before, next);
  const from = Number.isFinite(first) ? first : 0;
  const isOpen = after.length === 0 || mayGoOnUnseen(ledger);
  return { from, to: isOpen ? null : Math.max(before, next, ...unseenEnds(entries, ledger)) };
}

/** The ends of runs whose line with the beginning is missing: they have no place on the timeline. */
function unseenEnds(entries: ResumedJournal['entries'], { runs }: Ledger): number[] {
  return entries.flatMap(({ entry }) => {
    if (entry.type !== 'run.live' && entry.type !== 'run.closed') return [];
    const run = runs.get(entry.runId);
    return run === undefined || run.live === null ? (momentOf(entry) ?? []) : [];
  });
}

/** No run begins during a suspension: if one did, the line that ended the suspension is missing. */
function mayGoOnUnseen({ recordings, runs }: Ledger): boolean {
  const opened = [...runs.values()].map((run) => run.opened.at);
  return [...recordings.values()].some(({ suspensions, stopped }) =>
    suspensions.some(
      ({ at, resumedAt }) =>
        resumedAt === null && opened.some((begun) => begun > at && begun < (stopped?.endTime ?? Infinity)),
    ),
  );
}

/** What was announced about a recording does not change because the journal has lost it. */
function statedRecordings(
  { recordings }: Exclude<ResumedJournal['witness'], string>,
  ledger: Ledger,
): JournalEntry[] {
  return recordings.flatMap(({ recordingId, at, contact, agent, startTime, stopped, announced }) => {
    const known = ledger.recordings.get(recordingId);
    const added: JournalEntry[] = [];
    if (known === undefined) added.push({ type: 'contact.started', recordingId, at, contact, agent });
    if (startTime !== null && (known?.startTime ?? null) === null)
      added.push({ type: 'contact.recording', recordingId, startTime });
    if (stopped !== null && (known?.stopped ?? null) === null)
      added.push({ type: 'contact.stopped', recordingId, ...stopped });
    for (const status of announced)
      if (known?.announced.includes(status) !== true)
        added.push({ type: 'event.announced', recordingId, status });
    return added;
  });
}

/** A recording whose start is lost begins with its first run. */
function seenStarts({ recordings, runs }: Ledger): JournalEntry[] {
  const starts = [...runs.values()].flatMap(({ live }) => live?.startTime ?? []).sort((a, b) => a - b);
  return [...recordings].flatMap(([recordingId, { started, startTime }]) => {
    const first = starts.find((at) => at >= started.at);
    return startTime !== null || first === undefined
      ? []
      : [{ type: 'contact.recording', recordingId, startTime: first } as const];
  });
}

/** Until when open recordings had content, where lines are missing; null otherwise. */
export function knownUntil({ missing, witness }: Pick<ResumedJournal, 'missing' | 'witness'>): number | null {
  return missing.length > 0 && typeof witness !== 'string' ? witness.until : null;
}

/** Recordings that entries mention, but whose first line is missing. */
export function unknownRecordings(entries: ResumedJournal['entries'], ledger: Ledger): string[] {
  const ids = entries.flatMap(({ entry }) => ('recordingId' in entry ? [entry.recordingId] : []));
  return [...new Set(ids)].filter((id) => !ledger.recordings.has(id));
}

/** Whether something may have happened that the journal does not contain, such as a suspension. */
export function isInDoubt({ damages, unverified }: Ledger): boolean {
  return damages.length > 0 || unverified === 'missing' || unverified === 'unreadable';
}
