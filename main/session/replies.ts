// The answers to requests that wait in the state.

import type { ErrorCode } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import type { Contact, SessionReply, SuspendToken, Token } from './state.ts';
import type { Step } from './step.ts';
import { emit, set, update } from './step.ts';
import { captureBlockers } from './view.ts';

export function reply(step: Step, tokens: readonly Token[], answer: SessionReply): void {
  for (const token of tokens) emit(step, { type: 'reply', token, reply: answer });
}

export function refuse(step: Step, token: Token, code: ErrorCode, message: string): void {
  emit(step, { type: 'refuse', token, code, message });
}

export function refuseUnknown(step: Step, token: Token, contactId: string): void {
  refuse(step, token, 'UNKNOWN_CONTACT', `No recording is open for contact ${contactId}. Start it first.`);
}

export function replySuspended(step: Step, request: SuspendToken, resumesAt: Moment | null): void {
  const { token, suspendedAt, limitRefused } = request;
  reply(step, [token], {
    kind: 'suspend',
    suspendedAt,
    ...(resumesAt === null ? {} : { resumesAt }),
    ...(limitRefused === true ? { limitRefused } : {}),
  });
}

/** Answers the suspends that wait, as soon as no capture process is left. */
export function acknowledgeSuspends(step: Step): void {
  const { runs, agentSuspendTokens, agentSuspension, contacts } = step.state;
  if (runs.length > 0) return;
  for (const request of agentSuspendTokens) replySuspended(step, request, agentSuspension?.until ?? null);
  set(step, { agentSuspendTokens: [] });
  for (const contact of contacts) {
    if (contact.suspendTokens.length === 0) continue;
    for (const request of contact.suspendTokens) replySuspended(step, request, contact.resumesAt);
    update(step, contact, { suspendTokens: [] });
  }
}

export function replyStarted(
  step: Step,
  { recordingId }: Contact,
  startTime: Moment,
  tokens: readonly Token[],
): void {
  reply(step, tokens, { kind: 'start', recordingId, startTime, ...captureBlockers(step.state) });
}

/** Capture is back for the contact, or cannot come back because something else blocks it. */
export function replyResumed(step: Step, contact: Contact, resumedAt: Moment): void {
  const { resumeTokens, resumedBy, info } = contact;
  const blockers = captureBlockers(step.state);
  reply(step, resumeTokens, { kind: 'resume', resumedAt, ...blockers });
  if (resumedBy !== null) {
    const { contactId } = info;
    emit(step, { type: 'push.resumed', contactId, resumedAt, cause: resumedBy, ...blockers });
  }
  update(step, contact, { resumedAt, resumeTokens: [], resumedBy: null });
}
