// The life of a contact's recording: it opens with the first frame of a capture run, fails without one, or is finished,
// and is complete once everything up to its end is in the spool. And what capture runs report of themselves.

import type { Failure } from '../shared/errors.ts';
import { failure } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { clearRetry, ending, startRunIfWanted, stopUnneededRuns } from './runs.ts';
import type { Contact, SessionEvent, StopCause } from './state.ts';
import type { Step } from './step.ts';
import { acknowledgeSuspends, clearTimer, emit, journal, latest, refuse, rememberFinished } from './step.ts';
import { remove, reply, replyResumed, replyStarted, set, setTimer, update } from './step.ts';
import { isLive, isOpen } from './view.ts';

export function open(step: Step, contact: Contact, startTime: Moment): void {
  const { recordingId, startTokens } = contact;
  clearTimer(step, `start:${recordingId}`);
  journal(step, { type: 'contact.recording', recordingId, startTime });
  replyStarted(step, contact, startTime, startTokens);
  update(step, contact, { phase: { kind: 'open', startTime }, startTokens: [] });
}

export function fail(step: Step, contact: Contact, why: Failure): void {
  const { recordingId } = contact;
  clearTimer(step, `start:${recordingId}`);
  journal(step, { type: 'recording.failed', recordingId, failure: why });
  emit(step, { type: 'announce', status: 'FAILED', recordingId, contact, failure: why });
  for (const token of contact.startTokens) refuse(step, token, why.code, why.message);
  remove(step, contact);
}

/** Answers the starts and resumes that wait for a frame: capture is blocked, so none will come. */
export function answerWithoutCapture(step: Step, at: Moment): void {
  for (const contact of step.state.contacts) {
    const moment = Math.max(at, contact.requestedAt);
    if (contact.phase.kind === 'starting') open(step, contact, moment);
    else if (awaitsResume(contact)) replyResumed(step, contact, moment);
  }
}

export function awaitsResume(contact: Contact): boolean {
  return contact.resumeTokens.length > 0 || contact.resumedBy !== null;
}

export function finishAll(step: Step, at: Moment, cause: StopCause): void {
  for (const contact of step.state.contacts) {
    if (isOpen(contact)) finish(step, latest(step, contact), at, cause);
  }
}

export function finish(step: Step, contact: Contact, at: Moment, why: StopCause): void {
  const { phase, recordingId, leftAt } = contact;
  // No page has returned to it: it ended when the earlier process did.
  const cause = leftAt === null ? why : 'app-died';
  if (phase.kind === 'stopping') return;
  if (phase.kind === 'starting') return finishUnbegun(step, contact, at);
  const { startTime } = phase;
  // A recording without any length cannot be published.
  const endTime = Math.max(leftAt ?? at, startTime + 1);
  const suspended = contact.suspendedAt !== null && cause !== 'stopped';
  const waitsFor = step.state.runs.filter((run) => run.phase.kind !== 'starting').map((run) => run.runId);
  journal(step, { type: 'contact.stopped', recordingId, endTime, cause });
  for (const token of contact.resumeTokens)
    refuse(step, token, 'USER_ERROR', 'The contact was stopped before capture came back.');
  clearTimer(step, `suspension:${recordingId}`);
  update(step, contact, {
    phase: { kind: 'stopping', startTime, endTime, waitsFor, cause, suspended },
    suspendedAt: null,
    resumesAt: null,
    resumeTokens: [],
    resumedBy: null,
  });
  if (step.state.contacts.some(isOpen)) {
    for (const run of step.state.runs) {
      if (run.phase.kind === 'live') emit(step, { type: 'run.flush', runId: run.runId, until: endTime });
    }
  } else {
    stopUnneededRuns(step, endTime);
  }
  if (waitsFor.length === 0) complete(step, latest(step, contact));
}

function finishUnbegun(step: Step, contact: Contact, at: Moment): void {
  const { recordingId, stopTokens } = contact;
  fail(
    step,
    contact,
    failure('USER_ERROR', 'The contact ended before its first frame: nothing was recorded.'),
  );
  reply(step, stopTokens, { kind: 'stop', recordingId, endTime: at });
  rememberFinished(step, contact, at, false);
  stopUnneededRuns(step, at);
}

/** The spool has everything of the run from before `until` (Infinity: the run has ended). */
export function runFlushed(step: Step, runId: string, until: Moment): void {
  for (const contact of step.state.contacts) {
    const { phase } = contact;
    if (phase.kind !== 'stopping' || !phase.waitsFor.includes(runId) || phase.endTime > until) continue;
    const waitsFor = phase.waitsFor.filter((one) => one !== runId);
    update(step, contact, { phase: { ...phase, waitsFor } });
    if (waitsFor.length === 0) complete(step, latest(step, contact));
  }
}

function complete(step: Step, contact: Contact): void {
  if (contact.phase.kind !== 'stopping') return;
  const { recordingId, phase } = contact;
  emit(step, { type: 'announce', status: 'COMPLETED', recordingId, contact });
  reply(step, contact.stopTokens, { kind: 'stop', recordingId, endTime: phase.endTime });
  for (const { token } of contact.suspendTokens)
    refuse(step, token, 'USER_ERROR', 'The contact was stopped before the suspension took effect.');
  rememberFinished(step, contact, phase.endTime, phase.suspended);
  remove(step, contact);
  emit(step, { type: 'publish', recordingId });
}

// Capture runs

/** Delays before capture is retried, by failures in a row; the last one repeats. */
const RETRY_DELAYS_MS = [0, 500, 1000, 2000, 5000] as const;
/** A display that is away for a moment comes back without a notice. */
const RETRY_DISPLAY_MS = 1000;
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

export function runBlack(step: Step, { runId, isBlack }: SessionEvent & { type: 'run.black' }): void {
  const runs = step.state.runs.map((one) =>
    one.runId === runId && one.phase.kind === 'live' ? { runId, phase: { ...one.phase, isBlack } } : one,
  );
  set(step, { runs });
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
  const isAway = !permanent && fault.code === 'NO_DISPLAY';
  const delayMs = Math.min(
    RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length) - 1] ?? 0,
    isAway ? RETRY_DISPLAY_MS : Infinity,
  );
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
  // The recording begins with a gap. Not if a retry follows at once, and not beside a run that still captures: a contact needs
  // a run of its own.
  if (isAway && delayMs > 0 && !isLive(step.state)) answerWithoutCapture(step, at);
  stopUnneededRuns(step, at);
}

export function retryDue(step: Step): void {
  const { retry } = step.state;
  if (retry !== null) set(step, { retry: { ...retry, due: true } });
  startRunIfWanted(step);
}
