// The wire: what a page sends and what the recorder answers and pushes, version 1, as far as a page uses it. Readers'
// description: docs/protocol.md; test/unit/ccp/protocol.test.ts proves that both sides agree. Nothing is imported here, so
// that the package's types stand alone.

export const PROTOCOL_VERSION = 1;
export const DEFAULT_PORT = 5431;
/** The recorder closes the connection at a larger frame. */
export const MAX_FRAME_BYTES = 64 * 1024;

export type Channel = 'VOICE' | 'CHAT' | 'TASK';
export type ErrorSource = 'CLIENT' | 'SERVICE' | 'UNKNOWN';

export interface HelloFields {
  readonly protocol: number;
  readonly agentArn: string;
  readonly instanceArn: string;
  readonly instanceAlias?: string;
  readonly agentUsername?: string;
  readonly browser?: string;
  readonly ccpVersion?: string;
  readonly token?: string;
}

export interface StartFields {
  readonly contactId: string;
  readonly channel: Channel;
  readonly initialContactId?: string;
  readonly queue?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What is sent, by its type. */
export interface Requests {
  readonly hello: HelloFields;
  readonly 'contact.start': StartFields;
  readonly 'contact.suspend': { readonly contactId: string; readonly reason?: string };
  readonly 'contact.resume': { readonly contactId: string };
  readonly 'contact.stop': { readonly contactId: string };
  readonly ping: object;
}

/** What one recording is doing. `suspended` and `paused` are the state of the whole capture: nothing is captured. */
export type RecordingState = 'starting' | 'recording' | 'suspended' | 'paused' | 'problem' | 'stopping';

export interface OpenRecording {
  readonly contactId: string;
  readonly recordingId: string;
  readonly state: RecordingState;
}

export interface HelloReply {
  readonly protocol: number;
  readonly appVersion: string;
  readonly sessionId: string;
  /** The longest suspension in seconds; 0: none ends without a resume. */
  readonly suspendMaxSeconds: number;
  readonly recordings: readonly OpenRecording[];
}

/** Why nothing is captured for now. */
export interface CaptureBlockers {
  /** Contacts whose suspension is in force. */
  readonly stillSuspendedBy?: readonly string[];
  readonly pausedBy?: readonly string[];
}
export interface StartReply extends CaptureBlockers {
  readonly recordingId: string;
  readonly startTime: string;
}
export interface SuspendReply {
  readonly suspendedAt: string;
  /** When the recorder's time limit ends the suspension. */
  readonly resumesAt?: string;
}
export interface ResumeReply extends CaptureBlockers {
  readonly resumedAt: string;
}
export interface StopReply {
  readonly recordingId: string;
  readonly endTime: string;
}

export interface RequestFailure {
  readonly code: string;
  readonly message: string;
  readonly source: ErrorSource;
  /** Of a hello: false when only a new token helps. */
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number;
}

export interface AppStatePush {
  readonly type: 'app.state';
  readonly rev: number;
  readonly state: 'idle' | 'starting' | 'recording' | 'suspended' | 'paused' | 'problem';
  readonly contacts: readonly OpenRecording[];
  readonly uploads: { readonly pending: number; readonly failed: number };
  readonly reason: { readonly code: string; readonly message: string } | null;
}
/** A suspension has ended without a page's request. */
export interface ContactResumedPush {
  readonly type: 'contact.resumed';
  readonly rev: number;
  readonly contactId: string;
  readonly cause: 'time-limit' | 'restart';
}
export interface RecordingStatusPush {
  readonly type: 'recording.status';
  readonly rev: number;
  readonly event: Readonly<Record<string, unknown>>;
}
export type Push = AppStatePush | ContactResumedPush | RecordingStatusPush;

export interface HealthReply {
  readonly app: 'sightline';
  readonly version: string;
  readonly protocol: number;
}
