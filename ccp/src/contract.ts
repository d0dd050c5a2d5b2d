// What the parts of the page side promise each other. docs/ccp.md explains them to a page's developer.

export type Channel = 'VOICE' | 'CHAT' | 'TASK';

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
  /** A fresh token for policy `auth`; called before a hello that needs one, and again when the last one was refused. */
  readonly token?: () => string | Promise<string>;
  /** Default 5431. */
  readonly port?: number;
}

/** Why the page is, or is not, connected to the recorder. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected'; readonly appVersion: string; readonly sessionId: string }
  /** Nothing listens on the port. */
  | { readonly kind: 'not-running' }
  /** The browser keeps the page from loopback addresses: refused by user or policy, or its question is unanswered. */
  | { readonly kind: 'blocked'; readonly permission: 'denied' | 'prompt' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'wrong-version'; readonly recorderProtocol: number | undefined }
  /** By `close()`. */
  | { readonly kind: 'closed' };

/** The error of a request: the protocol's code, or CLIENT_APP_NOT_RUNNING, or TIMEOUT for a request without an answer. */
export interface SightlineError extends Error {
  readonly code: string;
  readonly source: 'CLIENT' | 'SERVICE' | 'UNKNOWN';
}

export type Unsubscribe = () => void;

/** The state of the recorder as its last `app.state` said; undefined while not connected. */
export interface AppState {
  readonly state: 'idle' | 'starting' | 'recording' | 'suspended' | 'paused' | 'problem';
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly contacts: readonly OpenRecording[];
  readonly uploads: { readonly pending: number; readonly failed: number };
}
export interface OpenRecording {
  readonly contactId: string;
  readonly recordingId: string;
  readonly state: string;
}

/** Contact fields of `contact.start`. */
export interface ContactInfo {
  readonly contactId: string;
  readonly channel: Channel;
  readonly initialContactId?: string;
  readonly queue?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** A typed client of docs/protocol.md. Connects by itself and stays connected until `close`. */
export interface Client {
  readonly connection: Connection;
  readonly appState: AppState | undefined;
  /** Calls `listener` now and at each change of `connection` or `appState`. */
  subscribe(listener: () => void): Unsubscribe;
  /** Status events (docs/status-events.md) as they are pushed. */
  onStatusEvent(listener: (event: Readonly<Record<string, unknown>>) => void): Unsubscribe;
  /** Requests reject with a SightlineError; each has the protocol's deadline. */
  start(contact: ContactInfo): Promise<{ recordingId: string; startTime: string }>;
  suspend(contactId: string, reason?: string): Promise<{ suspendedAt: string }>;
  resume(contactId: string): Promise<{ resumedAt: string }>;
  stop(contactId: string): Promise<{ recordingId: string; endTime: string }>;
  /** Connects at once instead of waiting for the next attempt. */
  connectNow(): void;
  close(): void;
}

/** A contact as the page wants it and as it is. */
export interface ContactState extends ContactInfo {
  /** `recording` and `suspended` only when the recorder has confirmed it. */
  readonly state:
    'waiting' | 'starting' | 'recording' | 'suspending' | 'suspended' | 'resuming' | 'stopping' | 'failed';
  /** Causes that suspend it, e.g. `page`, `flow`, `form:#card`. */
  readonly causes: readonly string[];
  /** As the recorder named it; absent until it has. */
  readonly startTime?: string;
  /** Of the last failed request, until it succeeds. */
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Makes the recorder match what the page wants of each contact. Every method is idempotent and returns at once. */
export interface ContactRecorder {
  readonly contacts: readonly ContactState[];
  subscribe(listener: () => void): Unsubscribe;
  /** Record this contact from now on. Called again with other fields, it keeps the first. */
  record(contact: ContactInfo): void;
  /** The contact has ended: stop its recording. */
  stop(contactId: string): void;
  /** Suspend for a cause; before `record`, the recording will begin suspended. */
  suspend(contactId: string, cause: string, reason?: string): void;
  /** End a cause's suspension. The recording resumes when no cause is left, in any tab. */
  resume(contactId: string, cause: string): void;
  /** Ends every suspension of the contact that this page or an earlier life of it caused, also one of unknown cause. */
  resumeAll(contactId: string): void;
  /** These are all contacts of the agent: stop what an earlier life of this page started and that is no longer among them. */
  settle(contactIds: readonly string[]): void;
  /** The promise settles when every request about this contact has been answered. For tests and buttons. */
  idle(contactId: string): Promise<void>;
  close(): void;
}
