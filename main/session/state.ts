// The session's whole state, its events and its effects. Plain data: no clocks, no timers, no processes, so that
// every sequence of events can be replayed in a test. Only the reducer changes it.

import type { ErrorCode, Failure } from '../shared/errors.ts';
import type { GapReason, PauseReason } from '../shared/names.ts';
import type {
  ContactResumedPush,
  ContactStart,
  Identity,
  ResumeReply,
  StartReply,
  StopReply,
  SuspendReply,
} from '../shared/protocol.ts';
import type { Moment } from '../shared/time.ts';
import type { JournalEntry } from '../spool/journal.ts';
import type { SuspendedContact } from '../spool/recoveredContacts.ts';
import type { RestoredState } from '../spool/recovery.ts';

/** `trial`: of `sightline try`, never of a page. */
export type ContactInfo = Omit<ContactStart, 'type'> & { readonly trial?: true | undefined };

/** An opaque name for a request that waits for its reply. */
export type Token = string;

/** A suspend that waits until no run is left. */
export interface SuspendToken {
  readonly token: Token;
  /** The receipt of the suspend: a resume may come before the acknowledgement. */
  readonly suspendedAt: Moment;
  /** It asked for a time limit, and its suspension has none. */
  readonly maxSecondsRefused: boolean;
}

/** What a contact is doing. A suspension is not a phase: it may begin while a contact is still starting. */
export type Phase =
  | { readonly kind: 'starting' }
  | { readonly kind: 'open'; readonly startTime: Moment }
  /** Waits until everything up to `endTime` of the runs `waitsFor` is in the spool. */
  | {
      readonly kind: 'stopping';
      readonly startTime: Moment;
      readonly endTime: Moment;
      readonly waitsFor: readonly string[];
      readonly cause: StopCause;
      readonly suspended: boolean;
    };

export type StopCause = (SessionRecord & { type: 'contact.stopped' })['cause'];
/** What ended a page's suspension: the page, its time limit, or policy after a restart. */
export type ResumeCause = (SessionRecord & { type: 'contact.resumed' })['cause'];

export interface Contact {
  readonly recordingId: string;
  readonly info: ContactInfo;
  readonly agent: Identity;
  readonly requestedAt: Moment;
  readonly phase: Phase;
  /** Receipt of the suspend that is in force, or null. */
  readonly suspendedAt: Moment | null;
  /** The page's reason for it. */
  readonly suspendReason: string | null;
  /** When its time limit ends it, or null when only a page can. */
  readonly resumesAt: Moment | null;
  /** When capture last came back for this contact, or null. */
  readonly resumedAt: Moment | null;
  readonly startTokens: readonly Token[];
  readonly suspendTokens: readonly SuspendToken[];
  readonly resumeTokens: readonly Token[];
  readonly stopTokens: readonly Token[];
  /** Capture comes back without a page's request; the pages are notified when it has. */
  readonly resumedBy: Exclude<ResumeCause, 'page'> | null;
  /** Set after a restart until a page returns: the contact is not captured, and without a page it ended at this moment. */
  readonly leftAt: Moment | null;
}

export type RunPhase =
  | { readonly kind: 'starting' }
  /** `isBlack`: the screen has been entirely black for a while. */
  | { readonly kind: 'live'; readonly firstFrameAt: Moment; readonly isBlack?: boolean }
  /** Asked to end. Only a suspend waits for that end. */
  | { readonly kind: 'ending' };

export interface RunState {
  readonly runId: string;
  readonly phase: RunPhase;
}

/** Capture failed and is retried. `attempt` counts the failures in a row. */
export interface Retry {
  readonly attempt: number;
  readonly failure: Failure;
  readonly due: boolean;
}

/** The agent's own suspension (suspension.ts). */
export interface AgentSuspension {
  readonly since: Moment;
  /** When its time limit ends it, or null. */
  readonly until: Moment | null;
}

export interface SessionState {
  readonly agent: Identity | null;
  readonly pages: readonly string[];
  /** In order of their starts; each contactId at most once. */
  readonly contacts: readonly Contact[];
  /** The newest ones, so that a repeated stop gets the same answer. */
  readonly finished: readonly SuspendedContact[];
  /** In order of their starts. At most one is starting, at most one is live. */
  readonly runs: readonly RunState[];
  readonly retry: Retry | null;
  /** Why capture is paused for all contacts, the agent's own suspension aside. */
  readonly pauses: readonly PauseReason[];
  readonly agentSuspension: AgentSuspension | null;
  readonly agentSuspendTokens: readonly SuspendToken[];
  /** Failures of capture in a row. Kept after capture is back: it slows a loop of failures down. */
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
  pauses: [],
  agentSuspension: null,
  agentSuspendTokens: [],
  faults: null,
  shuttingDown: false,
};

export type SessionEvent =
  /** The first event, if at all: what an earlier process left open, and what it ended while suspended. */
  | ({ type: 'restored' } & RestoredState)
  | { type: 'hello'; token: Token; pageId: string; identity: Identity; at: Moment }
  | { type: 'page.left'; pageId: string }
  | { type: 'grace.over'; at: Moment }
  | { type: 'contact.start'; token: Token; recordingId: string; info: ContactInfo; at: Moment }
  | {
      type: 'contact.suspend';
      token: Token;
      contactId: string;
      reason?: string | undefined;
      maxSeconds?: number | undefined;
      at: Moment;
    }
  | { type: 'contact.resume'; token: Token; contactId: string; at: Moment }
  | { type: 'contact.stop'; token: Token; contactId: string; at: Moment }
  | { type: 'agent.suspend'; token: Token; at: Moment }
  | { type: 'agent.resume'; token: Token; at: Moment }
  | { type: 'agent.suspension-expired'; at: Moment }
  | { type: 'start.deadline'; recordingId: string; at: Moment }
  | { type: 'suspension.expired'; recordingId: string; at: Moment }
  /** All reasons that apply now. */
  | { type: 'pauses'; pauses: readonly PauseReason[]; at: Moment }
  /** The runs show an outdated layout. */
  | { type: 'displays.changed'; at: Moment }
  | { type: 'run.live'; runId: string; firstFrameAt: Moment }
  /** Everything before `until` is in the spool. */
  | { type: 'run.flushed'; runId: string; until: Moment }
  | { type: 'run.black'; runId: string; isBlack: boolean }
  /** `fault` is null when the end was requested; `permanent`: an immediate retry cannot help. */
  | { type: 'run.ended'; runId: string; fault: Failure | null; permanent: boolean; at: Moment }
  | { type: 'retry.due' }
  | { type: 'shutdown'; at: Moment };

/** What the session writes to the journal. */
export type SessionRecord = Extract<
  JournalEntry,
  {
    type:
      | (
          | 'contact.started'
          | 'contact.recording'
          | 'contact.suspended'
          | 'contact.resumed'
          | 'contact.stopped'
        )
      | ('capture.paused' | 'capture.unpaused' | 'recording.failed');
  }
>;

export type SessionReply =
  | { kind: 'hello' }
  | ({ kind: 'start' } & StartReply<Moment>)
  | ({ kind: 'suspend' } & SuspendReply<Moment>)
  | ({ kind: 'resume' } & ResumeReply<Moment>)
  | ({ kind: 'stop' } & StopReply<Moment>);

/** A suspension has ended without a page's request. */
export type Resumed = Omit<ContactResumedPush<Moment>, 'type' | 'rev'>;

export type TimerName = 'grace' | 'retry' | 'agent-suspension' | `start:${string}` | `suspension:${string}`;

export type Effect =
  | { type: 'journal'; record: SessionRecord }
  | { type: 'run.start'; runId: string }
  /** Synchronous: nothing that arrives from now on is kept; the process is killed. */
  | { type: 'run.abort'; runId: string; at: Moment }
  /** Graceful: frames from `at` on are dropped, earlier ones are kept. */
  | { type: 'run.stop'; runId: string; at: Moment; reason: GapReason }
  /** Report `run.flushed` once everything up to `until` is in the spool. */
  | { type: 'run.flush'; runId: string; until: Moment }
  | ({ type: 'push.resumed' } & Resumed)
  | { type: 'reply'; token: Token; reply: SessionReply }
  | { type: 'refuse'; token: Token; code: ErrorCode; message: string }
  | { type: 'announce'; status: 'INITIATED' | 'COMPLETED'; recordingId: string; contact: Contact }
  | { type: 'announce'; status: 'FAILED'; recordingId: string; contact: Contact; failure: Failure }
  | { type: 'publish'; recordingId: string }
  | { type: 'timer.set'; name: TimerName; delayMs: number }
  | { type: 'timer.clear'; name: TimerName };
