// One step of the session while it is decided: the state so far and the effects in their order, with the answers to
// requests among them. The functions of this folder change the step that they are given; `reduce` makes one for each
// event, so that it is pure from outside.

import type { ErrorCode } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import type { Contact, Effect, SessionRecord, SessionReply, SessionState } from './state.ts';
import type { SuspendToken, TimerName, Token } from './state.ts';
import { captureBlockers } from './view.ts';

/** What policy says about contacts. */
export interface ContactPolicy {
  /** How long a recording continues after the last page went away. */
  readonly graceSeconds: number;
  /** The longest suspension; 0: a suspension never ends without a request, and a page's `maxSeconds` is refused. */
  readonly suspendMaxSeconds: number;
  /** Whether suspensions end when Sightline was restarted and a page has come back. */
  readonly resumeAfterRestart: boolean;
  readonly agentMaySuspend: boolean;
}

export interface Step {
  state: SessionState;
  readonly effects: Effect[];
  readonly policy: ContactPolicy;
  readonly newRunId: () => string;
}

export function set(step: Step, change: Partial<SessionState>): void {
  step.state = { ...step.state, ...change };
}

export function emit(step: Step, effect: Effect): void {
  step.effects.push(effect);
}

export function journal(step: Step, record: SessionRecord): void {
  emit(step, { type: 'journal', record });
}

export function setTimer(step: Step, name: TimerName, delayMs: number): void {
  emit(step, { type: 'timer.set', name, delayMs });
}

export function clearTimer(step: Step, name: TimerName): void {
  emit(step, { type: 'timer.clear', name });
}

// Contacts

export function findContact({ state }: Step, contactId: string): Contact | undefined {
  return state.contacts.find((contact) => contact.info.contactId === contactId);
}

export function findRecording({ state }: Step, recordingId: string): Contact | undefined {
  return state.contacts.find((contact) => contact.recordingId === recordingId);
}

/** The contact after the changes made since `contact` was read. */
export function latest(step: Step, contact: Contact): Contact {
  return findRecording(step, contact.recordingId) ?? contact;
}

export function update(step: Step, contact: Contact, change: Partial<Contact>): void {
  set(step, {
    contacts: step.state.contacts.map((one) =>
      one.recordingId === contact.recordingId ? { ...one, ...change } : one,
    ),
  });
}

export function remove(step: Step, contact: Contact): void {
  set(step, { contacts: step.state.contacts.filter((one) => one.recordingId !== contact.recordingId) });
}

const FINISHED_REMEMBERED = 200;

export function rememberFinished(step: Step, contact: Contact, endTime: Moment, suspended: boolean): void {
  const { recordingId, info } = contact;
  const { contactId } = info;
  const others = step.state.finished.filter((one) => one.contactId !== contactId);
  const finished = [...others, { contactId, recordingId, endTime, suspended, suspendedByAgent: false }];
  if (finished.length > FINISHED_REMEMBERED) {
    // Contacts that must begin suspended again are forgotten last.
    const oldest = finished.findIndex((one) => !one.suspended && !one.suspendedByAgent);
    finished.splice(Math.max(0, oldest), 1);
  }
  set(step, { finished });
}

// Answers

export function reply(step: Step, tokens: readonly Token[], answer: SessionReply): void {
  for (const token of tokens) emit(step, { type: 'reply', token, reply: answer });
}

export function refuse(step: Step, token: Token, code: ErrorCode, message: string): void {
  emit(step, { type: 'refuse', token, code, message });
}

export function refuseUnknown(step: Step, token: Token, contactId: string): void {
  refuse(step, token, 'UNKNOWN_CONTACT', `No recording is open for contact ${contactId}. Start it first.`);
}

export function replyStarted(
  step: Step,
  { recordingId }: Contact,
  startTime: Moment,
  tokens: readonly Token[],
): void {
  reply(step, tokens, { kind: 'start', recordingId, startTime, ...captureBlockers(step.state) });
}

export function replySuspended(step: Step, request: SuspendToken, resumesAt: Moment | null): void {
  const { token, suspendedAt, maxSecondsRefused } = request;
  reply(step, [token], {
    kind: 'suspend',
    suspendedAt,
    ...(resumesAt === null ? {} : { resumesAt }),
    ...(maxSecondsRefused ? { maxSecondsRefused } : {}),
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
