// What can be read off a session state, for pages, tray and windows. Pure; follows the capture, not the request:
// "recording" is said only once a run is live, "suspended" only once no run is left.

import type { AppState, PauseReason, RecordingState } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type { OpenRecording, StateReason } from '../shared/protocol.ts';
import type { Contact, Identity, SessionState, WhyNoCapture } from './state.ts';

export function isOpen(contact: Contact): boolean {
  return contact.phase.kind !== 'stopping';
}

/** Nothing is being recorded, and nothing of it is left to be done. */
export function isQuiet(state: SessionState): boolean {
  return state.contacts.length === 0 && state.runs.length === 0;
}

export function suspendingContacts(state: SessionState): readonly string[] {
  return state.contacts
    .filter((contact) => isOpen(contact) && contact.suspendedAt !== null)
    .map((contact) => contact.info.contactId);
}

export function isSuspended(state: SessionState): boolean {
  return suspendingContacts(state).length > 0;
}

/** Whether nothing is to be captured now, whatever the contacts want. */
export function isHeld(state: SessionState): boolean {
  return isSuspended(state) || heldBy(state).length > 0;
}

/** What holds capture apart from pages' suspensions. */
export function heldBy({ agentHold, pauses }: SessionState): readonly PauseReason[] {
  return agentHold === null ? pauses : ['agent', ...pauses];
}

export function whyNoCapture(state: SessionState): WhyNoCapture {
  const stillSuspendedBy = suspendingContacts(state);
  const pausedBy = heldBy(state);
  return {
    ...(stillSuspendedBy.length > 0 ? { stillSuspendedBy } : {}),
    ...(pausedBy.length > 0 ? { pausedBy } : {}),
  };
}

/** What the agent may do about capture now: what has begun may be ended, whatever policy says by now. */
export function agentOffer(
  state: SessionState | null,
  maySuspend: boolean,
): 'may-resume' | 'may-suspend' | 'no' {
  if (state === null) return 'no';
  if (state.agentHold !== null) return 'may-resume';
  return maySuspend && state.contacts.some(isOpen) ? 'may-suspend' : 'no';
}

/** When the oldest of the contacts that are being recorded began; null: none is. */
export function recordedSince(state: SessionState): Moment | null {
  const starts = state.contacts.flatMap(({ phase }) => (phase.kind === 'starting' ? [] : [phase.startTime]));
  return starts.length === 0 ? null : Math.min(...starts);
}

export function isLive(state: SessionState): boolean {
  return state.runs.some((run) => run.phase.kind === 'live');
}

export function captureState(state: SessionState): AppState {
  const open = state.contacts.filter(isOpen);
  if (open.length === 0) return state.runs.length > 0 ? 'recording' : 'idle';
  if (isLive(state)) return 'recording';
  if (isSuspended(state) || state.agentHold !== null)
    return state.runs.length === 0 ? 'suspended' : 'recording';
  if (state.pauses.length > 0) return state.runs.length === 0 ? 'paused' : 'recording';
  if (open.every((contact) => contact.leftAt !== null)) return 'paused';
  return state.retry !== null ? 'problem' : 'starting';
}

const pauseMessages: Readonly<Record<PauseReason | 'app-restarted', string>> = {
  'display-unavailable': 'No monitor is switched on.',
  // What the system says, which need not be what is seen: Linux may be asked to lock where no lock screen runs.
  locked: 'The system reports the screen as locked. Unlock it to go on recording.',
  'switched-away': 'Another user is at the screen.',
  asleep: 'The computer is asleep.',
  agent: 'You suspended it.',
  'app-restarted': 'Sightline was restarted and waits for the page to come back.',
};

/** Why the state is what it is; null where the state says it all, and for a problem that is not capture's. */
export function stateReason(state: SessionState): StateReason | null {
  switch (captureState(state)) {
    case 'suspended': {
      if (state.agentHold !== null) return { code: 'agent', message: pauseMessages.agent };
      const told = state.contacts.find((one) => isOpen(one) && one.suspendedAt !== null)?.suspendReason;
      return told ? { code: 'suspended', message: told } : null;
    }
    case 'paused': {
      const code = state.pauses[0] ?? 'app-restarted';
      return { code, message: pauseMessages[code] };
    }
    case 'problem':
      return state.retry === null
        ? null
        : { code: state.retry.failure.code, message: state.retry.failure.message };
    default:
      return null;
  }
}

/** Those of the agent who is there now: another one's, coming to their end, are nobody else's business. */
export function openRecordings(state: SessionState): OpenRecording[] {
  return state.contacts
    .filter((contact) => state.agent === null || isSameAgent(contact.agent, state.agent))
    .map((contact) => ({
      contactId: contact.info.contactId,
      recordingId: contact.recordingId,
      state: recordingState(state, contact),
    }));
}

export function isSameAgent(a: Identity, b: Identity): boolean {
  return a.agentArn === b.agentArn && a.instanceArn === b.instanceArn;
}

function recordingState(state: SessionState, contact: Contact): RecordingState {
  switch (contact.phase.kind) {
    case 'stopping':
      return 'stopping';
    case 'starting':
      return state.retry === null ? 'starting' : 'problem';
    case 'open': {
      const app = captureState(state);
      return app === 'idle' ? 'recording' : app;
    }
  }
}
