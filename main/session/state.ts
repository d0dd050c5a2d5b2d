// The session's whole state, its events and its effects. Plain data: no clocks, no timers, no processes, so that
// every sequence of events can be replayed in a test. The reducer beside this file is the only writer.

import type { ErrorCode, Failure } from '../shared/errors.ts';
import type { ContactStart } from '../shared/protocol.ts';
import type { Moment } from '../shared/time.ts';

/** Who sits before the screen. Pages of the same agent and instance share one state. */
export interface Identity {
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly instanceAlias?: string;
  readonly agentUsername?: string;
  readonly browser?: string;
}

export type ContactInfo = Omit<ContactStart, 'type'>;

/** An opaque name for a request that waits for its reply. */
export type Token = string;

/** What a contact is doing. A suspension is not a phase: it may begin while a contact is still starting. */
export type Phase =
  | { readonly kind: 'starting' }
  | { readonly kind: 'open'; readonly startTime: Moment }
  /** Waits until the runs that were live at `endTime` hold everything up to it. */
  | {
      readonly kind: 'stopping';
      readonly startTime: Moment;
      readonly endTime: Moment;
      readonly waitsFor: readonly string[];
      readonly cause: StopCause;
    };

export type StopCause = 'stopped' | 'page-lost' | 'agent-changed' | 'shutdown';

export interface Contact {
  readonly recordingId: string;
  readonly info: ContactInfo;
  readonly agent: Identity;
  readonly requestedAt: Moment;
  readonly phase: Phase;
  /** Receipt of the suspend that holds now, or null. */
  readonly suspendedAt: Moment | null;
  /** When capture last came back for this contact, or null. */
  readonly resumedAt: Moment | null;
  readonly startTokens: readonly Token[];
  /** Each with the receipt of the suspend that it asked for: a resume may come before the acknowledgement. */
  readonly suspendTokens: readonly { readonly token: Token; readonly suspendedAt: Moment }[];
  readonly resumeTokens: readonly Token[];
  readonly stopTokens: readonly Token[];
}

export type RunPhase =
  | { readonly kind: 'starting' }
  | { readonly kind: 'live'; readonly firstFrameAt: Moment }
  /** Asked to end; for how long does not matter to anyone but a suspension. */
  | { readonly kind: 'ending' };

export interface RunState {
  readonly runId: string;
  readonly phase: RunPhase;
}

/** Capture failed and is tried again. `attempt` counts the failures in a row. */
export interface Retry {
  readonly attempt: number;
  readonly failure: Failure;
  readonly due: boolean;
}

export interface FinishedContact {
  readonly contactId: string;
  readonly recordingId: string;
  readonly endTime: Moment;
}

export interface SessionState {
  readonly agent: Identity | null;
  readonly pages: readonly string[];
  /** In order of their starts; none is ever in here twice under the same contactId. */
  readonly contacts: readonly Contact[];
  /** The newest finished contacts, so that a repeated stop gets the same answer. */
  readonly finished: readonly FinishedContact[];
  /** In order of their starts. At most one is starting; when two are live the older is on its way out. */
  readonly runs: readonly RunState[];
  readonly retry: Retry | null;
  /** Failures of capture in a row, kept after capture is back, so that a loop of them is slowed down. */
  readonly faults: { readonly count: number; readonly lastAt: Moment } | null;
  readonly shuttingDown: boolean;
}

export const initialState: SessionState = {
  agent: null,
  pages: [],
  contacts: [],
  finished: [],
  runs: [],
  retry: null,
  faults: null,
  shuttingDown: false,
};

export type SessionEvent =
  | { type: 'hello'; token: Token; pageId: string; identity: Identity; at: Moment }
  | { type: 'page.left'; pageId: string }
  | { type: 'grace.over'; at: Moment }
  | { type: 'contact.start'; token: Token; recordingId: string; info: ContactInfo; at: Moment }
  | { type: 'contact.suspend'; token: Token; contactId: string; reason?: string | undefined; at: Moment }
  | { type: 'contact.resume'; token: Token; contactId: string; at: Moment }
  | { type: 'contact.stop'; token: Token; contactId: string; at: Moment }
  | { type: 'start.deadline'; recordingId: string; at: Moment }
  | { type: 'run.live'; runId: string; firstFrameAt: Moment }
  /** Everything before `until` is in the spool. */
  | { type: 'run.covered'; runId: string; until: Moment }
  /** `fault` is null when the end was asked for; `permanent` when trying again at once cannot help. */
  | { type: 'run.ended'; runId: string; fault: Failure | null; permanent: boolean; at: Moment }
  | { type: 'retry.due' }
  | { type: 'shutdown'; at: Moment };

/** The journal's words for what the session decides (spool/journal.ts gives them their schema). */
export type SessionRecord =
  | {
      type: 'contact.started';
      recordingId: string;
      at: Moment;
      contact: ContactInfo;
      agent: Identity;
    }
  | { type: 'contact.recording'; recordingId: string; startTime: Moment }
  | { type: 'contact.suspended'; recordingId: string; at: Moment; reason?: string }
  | { type: 'contact.resumed'; recordingId: string; at: Moment }
  | { type: 'contact.stopped'; recordingId: string; endTime: Moment; cause: StopCause }
  | { type: 'recording.failed'; recordingId: string; failure: Failure };

export type SessionReply =
  | { kind: 'hello' }
  | { kind: 'start'; recordingId: string; startTime: Moment; stillSuspendedBy?: readonly string[] }
  | { kind: 'suspend'; suspendedAt: Moment }
  | { kind: 'resume'; resumedAt: Moment; stillSuspendedBy?: readonly string[] }
  | { kind: 'stop'; recordingId: string; endTime: Moment };

export type TimerName = 'grace' | 'retry' | `start:${string}`;

export type Effect =
  | { type: 'journal'; record: SessionRecord }
  | { type: 'run.start'; runId: string }
  /** Synchronously: nothing that arrives from now on is kept; the process is killed. */
  | { type: 'run.cut'; runId: string; at: Moment }
  /** Politely: frames from `at` on are dropped, what was grabbed before is kept. */
  | { type: 'run.stop'; runId: string; at: Moment }
  /** Report `run.covered` once everything up to `until` is in the spool. */
  | { type: 'run.cover'; runId: string; until: Moment }
  | { type: 'reply'; token: Token; reply: SessionReply }
  | { type: 'refuse'; token: Token; code: ErrorCode; message: string }
  | { type: 'announce'; status: 'INITIATED' | 'COMPLETED'; recordingId: string; contact: Contact }
  | { type: 'announce'; status: 'FAILED'; recordingId: string; contact: Contact; failure: Failure }
  | { type: 'publish'; recordingId: string }
  | { type: 'timer.set'; name: TimerName; delayMs: number }
  | { type: 'timer.clear'; name: TimerName };
