// What recovery makes of a journal of which lines are missing: entries that say so, and what the witness still knows.
// In doubt it claims less: the times that missing lines were about are "unreadable", whatever else is said of them. Pure.

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

/** What missing lines may have been about: from what was said before them to what was said behind them. */
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

/** Where runs end of which the line is missing that says when they began: nothing of them can be placed. */
function unseenEnds(entries: ResumedJournal['entries'], { runs }: Ledger): number[] {
  return entries.flatMap(({ entry }) => {
    if (entry.type !== 'run.live' && entry.type !== 'run.closed') return [];
    const run = runs.get(entry.runId);
    return run === undefined || run.live === null ? (momentOf(entry) ?? []) : [];
  });
}

/** No run begins while anything is suspended: if one did, the line is missing that ended the suspension. */
function mayGoOnUnseen({ recordings, runs }: Ledger): boolean {
  const opened = [...runs.values()].map((run) => run.opened.at);
  return [...recordings.values()].some(({ suspensions, stopped }) =>
    suspensions.some(
      ({ at, resumedAt }) =>
        resumedAt === null && opened.some((begun) => begun > at && begun < (stopped?.endTime ?? Infinity)),
    ),
  );
}

/** What was announced of a recording does not change because the journal has lost it. */
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

/** A recording whose beginning is not known any more begins with the first run that is its own. */
function seenStarts({ recordings, runs }: Ledger): JournalEntry[] {
  const starts = [...runs.values()].flatMap(({ live }) => live?.startTime ?? []).sort((a, b) => a - b);
  return [...recordings].flatMap(([recordingId, { started, startTime }]) => {
    const first = starts.find((at) => at >= started.at);
    return startTime !== null || first === undefined
      ? []
      : [{ type: 'contact.recording', recordingId, startTime: first } as const];
  });
}

/** Until when there was something of the recordings that nobody has ended, where lines are missing; null otherwise. */
export function knownUntil({ missing, witness }: Pick<ResumedJournal, 'missing' | 'witness'>): number | null {
  return missing.length > 0 && typeof witness !== 'string' ? witness.until : null;
}

/** Recordings that lines are about, though the line is missing that says whose they are. */
export function unknownRecordings(entries: ResumedJournal['entries'], ledger: Ledger): string[] {
  const ids = entries.flatMap(({ entry }) => ('recordingId' in entry ? [entry.recordingId] : []));
  return [...new Set(ids)].filter((id) => !ledger.recordings.has(id));
}

/** Whether something may have happened of which the journal says nothing: a suspension, for one. */
export function isInDoubt({ damages, unverified }: Ledger): boolean {
  return damages.length > 0 || unverified === 'missing' || unverified === 'unreadable';
}
