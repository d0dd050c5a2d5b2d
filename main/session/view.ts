// What can be read off a session state, for pages, tray and windows. Pure; follows the capture, not the request:
// "recording" is said only once a run is live, "suspended" only once no run is left.

import type { AppState, RecordingState } from '../shared/names.ts';
import type { OpenRecording } from '../shared/protocol.ts';
import type { Contact, SessionState } from './state.ts';

export function isOpen(contact: Contact): boolean {
  return contact.phase.kind !== 'stopping';
}

export function suspendingContacts(state: SessionState): readonly string[] {
  return state.contacts
    .filter((contact) => isOpen(contact) && contact.suspendedAt !== null)
    .map((contact) => contact.info.contactId);
}

export function isSuspended(state: SessionState): boolean {
  return suspendingContacts(state).length > 0;
}

export function isLive(state: SessionState): boolean {
  return state.runs.some((run) => run.phase.kind === 'live');
}

export function captureState(state: SessionState): AppState {
  const open = state.contacts.filter(isOpen);
  if (open.length === 0) return state.runs.length > 0 ? 'recording' : 'idle';
  if (isLive(state)) return 'recording';
  if (isSuspended(state)) return state.runs.length === 0 ? 'suspended' : 'recording';
  return state.retry !== null ? 'problem' : 'starting';
}

export function openRecordings(state: SessionState): OpenRecording[] {
  return state.contacts.map((contact) => ({
    contactId: contact.info.contactId,
    recordingId: contact.recordingId,
    state: recordingState(state, contact),
  }));
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
