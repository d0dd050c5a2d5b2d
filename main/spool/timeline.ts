// The capture timeline of one recording: its runs and the gaps between them, in order, from its start to its end,
// without a hole and without an overlap. Pure; the source of both MP4 and manifest.

import type { GapCause, GapEnd, GapReason } from '../shared/names.ts';
import { gapOfPause } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { Ledger, LedgerRecording, LiveRun } from './ledger.ts';

interface Part {
  readonly from: Moment;
  readonly to: Moment;
}
export type RunPiece = Part & { readonly kind: 'run'; readonly runId: string };
export type Gap = Part & { readonly kind: 'gap'; readonly reason: GapReason };
export type Piece = RunPiece | Gap;

/** The readable part of a damaged run: its frames, and where the last of them ends; null: there is none. */
export interface RunDamage {
  readonly frames: number;
  readonly endTime: Moment | null;
}

/**
 * @param damages by runId: what follows them is a gap
 * @returns pieces that cover [startTime, endTime) of a stopped recording, each beginning where the previous one ends.
 *   A hole shorter than one frame is not a gap: the last frame is shown until the next. Unless capture was blocked:
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
  const spans = spansOf(ledger);
  const pieces: Piece[] = [];
  let covered = startTime;
  let reason = reasonBefore(ledger, recording);
  let frameMs = 0;

  const fillUpTo = (to: Moment): void => {
    const last = pieces.at(-1);
    if (to <= covered) return;
    const isBlocked = spans.some((span) => span.from < to && span.to > covered);
    const isShort = to - covered < frameMs && !isBlocked;
    if (isShort && (last?.kind === 'run' || last?.reason === 'unreadable')) {
      pieces[pieces.length - 1] = { ...last, to };
    } else {
      pieces.push(...gapPieces(spans, covered, to, reason));
    }
    covered = to;
  };

  const runs = runsWithin(ledger, startTime, end);
  runs.forEach((run, index) => {
    const next = runs[index + 1]?.live.startTime ?? Infinity;
    const runEnd = Math.min(endOf(run), next, suspensionAfter(spans, run.live.startTime), end);
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

/** Merges consecutive gaps with one reason. */
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

/** The runs that these recordings consist of, or may consist of when they end. */
export function neededRuns(ledger: Ledger, recordings: readonly LedgerRecording[]): Set<string> {
  return new Set(recordings.flatMap((recording) => runsOf(ledger, recording)));
}

/** The runs that published recordings consist of, each with the time of the last of these publications. */
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
  // Its end is unknown; runs that began before it do not belong to it (see runsWithin).
  const start = recording.startTime ?? recording.started.at;
  return [...ledger.runs].flatMap(([runId, { live }]) =>
    live === null || live.startTime >= start ? [runId] : [],
  );
}

/**
 * Runs with frames for [start, end). A run that began before the start has none: a recording begins with a new run (or
 * in a gap), because only a run's first frame can be decoded alone.
 */
function runsWithin(ledger: Ledger, start: Moment, end: Moment): LiveRun[] {
  return [...ledger.runs.values()]
    .filter(
      (run): run is LiveRun => run.live !== null && run.live.startTime >= start && run.live.startTime < end,
    )
    .sort((a, b) => a.live.startTime - b.live.startTime);
}

/** A run that is being written counts as endless: callers ask only for what it has covered already. */
function endOf(run: LiveRun): Moment {
  return run.closed === null ? Infinity : (run.closed.endTime ?? run.live.startTime);
}

/** Of a gap at the start: the reason of the run that should have been the first one, and ended without a frame. */
function reasonBefore({ runs }: Ledger, { started }: LedgerRecording): GapReason {
  const first = [...runs.values()].find(({ opened }) => opened.at >= started.at);
  return (first?.live === null ? first.closed?.gapReason : null) ?? 'interrupted';
}

interface Span {
  readonly reason: GapReason;
  readonly from: Moment;
  readonly to: Moment;
}

/** A time in which something kept capture from running. */
export interface Block extends Span {
  readonly by: GapCause;
  readonly endedBy: GapEnd;
}

/** Of gaps that neither a suspension nor the agent explains. */
export const usualCauses: Readonly<Record<GapReason, { by: GapCause; endedBy: GapEnd }>> = {
  suspended: { by: 'page', endedBy: 'page' },
  interrupted: { by: 'sightline', endedBy: 'sightline' },
  'app-restarted': { by: 'sightline', endedBy: 'page' },
  'spool-full': { by: 'system', endedBy: 'sightline' },
  unreadable: { by: 'system', endedBy: 'sightline' },
  'display-changed': { by: 'system', endedBy: 'sightline' },
  'display-unavailable': { by: 'system', endedBy: 'system' },
  locked: { by: 'system', endedBy: 'system' },
  'switched-away': { by: 'system', endedBy: 'system' },
  disconnected: { by: 'system', endedBy: 'system' },
  asleep: { by: 'system', endedBy: 'system' },
};

/** Suspensions, the agent's among them, before pauses. A suspension is screen-wide: it applies to all recordings. */
export function blocksOf(ledger: Ledger): Block[] {
  const suspensions = [...ledger.recordings.values()].flatMap(({ suspensions: all, stopped }) =>
    all.map(({ at, resumedAt, resumedBy, by }): Block => {
      const to = resumedAt ?? stopped?.endTime ?? Infinity;
      return { reason: 'suspended', from: at, to, by, endedBy: resumedBy ?? 'contact-ended' };
    }),
  );
  const pauses = ledger.pauses.map(({ reason: pause, from, to, by, endedBy }): Block => {
    const reason = gapOfPause(pause);
    const usual = pause === 'agent' ? ({ by: 'agent', endedBy: 'agent' } as const) : usualCauses[reason];
    const causes = { by: by ?? usual.by, endedBy: endedBy ?? usual.endedBy };
    return { reason, from, to: to ?? Infinity, ...causes };
  });
  pauses.sort((a, b) => Number(b.reason === 'suspended') - Number(a.reason === 'suspended'));
  return [...suspensions, ...pauses];
}

/** The reasons of gaps, the first that applies counts: where the journal lacks lines, nothing else is claimed. */
function spansOf(ledger: Ledger): Span[] {
  const damages = ledger.damages.map(({ from, to }) => ({
    ...{ reason: 'unreadable' as const, from, to: to ?? Infinity },
  }));
  return [...damages, ...blocksOf(ledger)];
}

/** Start of the first suspension that ended a run. Of a run that a crash ended only the last frame's start is known. */
function suspensionAfter(spans: readonly Span[], runStart: Moment): Moment {
  return Math.min(
    ...spans.flatMap(({ reason, from }) => (reason === 'suspended' && from >= runStart ? [from] : [])),
  );
}

/**
 * The gap [from, to), in parts where its reason changes. Where nothing blocks capture (it has ended, or is starting
 * again) the previous reason remains.
 * @param first why the run before the gap ended
 */
function gapPieces(spans: readonly Span[], from: Moment, to: Moment, first: GapReason): Piece[] {
  const moments = spans.flatMap((span) => [span.from, span.to]).filter((at) => at > from && at < to);
  const starts = [...new Set([from, ...moments])].sort((a, b) => a - b);
  let reason = first;
  return starts.map((start, index) => {
    reason = spans.find((span) => span.from <= start && span.to > start)?.reason ?? reason;
    return { kind: 'gap', reason, from: start, to: starts[index + 1] ?? to };
  });
}
