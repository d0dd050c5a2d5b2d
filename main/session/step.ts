// One step of the session while it is decided: the state so far and the effects in their order. The functions of this
// folder change the step that they are given; `reduce` makes one for each event, so that it is pure from outside.

import type { Moment } from '../shared/time.ts';
import type { Contact, Effect, SessionRecord, SessionState, TimerName } from './state.ts';

export interface SessionOptions {
  /** How long a recording goes on after the last page went away. */
  readonly graceMs: number;
  /** How long a start may wait for its first frame. */
  readonly startDeadlineMs: number;
  /** The longest suspension; 0: a suspension never ends without a request, and a page's `maxSeconds` is refused. */
  readonly suspendMaxSeconds: number;
  /** Whether suspensions end when Sightline was restarted and a page has come back. */
  readonly resumeAfterRestart: boolean;
  readonly agentMaySuspend: boolean;
  readonly newRunId: () => string;
}

/** What policy says about contacts. */
export interface ContactPolicy {
  readonly graceSeconds: number;
  readonly suspendMaxSeconds: number;
  readonly resumeAfterRestart: boolean;
  readonly agentMaySuspend: boolean;
}

export function sessionOptions(policy: ContactPolicy, newRunId: () => string): SessionOptions {
  const { graceSeconds, suspendMaxSeconds, resumeAfterRestart, agentMaySuspend } = policy;
  const graceMs = graceSeconds * 1000;
  return {
    graceMs,
    startDeadlineMs: 10_000,
    suspendMaxSeconds,
    resumeAfterRestart,
    agentMaySuspend,
    newRunId,
  };
}

export interface Step {
  state: SessionState;
  readonly effects: Effect[];
  readonly options: SessionOptions;
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
