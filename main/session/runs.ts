// When capture runs are started, aborted and stopped.

import type { GapReason } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { RunState } from './state.ts';
import type { Step } from './step.ts';
import { clearTimer, emit, set } from './step.ts';
import { isCaptureBlocked, isLive, isOpen } from './view.ts';

/** Starts a run where one is wanted: there is none, or a contact waits for one of its own (a rotation). */
export function startRunIfWanted(step: Step): void {
  const { contacts, runs, retry, shuttingDown, agentSuspendTokens } = step.state;
  const isWanted = contacts.some((one) => isOpen(one) && one.leftAt === null);
  if (shuttingDown || !isWanted || isCaptureBlocked(step.state)) return;
  const isAcknowledging =
    agentSuspendTokens.length > 0 || contacts.some((contact) => contact.suspendTokens.length > 0);
  if (isAcknowledging || (retry !== null && !retry.due)) return;
  if (runs.some((run) => run.phase.kind === 'starting')) return;
  if (isLive(step.state) && !contacts.some((contact) => contact.phase.kind === 'starting')) return;
  const runId = step.newRunId();
  set(step, { runs: [...runs, { runId, phase: { kind: 'starting' } }] });
  emit(step, { type: 'run.start', runId });
}

/** Takes effect in this very step: nothing that is received from now on is kept. */
export function abortRuns(step: Step, at: Moment): void {
  for (const { runId } of step.state.runs) emit(step, { type: 'run.abort', runId, at });
  set(step, { runs: step.state.runs.map(ending) });
  clearRetry(step);
}

/** Frames from before `at` are still kept. */
export function stopRuns(step: Step, at: Moment, reason: GapReason): void {
  for (const { runId, phase } of step.state.runs) {
    if (phase.kind === 'live') emit(step, { type: 'run.stop', runId, at, reason });
    else if (phase.kind === 'starting') emit(step, { type: 'run.abort', runId, at });
  }
  set(step, { runs: step.state.runs.map(ending) });
}

/** Stops all runs unless a contact is open. */
export function stopUnneededRuns(step: Step, now: Moment): void {
  if (step.state.contacts.some(isOpen)) return;
  // A contact that is stopped in the same moment may end a little later than `now`.
  const ends = step.state.contacts.map(({ phase }) => (phase.kind === 'stopping' ? phase.endTime : now));
  stopRuns(step, Math.max(now, ...ends), 'interrupted');
  clearRetry(step);
}

export function clearRetry(step: Step): void {
  set(step, { retry: null });
  clearTimer(step, 'retry');
}

/** Has been asked to end. */
export function ending({ runId }: RunState): RunState {
  return { runId, phase: { kind: 'ending' } };
}
