// What pages, tray and windows show of a session state. Pure. It follows the capture, not the request: "recording" only
// once a run is live, "suspended" only once no run is left.

import type { Failure } from '../shared/errors.ts';
import type { AgentOffer } from '../shared/ipc.ts';
import type { AppState, PauseReason, RecordingState } from '../shared/names.ts';
import type { Moment } from '../shared/time.ts';
import type {
  AppStatePush,
  CaptureBlockers,
  Identity,
  OpenRecording,
  StateReason,
} from '../shared/protocol.ts';
import type { Contact, SessionState } from './state.ts';

export function isOpen(contact: Contact): boolean {
  return contact.phase.kind !== 'stopping';
}

/** Nothing is being recorded or completed. Only then may anything that disturbs a contact be done. */
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

/** By a suspension or a pause. */
export function isCaptureBlocked(state: SessionState): boolean {
  return isSuspended(state) || pauseReasons(state).length > 0;
}

/** What blocks capture apart from pages' suspensions. */
export function pauseReasons({ agentSuspension, pauses }: SessionState): readonly PauseReason[] {
  return agentSuspension === null ? pauses : ['agent', ...pauses];
}

export function captureBlockers(state: SessionState): CaptureBlockers {
  const stillSuspendedBy = suspendingContacts(state);
  // Not a pause: capture is retried, and nothing reports when the display is back.
  const isAway = state.retry?.failure.code === 'NO_DISPLAY';
  const pausedBy = isAway ? (['display-unavailable'] as const) : pauseReasons(state);
  return {
    ...(stillSuspendedBy.length > 0 ? { stillSuspendedBy } : {}),
    ...(pausedBy.length > 0 ? { pausedBy } : {}),
  };
}

/** What the agent may do now. A suspension may be ended even where policy no longer allows one. */
export function agentOffer(state: SessionState | null, maySuspend: boolean): AgentOffer {
  if (state === null) return 'no';
  if (state.agentSuspension !== null) return 'may-resume';
  return maySuspend && state.contacts.some(isOpen) ? 'may-suspend' : 'no';
}

/** The start of the oldest recording; null: nothing is being recorded. */
export function recordedSince(state: SessionState): Moment | null {
  const starts = state.contacts.flatMap(({ phase }) => (phase.kind === 'starting' ? [] : [phase.startTime]));
  return starts.length === 0 ? null : Math.min(...starts);
}

/**
 * Since when the state on show has lasted; of a recording, the start of the oldest contact. null: no duration is shown.
 * @param changedAt when `shown` became the state
 */
export function shownSince(state: SessionState, shown: AppState, changedAt: Moment): Moment | null {
  const open = state.contacts.filter(isOpen);
  switch (shown) {
    case 'idle':
    case 'starting':
      return null;
    case 'recording':
      return recordedSince(state);
    case 'suspended': {
      // Earlier than `changedAt` where a page has returned to a contact that an earlier process left suspended.
      const begun = [state.agentSuspension?.since, ...open.map((contact) => contact.suspendedAt)];
      return Math.min(changedAt, ...begun.filter((at) => typeof at === 'number'));
    }
    case 'paused':
    case 'problem':
      return changedAt;
  }
}

export function isLive(state: SessionState): boolean {
  return state.runs.some((run) => run.phase.kind === 'live');
}

export function captureState(state: SessionState): AppState {
  const open = state.contacts.filter(isOpen);
  if (open.length === 0) return state.runs.length > 0 ? 'recording' : 'idle';
  if (isLive(state)) return 'recording';
  if (isSuspended(state) || state.agentSuspension !== null)
    return state.runs.length === 0 ? 'suspended' : 'recording';
  if (state.pauses.length > 0) return state.runs.length === 0 ? 'paused' : 'recording';
  if (open.every((contact) => contact.leftAt !== null)) return 'paused';
  return state.retry !== null ? 'problem' : 'starting';
}

const pauseMessages: Readonly<Record<PauseReason | 'app-restarted', string>> = {
  'display-unavailable': 'No monitor is switched on.',
  // On Linux the system may report a lock although no lock screen is running.
  locked: 'The system reports the screen as locked. Unlock it to continue recording.',
  'switched-away': 'Another user is at the screen.',
  disconnected: 'The remote desktop is disconnected.',
  asleep: 'The computer is asleep.',
  agent: 'You suspended it.',
  'app-restarted': 'Sightline was restarted and waits for the page to come back.',
};

const blackScreen: StateReason = {
  code: 'black-screen',
  message:
    'The screen has been entirely black for some time. A remote session may be minimized or disconnected.',
};

/**
 * What pages, tray and windows show now.
 * @param problem why no contact could be recorded; shown only while none is
 */
export function shownState(
  state: SessionState,
  problem: Failure | null,
): Pick<AppStatePush, 'state' | 'contacts' | 'reason'> {
  const contacts = openRecordings(state);
  const capture = captureState(state);
  if (capture !== 'idle' || problem === null) return { state: capture, contacts, reason: stateReason(state) };
  return { state: 'problem', contacts, reason: { code: problem.code, message: problem.message } };
}

/** Why the state is what it is; null where there is nothing to add, and for a problem outside of capture. */
export function stateReason(state: SessionState): StateReason | null {
  switch (captureState(state)) {
    case 'suspended': {
      if (state.agentSuspension !== null) return { code: 'agent', message: pauseMessages.agent };
      const given = state.contacts.find((one) => isOpen(one) && one.suspendedAt !== null)?.suspendReason;
      return given ? { code: 'suspended', message: given } : null;
    }
    case 'paused': {
      const code = state.pauses[0] ?? 'app-restarted';
      return { code, message: pauseMessages[code] };
    }
    case 'problem':
      return state.retry === null
        ? null
        : { code: state.retry.failure.code, message: state.retry.failure.message };
    case 'recording':
      return state.runs.some(({ phase }) => phase.kind === 'live' && phase.isBlack) ? blackScreen : null;
    default:
      return null;
  }
}

/** Of the signed-in agent only: a page must not see the contacts of the agent before. */
export function openRecordings(state: SessionState): OpenRecording[] {
  return state.contacts
    .filter((contact) => state.agent === null || isSameAgent(contact.agent, state.agent))
    .map((contact) => ({
      contactId: contact.info.contactId,
      recordingId: contact.recordingId,
      state: recordingState(state, contact),
    }));
}

const TRIAL_PAGE = 'trial:';

/** `sightline try` takes the place of a page. */
export function trialPageId(id: string): string {
  return `${TRIAL_PAGE}${id}`;
}

export function isTrialPage(pageId: string): boolean {
  return pageId.startsWith(TRIAL_PAGE);
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
