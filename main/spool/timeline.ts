// The capture timeline of one recording: its runs and the gaps between them, in order, from its start to its end,
// without a hole and without an overlap. Pure; assembly and manifest are both made from it.

import type { GapReason } from '../shared/names.ts';
import { gapOfPause } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { Ledger, LedgerRecording, LedgerRun } from './ledger.ts';

interface Part {
  readonly from: Moment;
  readonly to: Moment;
}
export type RunPiece = Part & { readonly kind: 'run'; readonly runId: string };
export type Gap = Part & { readonly kind: 'gap'; readonly reason: GapReason };
export type Piece = RunPiece | Gap;

/** How far a run can be read that was damaged: its pictures, and where the last of them ends; null: none can be. */
export interface RunDamage {
  readonly frames: number;
  readonly endTime: Moment | null;
}

/**
 * @param damages by runId: what is behind them is a gap
 * @returns pieces that cover [startTime, endTime) of a stopped recording, each beginning where the last one ends.
 *   A hole shorter than one frame is no gap: the last picture stands until the next. Unless capture was to rest in it:
 *   no run reaches into a suspension, however short that was.
 */
export function timelineOf(
  ledger: Ledger,
  recording: LedgerRecording,
  damages: ReadonlyMap<string, RunDamage> = new Map(),
): Piece[] {
  const { startTime, stopped } = recording;
  if (startTime === null || stopped === null) return [];
  const end = stopped.endTime;
  const held = heldSpans(ledger);
  const pieces: Piece[] = [];
  let covered = startTime;
  let reason: GapReason = 'interrupted';
  let frameMs = 0;

  const fillUpTo = (to: Moment): void => {
    const last = pieces.at(-1);
    if (to <= covered) return;
    const isHeld = held.some((span) => span.from < to && span.to > covered);
    const isShort = to - covered < frameMs && !isHeld;
    if (isShort && (last?.kind === 'run' || last?.reason === 'unreadable')) {
      pieces[pieces.length - 1] = { ...last, to };
    } else {
      pieces.push(...gapPieces(held, covered, to, reason));
    }
    covered = to;
  };

  const runs = runsWithin(ledger, startTime, end);
  runs.forEach((run, index) => {
    const next = runs[index + 1]?.live.startTime ?? Infinity;
    const runEnd = Math.min(endOf(run), next, suspensionAfter(held, run.live.startTime), end);
    const from = Math.max(run.live.startTime, covered);
    frameMs = 1000 / run.opened.fps;
    if (runEnd <= from) return;
    fillUpTo(from);
    const damage = damages.get(run.live.runId);
    const readTo = damage === undefined ? runEnd : Math.min(runEnd, damage.endTime ?? from);
    if (readTo > from) pieces.push({ kind: 'run', runId: run.live.runId, from, to: readTo });
    if (readTo < runEnd) pieces.push({ kind: 'gap', reason: 'unreadable', from: readTo, to: runEnd });
    covered = runEnd;
    reason = run.closed?.gapReason ?? 'interrupted';
  });
  fillUpTo(end);
  return joined(pieces);
}

/** Gaps of one reason that follow each other are one. */
function joined(pieces: readonly Piece[]): Piece[] {
  const joint: Piece[] = [];
  for (const piece of pieces) {
    const last = joint.at(-1);
    if (last?.kind === 'gap' && piece.kind === 'gap' && last.reason === piece.reason)
      joint[joint.length - 1] = { ...last, to: piece.to };
    else joint.push(piece);
  }
  return joint;
}

/** The runs that these recordings are made of, or may be by the time they end. */
export function neededRuns(ledger: Ledger, recordings: readonly LedgerRecording[]): Set<string> {
  return new Set(recordings.flatMap((recording) => runsOf(ledger, recording)));
}

/** The runs that published recordings are made of, each with the last time at which one of them was. */
export function publishedRuns(ledger: Ledger): Map<string, Moment> {
  const runs = new Map<string, Moment>();
  for (const recording of ledger.recordings.values()) {
    const { published } = recording;
    if (published === null) continue;
    for (const runId of runsOf(ledger, recording))
      runs.set(runId, Math.max(published.at, runs.get(runId) ?? -Infinity));
  }
  return runs;
}

function runsOf(ledger: Ledger, recording: LedgerRecording): string[] {
  if (recording.stopped !== null)
    return timelineOf(ledger, recording).flatMap((piece) => (piece.kind === 'run' ? [piece.runId] : []));
  // Nobody knows where it ends; runs that began before it did are not for it (see runsWithin).
  const start = recording.startTime ?? recording.started.at;
  return [...ledger.runs].flatMap(([runId, { live }]) =>
    live === null || live.startTime >= start ? [runId] : [],
  );
}

type LiveRun = LedgerRun & { live: NonNullable<LedgerRun['live']> };

/**
 * Runs with pictures for [start, end). A run that began before the start has none: a recording begins with a run of
 * its own (or in a gap), because only a run's first picture can be decoded alone.
 */
function runsWithin(ledger: Ledger, start: Moment, end: Moment): LiveRun[] {
  return [...ledger.runs.values()]
    .filter(
      (run): run is LiveRun => run.live !== null && run.live.startTime >= start && run.live.startTime < end,
    )
    .sort((a, b) => a.live.startTime - b.live.startTime);
}

/** A run that is still being written covers everything that is asked of it: nobody asks before it does. */
function endOf(run: LiveRun): Moment {
  return run.closed === null ? Infinity : (run.closed.endTime ?? run.live.startTime);
}

/** A time in which nothing was to be captured. */
interface Span {
  readonly reason: GapReason;
  readonly from: Moment;
  readonly to: Moment;
}

/** The most telling reason first, for when several hold. A suspension is screen-wide: one contact's is everybody's. */
function heldSpans(ledger: Ledger): Span[] {
  const suspensions = [...ledger.recordings.values()].flatMap((recording) =>
    recording.suspensions.map(({ at, resumedAt }) => ({
      reason: 'suspended' as const,
      from: at,
      to: resumedAt ?? recording.stopped?.endTime ?? Infinity,
    })),
  );
  const pauses = ledger.pauses.map(({ reason, from, to }) => ({
    reason: gapOfPause(reason),
    from,
    to: to ?? Infinity,
  }));
  pauses.sort((a, b) => Number(b.reason === 'suspended') - Number(a.reason === 'suspended'));
  // Where the journal does not know everything, nothing is claimed.
  const damages = ledger.damages.map(({ from, to }) => ({
    reason: 'unreadable' as const,
    from,
    to: to ?? Infinity,
  }));
  return [...damages, ...suspensions, ...pauses];
}

/** When the first suspension began that cut a run. Of a run that a crash ended only the last picture's start is known. */
function suspensionAfter(held: readonly Span[], runStart: Moment): Moment {
  return Math.min(
    ...held.flatMap(({ reason, from }) => (reason === 'suspended' && from >= runStart ? [from] : [])),
  );
}

/**
 * The gap [from, to), in parts where its reason changes. Where nothing holds capture (it has ended, or is on its way
 * back) the reason before stands.
 * @param first why the run before the gap ended
 */
function gapPieces(held: readonly Span[], from: Moment, to: Moment, first: GapReason): Piece[] {
  const moments = held.flatMap((span) => [span.from, span.to]).filter((at) => at > from && at < to);
  const bounds = [...new Set([from, ...moments, to])].sort((a, b) => a - b);
  const pieces: Gap[] = [];
  bounds.slice(1).forEach((end, index) => {
    const start = bounds[index] ?? from;
    const last = pieces.at(-1);
    const reason =
      held.find((span) => span.from <= start && span.to > start)?.reason ?? last?.reason ?? first;
    if (last?.reason === reason) pieces[pieces.length - 1] = { ...last, to: end };
    else pieces.push({ kind: 'gap', reason, from: start, to: end });
  });
  return pieces;
}
