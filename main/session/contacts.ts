// The life of a contact's recording: it opens with its first frame, fails without one, or is finished, and is complete
// once everything up to its end is in the spool.

import type { Failure } from '../shared/errors.ts';
import { failure } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import { refuse, replyResumed, replyStarted, reply } from './replies.ts';
import { stopUnneededRuns } from './runs.ts';
import type { Contact, StopCause } from './state.ts';
import type { Step } from './step.ts';
import { clearTimer, emit, journal, latest, remove, rememberFinished, update } from './step.ts';
import { isOpen } from './view.ts';

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
