// What <sightline-status> shows, from the states of client and contacts. Pure. It never claims more than the recorder has
// confirmed: `recording` and `suspended` come from the recorder's own state, never from a request.

import type { AppState, Connection, ContactState } from '../contract.ts';
import type { StatusKind, SuspendedBy, Texts } from './texts.ts';

export interface StatusView {
  readonly kind: StatusKind;
  readonly label: string;
  /** One sentence after the label; may be empty. */
  readonly detail: string;
  /** What to do. */
  readonly steps: readonly string[];
  readonly code: string | null;
  readonly contacts: readonly string[];
  /** The oldest contact that is being recorded; its time is shown. */
  readonly timed: ContactState | null;
  readonly action: 'suspend' | 'resume' | null;
  readonly canRetry: boolean;
}

/** Texts from the recorder, which could be any program on the port. */
const MAX_TEXT_LENGTH = 200;
const MAX_CONTACTS = 32;
/** ContactRecorder's name for a suspension of which no tab knows the cause. */
const UNKNOWN_CAUSE = 'unknown';

/** @param isFrameAllowed false: the page is in a frame that may not reach this computer, whatever the agent answers */
export function statusView(
  connection: Connection,
  app: AppState | undefined,
  contacts: readonly ContactState[],
  texts: Texts,
  isFrameAllowed = true,
): StatusView {
  const { kind } = connection;
  const nothing = { detail: '', steps: [], code: null, timed: null, action: null, canRetry: false };
  const base = { ...nothing, contacts: listed(contacts, texts) };
  const as = (shown: StatusKind, more: Partial<StatusView> = {}): StatusView => ({
    ...base,
    kind: shown,
    label: texts.labels[shown],
    ...more,
  });
  switch (kind) {
    case 'connecting':
    case 'closed':
      return as(kind, { detail: texts.meanings[kind] });
    case 'not-running':
      return as(kind, {
        detail: texts.meanings[kind],
        steps: texts.steps[kind],
        code: 'CLIENT_APP_NOT_RUNNING',
        canRetry: true,
      });
    case 'blocked': {
      // Then the agent's answer would change nothing.
      const by = isFrameAllowed ? connection.permission : 'frame';
      return as(kind, {
        detail: texts.blocked[by],
        steps: texts.steps[`blocked-${by}`],
        code: 'CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED',
        canRetry: by === 'prompt',
      });
    }
    case 'refused': {
      const code = short(connection.code);
      return as(kind, {
        detail: own(texts.refused, code) ?? texts.refusedOtherwise,
        steps: own(texts.refusedSteps, code) ?? texts.steps.refused,
        code,
        canRetry: true,
      });
    }
    case 'wrong-version':
      return as(kind, { detail: texts.meanings[kind], steps: texts.steps[kind] });
    case 'connected':
      return app === undefined ? as('connecting') : connected(app, contacts, texts, as);
  }
}

function connected(
  app: AppState,
  contacts: readonly ContactState[],
  texts: Texts,
  as: (kind: StatusKind, more?: Partial<StatusView>) => StatusView,
): StatusView {
  const failed = contacts.find(({ state, error }) => isNotBegun(state) && error !== null)?.error;
  const any = (...states: ContactState['state'][]) => contacts.some(({ state }) => states.includes(state));
  const action = contacts.length > 0 ? ('suspend' as const) : null;
  switch (app.state) {
    case 'idle':
    case 'starting':
      // Also while the next attempt is made: the element does not flicker.
      if (failed !== undefined && failed !== null) return as('problem', problem(failed.code, texts));
      if (app.state === 'idle' && !any('waiting', 'starting')) return as('idle');
      return as('starting', { action, detail: any('suspending') ? texts.suspending : '' });
    case 'recording': {
      const isLate = contacts.some(({ state, error }) => state === 'suspending' && error !== null);
      const black = app.reason?.code === 'black-screen' ? texts.blackScreen : '';
      const detail = isLate ? texts.suspendFailed : any('suspending') ? texts.suspending : black;
      const timed = contacts.find(({ state }) => state === 'recording' || state === 'suspending') ?? null;
      return as('recording', { detail, timed, action });
    }
    case 'suspended': {
      const by = suspendedBy(app, contacts);
      const reason = by === 'agent' || app.reason === null ? '' : short(app.reason.message);
      const said = texts.suspendedBy[by];
      return as('suspended', {
        detail: any('resuming')
          ? texts.resuming
          : reason === ''
            ? said
            : texts.suspendedBecause(said, reason),
        steps: by === 'agent' || by === 'unknown' ? texts.steps[`suspended-${by}`] : [],
        // A form's or a flow's suspension is not the button's to end.
        action: by === 'unknown' || contacts.some(({ causes }) => causes.includes('page')) ? 'resume' : null,
      });
    }
    case 'paused': {
      const code = short(app.reason?.code ?? '');
      return as('paused', { detail: own(texts.paused, code) ?? short(app.reason?.message ?? ''), action });
    }
    case 'problem':
      return as('problem', problem(app.reason?.code ?? failed?.code ?? 'CAPTURE_FAILED', texts));
  }
}

function problem(code: string, texts: Texts): Partial<StatusView> {
  return { detail: own(texts.problems, code) ?? texts.unknownProblem, code: short(code) };
}

function isNotBegun(state: ContactState['state']): boolean {
  return state === 'starting' || state === 'failed';
}

/** The page's own cause wins: it is the one that the button ends. */
function suspendedBy(app: AppState, contacts: readonly ContactState[]): SuspendedBy {
  const causes = contacts.flatMap((contact) => contact.causes).filter((cause) => cause !== UNKNOWN_CAUSE);
  if (causes.includes('page')) return 'page';
  if (causes.some((cause) => cause.startsWith('form:'))) return 'form';
  if (causes.includes('flow') || causes.includes('flow-relay')) return 'flow';
  if (causes.length > 0) return 'page';
  return app.reason?.code === 'agent' ? 'agent' : 'unknown';
}

/** One line each, where the label cannot say it for all of them. */
function listed(contacts: readonly ContactState[], texts: Texts): readonly string[] {
  if (contacts.length < 2) return [];
  return contacts
    .slice(0, MAX_CONTACTS)
    .map(({ channel, state }) => texts.contact(texts.channels[channel], texts.contactStates[state]));
}

function short(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH - 1)}…` : text;
}

/** A text of a catalogue's group, and nothing of Object.prototype: the code comes from outside. */
function own<T>(group: Readonly<Record<string, T>>, code: string): T | undefined {
  return Object.hasOwn(group, code) ? group[code] : undefined;
}

/** 0:07, 12:34, 1:02:03 */
export function formatElapsed(elapsedMs: number): string {
  const seconds = Math.max(0, Math.floor(elapsedMs / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = two(seconds % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
