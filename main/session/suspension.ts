// Everything that blocks capture while contacts are open: the suspensions of pages, the agent's own, and pauses.
//   - A page's suspension belongs to its contact and blocks capture for every contact.
//   - The agent's own belongs to no contact. It ends by the agent, by the time limit, when a page has stopped the last
//     contact, or when another agent signs in; never by a page's resume, and not when a page is lost.
//   - Pauses (lock, sleep, no display) stop runs without dropping frames from before them.

import type { AgentResumeCause, PauseReason } from '../shared/names.ts';
import { gapOfPause } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import { answerWithoutCapture, awaitsResume } from './contacts.ts';
import { abortRuns, clearRetry, startRunIfWanted, stopRuns } from './runs.ts';
import type { Contact, ResumeCause, SessionEvent } from './state.ts';
import type { Step } from './step.ts';
import { acknowledgeSuspends, clearTimer, findContact, findRecording, journal, latest } from './step.ts';
import { refuse, refuseUnknown, reply, replyResumed, replySuspended, set, setTimer, update } from './step.ts';
import { captureBlockers, isCaptureBlocked, isOpen, isQuiet } from './view.ts';

// By a page

export function suspend(step: Step, event: SessionEvent & { type: 'contact.suspend' }): void {
  const { token, contactId, at, reason, maxSeconds } = event;
  const contact = findContact(step, contactId);
  if (contact === undefined || !isOpen(contact)) return refuseUnknown(step, token, contactId);
  const isNew = contact.suspendedAt === null;
  if (isNew) {
    // The first of all effects: nothing may happen between the receipt and the abort.
    abortRuns(step, at);
    for (const waiting of contact.resumeTokens)
      refuse(step, waiting, 'USER_ERROR', 'The contact was suspended again before capture came back.');
    suspendContact(step, contact, at, reason, maxSeconds);
    update(step, contact, { resumeTokens: [], resumedBy: null });
  }
  const suspended = latest(step, contact);
  const maxSecondsRefused = maxSeconds !== undefined && suspended.resumesAt === null;
  const request = { token, suspendedAt: contact.suspendedAt ?? at, maxSecondsRefused };
  // A contact that began suspended may still have runs to wait for, although this is its first suspend.
  if (!isNew && step.state.runs.length === 0) return replySuspended(step, request, suspended.resumesAt);
  update(step, suspended, { suspendTokens: [...suspended.suspendTokens, request] });
  if (!isNew) return;
  answerWithoutCapture(step, at);
  acknowledgeSuspends(step);
}

export function suspendContact(
  step: Step,
  contact: Contact,
  at: Moment,
  reason?: string,
  maxSeconds?: number,
): void {
  const { recordingId } = contact;
  const { suspendMaxSeconds } = step.policy;
  const limitMs =
    suspendMaxSeconds === 0 ? null : Math.min(suspendMaxSeconds, maxSeconds ?? suspendMaxSeconds) * 1000;
  journal(step, { type: 'contact.suspended', recordingId, at, ...(reason === undefined ? {} : { reason }) });
  update(step, contact, {
    suspendedAt: at,
    suspendReason: reason ?? null,
    resumesAt: limitMs === null ? null : at + limitMs,
  });
  if (limitMs !== null) setTimer(step, `suspension:${recordingId}`, limitMs);
}

export function resume(step: Step, event: SessionEvent & { type: 'contact.resume' }): void {
  const { token, contactId, at } = event;
  const contact = findContact(step, contactId);
  if (contact === undefined || !isOpen(contact)) return refuseUnknown(step, token, contactId);
  const { suspendedAt, phase, requestedAt, resumedAt } = contact;
  if (suspendedAt !== null) {
    update(step, contact, { resumeTokens: [token] });
    return endSuspension(step, latest(step, contact), at, 'page');
  }
  if (awaitsResume(contact)) return update(step, contact, { resumeTokens: [...contact.resumeTokens, token] });
  const since = phase.kind === 'open' ? phase.startTime : requestedAt;
  reply(step, [token], { kind: 'resume', resumedAt: resumedAt ?? since });
}

export function suspensionExpired(step: Step, recordingId: string, at: Moment): void {
  const contact = findRecording(step, recordingId);
  if (contact === undefined || contact.suspendedAt === null) return;
  endSuspension(step, contact, at, 'time-limit');
}

export function endSuspension(step: Step, contact: Contact, at: Moment, cause: ResumeCause): void {
  const { recordingId } = contact;
  clearTimer(step, `suspension:${recordingId}`);
  journal(step, { type: 'contact.resumed', recordingId, at, cause });
  update(step, contact, {
    suspendedAt: null,
    resumesAt: null,
    resumedBy: cause === 'page' ? null : cause,
  });
  if (isCaptureBlocked(step.state)) replyResumed(step, latest(step, contact), at);
  startRunIfWanted(step);
}

// By the agent

export function agentSuspends(step: Step, { token, at }: SessionEvent & { type: 'agent.suspend' }): void {
  const { agentSuspension, shuttingDown, contacts } = step.state;
  if (!step.policy.agentMaySuspend)
    return refuse(step, token, 'USER_ERROR', 'Policy does not let you suspend. Ask for `agentMaySuspend`.');
  if (agentSuspension === null) {
    if (shuttingDown || !contacts.some(isOpen))
      return refuse(step, token, 'USER_ERROR', 'Nothing is being recorded that could be suspended.');
    // The first of all effects, as for a page.
    abortRuns(step, at);
    beginAgentSuspension(step, at);
    journal(step, { type: 'capture.paused', at, reason: 'agent' });
    answerWithoutCapture(step, at);
  }
  const suspendedAt = agentSuspension?.since ?? at;
  const request = { token, suspendedAt, maxSecondsRefused: false };
  set(step, { agentSuspendTokens: [...step.state.agentSuspendTokens, request] });
  acknowledgeSuspends(step);
}

/** Does not depend on policy: the agent must be able to end a suspension that policy no longer allows. */
export function agentResumes(step: Step, { token, at }: SessionEvent & { type: 'agent.resume' }): void {
  endAgentSuspension(step, at, 'agent');
  reply(step, [token], { kind: 'resume', resumedAt: at, ...captureBlockers(step.state) });
  startRunIfWanted(step);
}

export function endAgentSuspension(step: Step, at: Moment, cause: AgentResumeCause): void {
  if (step.state.agentSuspension === null) return;
  set(step, { agentSuspension: null });
  clearTimer(step, 'agent-suspension');
  if (!isQuiet(step.state)) journal(step, { type: 'capture.unpaused', at, reason: 'agent', cause });
}

/** A contact begins again that ended under the agent's suspension in an earlier process: the suspension is back, too. */
export function restoreAgentSuspension(step: Step, at: Moment): void {
  if (step.state.agentSuspension !== null) return;
  abortRuns(step, at);
  if (!isQuiet(step.state)) journal(step, { type: 'capture.paused', at, reason: 'agent' });
  beginAgentSuspension(step, at);
}

function beginAgentSuspension(step: Step, since: Moment): void {
  const limitMs = step.policy.suspendMaxSeconds * 1000;
  set(step, { agentSuspension: { since, until: limitMs === 0 ? null : since + limitMs } });
  if (limitMs > 0) setTimer(step, 'agent-suspension', limitMs);
}

// Pauses

export function pausesChanged(step: Step, pauses: readonly PauseReason[], at: Moment): void {
  const before = step.state.pauses;
  const wasQuiet = isQuiet(step.state);
  set(step, { pauses });
  // Live runs are not aborted: frames from before the pause belong to the contact.
  if (before.length === 0 && pauses[0] !== undefined) stopRuns(step, at, gapOfPause(pauses[0]));
  if (!wasQuiet) {
    for (const reason of pauses)
      if (!before.includes(reason)) journal(step, { type: 'capture.paused', at, reason });
    for (const reason of before)
      if (!pauses.includes(reason)) journal(step, { type: 'capture.unpaused', at, reason });
  }
  if (pauses.length > 0) {
    clearRetry(step);
    answerWithoutCapture(step, at);
  }
  startRunIfWanted(step);
}
