// The session as a pure function: (state, event) -> (state, effects). It decides everything about contacts, runs and
// suspensions and does nothing itself. Two rules come before all others:
//   - a suspend aborts every run in the same step in which it is received, before anything else is done;
//   - no run is started while any contact is suspended, or while a suspend waits for its acknowledgement.

import { failure, unreachable } from '../shared/errors.ts';
import type { Moment } from '../shared/time.ts';
import {
  fail,
  finish,
  finishAll,
  open,
  retryDue,
  runBlack,
  runEnded,
  runFlushed,
  runLive,
} from './contacts.ts';
import { abortRuns, startRunIfWanted, stopRuns, stopUnneededRuns } from './runs.ts';
import type { Contact, SessionEvent, SessionState, Token } from './state.ts';
import type { ContactPolicy, Step } from './step.ts';
import { clearTimer, emit, findContact, findRecording, journal, latest, refuse } from './step.ts';
import { refuseUnknown, remove, reply, replyStarted, set, setTimer, update } from './step.ts';
import {
  agentResumes,
  agentSuspends,
  endAgentSuspension,
  endSuspension,
  pausesChanged,
  restoreAgentSuspension,
  resume,
  suspend,
  suspendContact,
  suspensionExpired,
} from './suspension.ts';
import { isCaptureBlocked, isOpen, isQuiet, isSameAgent, isTrialPage, pauseReasons } from './view.ts';

/** AWS lets an agent have 1 call, 10 chats and 10 tasks; the rest is for contacts that are being stopped. */
export const MAX_CONTACTS = 32;
/** How long a start may wait for its first frame. */
const START_DEADLINE_MS = 10_000;

export function reduce(
  state: SessionState,
  event: SessionEvent,
  policy: ContactPolicy,
  newRunId: () => string,
): Pick<Readonly<Step>, 'state' | 'effects'> {
  const step: Step = { state, effects: [], policy, newRunId };
  apply(step, event);
  return step;
}

function apply(step: Step, event: SessionEvent): void {
  switch (event.type) {
    case 'restored':
      return restore(step, event);
    case 'hello':
      return hello(step, event);
    case 'page.left':
      return pageLeft(step, event.pageId);
    case 'grace.over':
      if (step.state.pages.length === 0) finishAll(step, event.at, 'page-lost');
      return;
    case 'contact.start':
      return start(step, event);
    case 'contact.suspend':
      return suspend(step, event);
    case 'contact.resume':
      return resume(step, event);
    case 'contact.stop':
      return stop(step, event);
    case 'agent.suspend':
      return agentSuspends(step, event);
    case 'agent.resume':
      return agentResumes(step, event);
    case 'agent.suspension-expired':
      endAgentSuspension(step, event.at, 'time-limit');
      return startRunIfWanted(step);
    case 'start.deadline':
      return startDeadline(step, event.recordingId, event.at);
    case 'suspension.expired':
      return suspensionExpired(step, event.recordingId, event.at);
    case 'pauses':
      return pausesChanged(step, event.pauses, event.at);
    case 'displays.changed':
      stopRuns(step, event.at, 'display-changed');
      return startRunIfWanted(step);
    case 'run.live':
      return runLive(step, event);
    case 'run.flushed':
      return runFlushed(step, event.runId, event.until);
    case 'run.black':
      return runBlack(step, event);
    case 'run.ended':
      return runEnded(step, event);
    case 'retry.due':
      return retryDue(step);
    case 'shutdown':
      return shutDown(step, event.at);
    default:
      return unreachable(event);
  }
}

// Pages

function hello(step: Step, { token, identity, pageId, at }: SessionEvent & { type: 'hello' }): void {
  const { agent, pages, shuttingDown } = step.state;
  if (shuttingDown)
    return refuse(step, token, 'NOT_READY', 'Sightline is shutting down. Connect again when it has started.');
  if (agent === null || !isSameAgent(agent, identity)) {
    // A trial makes way for an agent.
    if (pages.some((page) => !isTrialPage(page)))
      return refuse(
        step,
        token,
        'MULTIPLE_CCP_INTERACTION',
        'Another agent or instance is connected on this machine. Close its page first.',
      );
    endAgentSuspension(step, at, 'agent-changed');
    finishAll(step, at, 'agent-changed');
    set(step, { pages: [] });
  }
  set(step, { agent: identity });
  const joined = step.state.pages;
  if (!joined.includes(pageId)) set(step, { pages: [...joined, pageId] });
  clearTimer(step, 'grace');
  reply(step, [token], { kind: 'hello' });
  adopt(step, at);
}

/** A page has come back: the contacts that an earlier process left open continue. */
function adopt(step: Step, at: Moment): void {
  for (const contact of step.state.contacts) {
    if (contact.leftAt === null) continue;
    update(step, contact, { leftAt: null });
    if (step.policy.resumeAfterRestart && contact.suspendedAt !== null)
      endSuspension(step, latest(step, contact), at, 'restart');
  }
  startRunIfWanted(step);
}

function restore(step: Step, event: SessionEvent & { type: 'restored' }): void {
  const { contacts, endedSuspended, agentSuspendedSince: since } = event;
  set(step, {
    agent: contacts[0]?.agent ?? null,
    finished: endedSuspended,
    // Without a time limit, like the restored suspensions of pages.
    agentSuspension: since === null ? null : { since, until: null },
    contacts: contacts.map(({ startTime, suspendedAt, leftAt, ...basics }) => ({
      ...newContact(basics),
      ...{ phase: { kind: 'open', startTime }, suspendedAt, leftAt },
    })),
  });
  if (contacts.length > 0) startGrace(step);
}

function pageLeft(step: Step, pageId: string): void {
  if (!step.state.pages.includes(pageId)) return;
  set(step, { pages: step.state.pages.filter((page) => page !== pageId) });
  if (step.state.pages.length === 0) startGrace(step);
}

function startGrace(step: Step): void {
  setTimer(step, 'grace', step.policy.graceSeconds * 1000);
}

/** A suspension outlives the process: its contact stays open in the journal, for the next process. */
function shutDown(step: Step, at: Moment): void {
  set(step, { shuttingDown: true });
  const { agentSuspension, contacts } = step.state;
  for (const contact of contacts) {
    const isSuspended = agentSuspension !== null || contact.suspendedAt !== null;
    if (!isOpen(contact) || !(isSuspended || contact.leftAt !== null)) continue;
    for (const { token } of contact.suspendTokens)
      refuse(step, token, 'NOT_READY', 'Sightline is shutting down; the contact stays suspended.');
    remove(step, contact);
  }
  finishAll(step, at, 'shutdown');
  stopUnneededRuns(step, at);
}

// Contacts

function start(step: Step, event: SessionEvent & { type: 'contact.start' }): void {
  const { token, info, recordingId, at } = event;
  const { agent, contacts, shuttingDown, finished } = step.state;
  const known = findContact(step, info.contactId);
  if (known !== undefined) return startAgain(step, known, token);
  if (agent === null || shuttingDown) return refuse(step, token, 'NOT_READY', 'Send hello first.');
  if (contacts.length >= MAX_CONTACTS)
    return refuse(
      step,
      token,
      'TOO_MANY_REQUESTS',
      `${MAX_CONTACTS} contacts are being recorded, more than an agent can have. Stop those that have ended.`,
    );
  const contact = newContact({ recordingId, info, agent, requestedAt: at }, [token]);
  const earlier = finished.findLast((one) => one.contactId === info.contactId);
  if (earlier?.suspended) abortRuns(step, at);
  if (earlier?.suspendedByAgent) restoreAgentSuspension(step, at);
  const isFirst = isQuiet(step.state);
  set(step, { contacts: [...contacts, contact] });
  journal(step, { type: 'contact.started', recordingId, at, contact: info, agent });
  if (isFirst) {
    for (const reason of pauseReasons(step.state)) journal(step, { type: 'capture.paused', at, reason });
  }
  emit(step, { type: 'announce', status: 'INITIATED', recordingId, contact });
  // A contact that ended suspended while no page was there begins suspended: only a page may resume it.
  if (earlier?.suspended === true) suspendContact(step, contact, at);
  if (isCaptureBlocked(step.state)) return open(step, latest(step, contact), at);
  setTimer(step, `start:${recordingId}`, START_DEADLINE_MS);
  startRunIfWanted(step);
}

function startAgain(step: Step, contact: Contact, token: Token): void {
  switch (contact.phase.kind) {
    case 'starting':
      return update(step, contact, { startTokens: [...contact.startTokens, token] });
    case 'open':
      return replyStarted(step, contact, contact.phase.startTime, [token]);
    case 'stopping':
      return refuse(
        step,
        token,
        'USER_ERROR',
        'This contact is being stopped. Start it again after the stop answers.',
      );
  }
}

function stop(step: Step, { token, contactId, at }: SessionEvent & { type: 'contact.stop' }): void {
  const contact = findContact(step, contactId);
  if (contact === undefined) {
    const finished = step.state.finished.findLast((one) => one.contactId === contactId);
    if (finished === undefined) return refuseUnknown(step, token, contactId);
    const { recordingId, endTime } = finished;
    return reply(step, [token], { kind: 'stop', recordingId, endTime });
  }
  update(step, contact, { stopTokens: [...contact.stopTokens, token] });
  // The agent meant the contacts of that time: a forgotten suspension must not cost the next contact its recording.
  if (step.state.contacts.filter(isOpen).every((one) => one.info.contactId === contactId))
    endAgentSuspension(step, at, 'contact-ended');
  if (isOpen(contact)) finish(step, latest(step, contact), at, 'stopped');
  // Its suspension may have blocked capture for the others.
  startRunIfWanted(step);
}

function startDeadline(step: Step, recordingId: string, at: Moment): void {
  const contact = findRecording(step, recordingId);
  if (contact?.phase.kind !== 'starting') return;
  const late = 'No frame arrived in time. Run "sightline doctor" to see what blocks capture.';
  fail(step, contact, step.state.retry?.failure ?? failure('CAPTURE_TIMEOUT', late));
  stopUnneededRuns(step, at);
}

function newContact(
  basics: Pick<Contact, 'recordingId' | 'info' | 'agent' | 'requestedAt'>,
  startTokens: readonly Token[] = [],
): Contact {
  return {
    ...basics,
    phase: { kind: 'starting' },
    suspendedAt: null,
    suspendReason: null,
    resumesAt: null,
    resumedAt: null,
    startTokens,
    suspendTokens: [],
    resumeTokens: [],
    stopTokens: [],
    resumedBy: null,
    leftAt: null,
  };
}
