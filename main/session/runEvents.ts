// What the news of a capture run mean for the contacts: its first frame, its end, and its failure.

import type { Failure } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { awaitsResume, fail, open, runFlushed } from './contacts.ts';
import { acknowledgeSuspends, replyResumed } from './replies.ts';
import { clearRetry, ending, startRunIfWanted, stopUnneededRuns } from './runs.ts';
import type { SessionEvent } from './state.ts';
import type { Step } from './step.ts';
import { emit, set, setTimer, update } from './step.ts';

/** Delays before capture is retried, by failures in a row; the last one repeats. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 5000] as const;
/** Failures further apart than this are not "in a row". */
const FAULT_MEMORY_MS = 15_000;

export function runLive(step: Step, { runId, firstFrameAt }: SessionEvent & { type: 'run.live' }): void {
  const { runs } = step.state;
  if (runs.find((one) => one.runId === runId)?.phase.kind !== 'starting') return;
  // The rotation: the older run ends where this one begins, without a gap and without an overlap.
  for (const other of runs) {
    if (other.phase.kind === 'live')
      emit(step, { type: 'run.stop', runId: other.runId, at: firstFrameAt, reason: 'interrupted' });
  }
  set(step, {
    runs: runs.map((one) =>
      one.runId === runId ? { runId, phase: { kind: 'live', firstFrameAt } } : ending(one),
    ),
  });
  clearRetry(step);
  for (const contact of step.state.contacts) {
    const { phase } = contact;
    // A frame from before a contact's start is not for its recording: such a contact waits for the next run.
    if (phase.kind === 'starting' && contact.requestedAt <= firstFrameAt) open(step, contact, firstFrameAt);
    else if (awaitsResume(contact)) replyResumed(step, contact, firstFrameAt);
    // It ended after this frame was grabbed and before the frame was reported: its last frames are in this run.
    else if (phase.kind === 'stopping' && phase.endTime > firstFrameAt) {
      update(step, contact, { phase: { ...phase, waitsFor: [...phase.waitsFor, runId] } });
      emit(step, { type: 'run.flush', runId, until: phase.endTime });
    }
  }
  startRunIfWanted(step);
}

export function runEnded(step: Step, event: SessionEvent & { type: 'run.ended' }): void {
  const run = step.state.runs.find((one) => one.runId === event.runId);
  if (run === undefined) return;
  set(step, { runs: step.state.runs.filter((one) => one !== run) });
  if (event.fault !== null && run.phase.kind !== 'ending')
    captureFailed(step, event.fault, event.permanent, event.at);
  runFlushed(step, event.runId, Infinity);
  acknowledgeSuspends(step);
  startRunIfWanted(step);
}

function captureFailed(step: Step, fault: Failure, permanent: boolean, at: Moment): void {
  const { faults } = step.state;
  const attempt = faults !== null && at - faults.lastAt < FAULT_MEMORY_MS ? faults.count + 1 : 1;
  const delayMs = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? 0;
  set(step, {
    faults: { count: attempt, lastAt: at },
    retry: { attempt, failure: fault, due: delayMs === 0 },
  });
  if (delayMs > 0) setTimer(step, 'retry', delayMs);
  if (permanent) {
    for (const contact of step.state.contacts) {
      if (contact.phase.kind === 'starting') fail(step, contact, fault);
    }
  }
  stopUnneededRuns(step, at);
}

export function retryDue(step: Step): void {
  const { retry } = step.state;
  if (retry !== null) set(step, { retry: { ...retry, due: true } });
  startRunIfWanted(step);
}
