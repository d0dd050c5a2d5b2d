// The session's whole state, its events and its effects. Plain data: no clocks, no timers, no processes, so that
// every sequence of events can be replayed in a test. The reducer beside this file is the only writer.

import type { ErrorCode, Failure } from '../shared/errors.ts';
import type { GapReason, PauseReason } from '../shared/names.ts';
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
      readonly suspended: boolean;
    };

export type StopCause = 'stopped' | 'page-lost' | 'agent-changed' | 'shutdown' | 'app-died';

/** Who ended a suspension: the page, its time limit, or policy after a restart. */
export type ResumeCause = 'page' | 'time-limit' | 'restart';

export interface Contact {
  readonly recordingId: string;
  readonly info: ContactInfo;
  readonly agent: Identity;
  readonly requestedAt: Moment;
  readonly phase: Phase;
  /** Receipt of the suspend that holds now, or null. */
  readonly suspendedAt: Moment | null;
  /** What the page gave as its reason for it. */
  readonly suspendReason: string | null;
  /** When that suspension ends by itself, or null when only a page can end it. */
  readonly resumesAt: Moment | null;
  /** When capture last came back for this contact, or null. */
  readonly resumedAt: Moment | null;
  readonly startTokens: readonly Token[];
  /** Each with the receipt of the suspend that it asked for: a resume may come before the acknowledgement. */
  readonly suspendTokens: readonly { readonly token: Token; readonly suspendedAt: Moment }[];
  readonly resumeTokens: readonly Token[];
  readonly stopTokens: readonly Token[];
  /** Capture is to come back although no page asked for it; the pages are told when it has. */
  readonly resumedBy: Exclude<ResumeCause, 'page'> | null;
  /**
   * Set while nobody has vouched for the contact since Sightline was restarted: it is not captured, and if nobody
   * comes it ended at this moment.
   */
  readonly leftAt: Moment | null;
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
  /** It ended in the middle of a suspension and no page said so: should it come back, it comes back suspended. */
  readonly suspended: boolean;
  /** The same for the agent's own suspension, in an earlier process. */
  readonly heldByAgent?: boolean;
}

/** The agent's own suspension (agentHold.ts). */
export interface AgentHold {
  readonly since: Moment;
  /** When it ends by itself, or null. */
  readonly until: Moment | null;
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
  /** Why capture rests for everybody, whatever the contacts want. */
  readonly pauses: readonly PauseReason[];
  readonly agentHold: AgentHold | null;
  /** Those of the agent's suspends that wait until no run is left. */
  readonly agentTokens: readonly { readonly token: Token; readonly suspendedAt: Moment }[];
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
  pauses: [],
  agentHold: null,
  agentTokens: [],
  faults: null,
  shuttingDown: false,
};

/** An open recording of an earlier process that may go on. */
export interface RestoredContact {
  readonly recordingId: string;
  readonly info: ContactInfo;
  readonly agent: Identity;
  readonly requestedAt: Moment;
  readonly startTime: Moment;
  readonly suspendedAt: Moment | null;
  readonly leftAt: Moment;
}

export type SessionEvent =
  /** First of all events, if it comes: what an earlier process left open, and what it ended while suspended. */
  | {
      type: 'restored';
      contacts: readonly RestoredContact[];
      endedSuspended: readonly (Omit<FinishedContact, 'suspended'> & { suspended?: boolean })[];
      agentHeldSince?: Moment | null;
    }
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
  | { type: 'agent.hold-over'; at: Moment }
  | { type: 'start.deadline'; recordingId: string; at: Moment }
  | { type: 'suspension.over'; recordingId: string; at: Moment }
  /** All reasons that hold now. */
  | { type: 'pauses'; pauses: readonly PauseReason[]; at: Moment }
  /** The runs show a layout that is no more. */
  | { type: 'displays.changed'; at: Moment }
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
  | { type: 'contact.resumed'; recordingId: string; at: Moment; cause: ResumeCause }
  | { type: 'capture.paused' | 'capture.unpaused'; at: Moment; reason: PauseReason }
  | { type: 'contact.stopped'; recordingId: string; endTime: Moment; cause: StopCause }
  | { type: 'recording.failed'; recordingId: string; failure: Failure };

export type SessionReply =
  | { kind: 'hello' }
  | ({ kind: 'start'; recordingId: string; startTime: Moment } & WhyNoCapture)
  | { kind: 'suspend'; suspendedAt: Moment; resumesAt?: Moment }
  | ({ kind: 'resume'; resumedAt: Moment } & WhyNoCapture)
  | { kind: 'stop'; recordingId: string; endTime: Moment };

/** What a start or resume is told when nothing is captured for now. */
export interface WhyNoCapture {
  /** Contacts whose suspension holds. */
  readonly stillSuspendedBy?: readonly string[];
  readonly pausedBy?: readonly PauseReason[];
}

export type TimerName = 'grace' | 'retry' | 'agent-hold' | `start:${string}` | `suspension:${string}`;

export type Effect =
  | { type: 'journal'; record: SessionRecord }
  | { type: 'run.start'; runId: string }
  /** Synchronously: nothing that arrives from now on is kept; the process is killed. */
  | { type: 'run.cut'; runId: string; at: Moment }
  /** Politely: frames from `at` on are dropped, what was grabbed before is kept. */
  | { type: 'run.stop'; runId: string; at: Moment; reason: GapReason }
  /** Report `run.covered` once everything up to `until` is in the spool. */
  | { type: 'run.cover'; runId: string; until: Moment }
  | ({ type: 'tell.resumed'; contactId: string; resumedAt: Moment; cause: ResumeCause } & WhyNoCapture)
  | { type: 'reply'; token: Token; reply: SessionReply }
  | { type: 'refuse'; token: Token; code: ErrorCode; message: string }
  | { type: 'announce'; status: 'INITIATED' | 'COMPLETED'; recordingId: string; contact: Contact }
  | { type: 'announce'; status: 'FAILED'; recordingId: string; contact: Contact; failure: Failure }
  | { type: 'publish'; recordingId: string }
  | { type: 'timer.set'; name: TimerName; delayMs: number }
  | { type: 'timer.clear'; name: TimerName };
