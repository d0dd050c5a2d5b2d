// What the parts of the page side promise each other. docs/ccp.md explains them to a page's developer.

import type {
  AppStatePush,
  Channel,
  ErrorSource,
  OpenRecording,
  ResumeReply,
  StartFields,
  StartReply,
  StopReply,
  SuspendReply,
} from './protocol.ts';

export type { Channel, OpenRecording };

/** The signed-in agent, as in the protocol's `hello`. */
export interface Identity {
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly instanceAlias?: string;
  readonly agentUsername?: string;
  readonly ccpVersion?: string;
}

export interface ClientOptions {
  /** Awaited before the first hello; the connection waits until it is known. */
  readonly identity: Identity | Promise<Identity>;
  /**
   * A fresh token, where policy `auth` is `endpoint`. Called before the first hello and again when the recorder has refused
   * the last one. It has 30 s.
   */
  readonly token?: () => string | Promise<string>;
  /** Default 5431. */
  readonly port?: number;
}

/** Why the page is, or is not, connected to the recorder. A failure stays until the next attempt has another result. */
export type Connection =
  /** The first attempt, or the first one after the connection was lost. */
  | { readonly kind: 'connecting' }
  | {
      readonly kind: 'connected';
      readonly appVersion: string;
      /** Another one for each connection. */
      readonly sessionId: string;
      /** Open when the connection began; `appState` has the newest. */
      readonly recordings: readonly OpenRecording[];
      /** Policy's longest suspension; 0: none ends without a resume. */
      readonly suspendMaxSeconds: number;
    }
  /** Nothing answers on the port. */
  | { readonly kind: 'not-running' }
  /** The browser keeps the page from loopback addresses: refused by user or policy, or its question is unanswered. */
  | { readonly kind: 'blocked'; readonly permission: 'denied' | 'prompt' }
  /**
   * The recorder's code (CLIENT_AUTH_ERROR, MULTIPLE_CCP_INTERACTION, PEER_REFUSED, TOO_MANY_REQUESTS, SERVICE_ISSUE, ...), or
   * one of the page side: ORIGIN_NOT_ALLOWED (a program answers, but not to this page's origin), NOT_SIGHTLINE (another
   * program has the port), CONTENT_SECURITY_POLICY (this page's own policy forbids the connection), INSECURE_PAGE (no https).
   * `message` may come from the recorder: show it as text, never as HTML.
   */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** The recorder speaks another version of the protocol, and does not accept ours. */
  | { readonly kind: 'wrong-version'; readonly recorderProtocol: number | undefined }
  /** By `close()`. */
  | { readonly kind: 'closed' };

/**
 * The error of a request: the protocol's code, or CLIENT_APP_NOT_RUNNING (not connected), CLIENT_CONNECTION_ERROR (the
 * connection was lost before the answer) or TIMEOUT (no answer in time).
 */
export interface SightlineError extends Error {
  readonly code: string;
  readonly source: ErrorSource;
}

export type Unsubscribe = () => void;

/** The state of the recorder as its last `app.state` said. `reason.message` is text, never HTML. */
export type AppState = Omit<AppStatePush, 'type' | 'rev'>;

/** Contact fields of `contact.start`. */
export type ContactInfo = StartFields;

/** A typed client of docs/protocol.md. Connects automatically and reconnects until `close`. */
export interface Client {
  readonly connection: Connection;
  /** undefined while not connected. */
  readonly appState: AppState | undefined;
  /** Calls `listener` now and at each change of `connection` or `appState`. */
  subscribe(listener: () => void): Unsubscribe;
  /** Status events (docs/status-events.md) as they are pushed. */
  onStatusEvent(listener: (event: Readonly<Record<string, unknown>>) => void): Unsubscribe;
  /** A suspension has ended without a page's request: by policy's time limit, or after a restart. */
  onResumed(listener: (contactId: string, cause: 'time-limit' | 'restart') => void): Unsubscribe;
  /**
   * Requests reject with a SightlineError; each has the protocol's deadline. They need a connection, with two exceptions. A
   * suspend is sent as soon as the socket is open. A start is sent also while another agent is connected
   * (MULTIPLE_CCP_INTERACTION): it is refused, and the recorder announces that this recording is missing.
   */
  start(contact: ContactInfo): Promise<StartReply>;
  suspend(contactId: string, reason?: string): Promise<SuspendReply>;
  resume(contactId: string): Promise<ResumeReply>;
  stop(contactId: string): Promise<StopReply>;
  /** Connects at once instead of waiting for the next attempt. */
  connectNow(): void;
  close(): void;
}

/** A contact as the page wants it and as it is. */
export interface ContactState extends ContactInfo {
  /**
   * - `waiting`: not connected. A recording that has begun continues, but nothing confirms it.
   * - `recording` and `suspended` only when the recorder has confirmed it. `suspended` without causes: by another contact's
   *   suspension, by the agent from the tray, or by another tab.
   * - `paused`, `problem`: nothing is captured, and the client's `appState.reason` says why.
   * - `failed`: not recorded, see `error`; tried again at the next connection.
   */
  readonly state:
    | ('waiting' | 'starting' | 'recording' | 'suspending' | 'suspended' | 'resuming')
    | ('paused' | 'problem' | 'stopping' | 'failed');
  /**
   * Causes of this page that suspend it, e.g. `page`, `flow`, `form:#card`; `unknown` where it was suspended before and no
   * tab knows why.
   */
  readonly causes: readonly string[];
  /** When its recording began, as the recorder answered to its start; absent until then. RFC 3339. */
  readonly startTime?: string;
  /** Of the last failed request, until one succeeds. `message` is text, never HTML. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Makes the recorder match what the page wants of each contact. Every method is idempotent and returns at once. */
export interface ContactRecorder {
  /** The same array until something changes. */
  readonly contacts: readonly ContactState[];
  /** Calls `listener` now and at each change. */
  subscribe(listener: () => void): Unsubscribe;
  /** Record this contact from now on. Called again with other fields, it keeps the first. */
  record(contact: ContactInfo): void;
  /** The contact has ended: stop its recording, and forget its causes. */
  stop(contactId: string): void;
  /** Suspend for a cause; before `record`, the recording will begin suspended. */
  suspend(contactId: string, cause: string, reason?: string): void;
  /** End a cause's suspension. The recording resumes when no cause is left, in any tab. */
  resume(contactId: string, cause: string): void;
  /**
   * Ends every suspension of the contact that this page or an earlier life of it caused, also one of unknown cause, and
   * the cause `page` in other tabs. Their other causes stay in force.
   */
  resumeAll(contactId: string): void;
  /** These are all contacts of the agent: stop what an earlier life of this page started and that is no longer among them. */
  settle(contactIds: readonly string[]): void;
  /** Resolves when every request about this contact that has been sent is answered. For tests and buttons. */
  idle(contactId: string): Promise<void>;
  /** Sends nothing more, and releases the causes' locks. Recordings go on, and suspensions stay. */
  close(): void;
}
