// What the review server and its page tell each other: JSON over HTTP, below /api. Times are milliseconds; moments are
// RFC 3339 UTC strings, as in the manifest. It runs in the browser too: neither Node nor Electron.

import type { Manifest } from '../main/shared/manifest.ts';
import type { Channel } from '../main/shared/names.ts';

/** Each may do what the one before may: viewers view and write notes, downloaders download and export, admins read the audit log. */
export const roles = ['viewer', 'downloader', 'admin'] as const;
export type Role = (typeof roles)[number];

/** `GET /api/session`: who is signed in. `POST /api/sign-out` (204) ends it. */
export interface Session {
  readonly user: string;
  readonly role: Role;
  readonly may: { readonly download: boolean; readonly readAudit: boolean };
  /** Every request that changes something carries it as the header `x-sightline-csrf`. */
  readonly csrf: string;
  /** What is reviewed, as the user named it: a folder or `s3://bucket/prefix`. */
  readonly library: string;
  readonly appVersion: string;
}

/** One line of the list. */
export interface RecordingRow {
  /** Opaque, the same in every run: a hash of the object's name. */
  readonly id: string;
  readonly contactId: string;
  /** The username, or the last part of the agent's ARN. */
  readonly agent: string;
  readonly queue: string | null;
  /** null: the manifest cannot be read. */
  readonly channel: Channel | null;
  readonly startTime: string;
  readonly durationMs: number;
  readonly sizeBytes: number;
  /** How many gaps have the reason "suspended". */
  readonly suspensions: number;
  readonly problems: readonly Problem[];
  readonly trial: boolean;
}

/** Why a recording deserves a look. */
export const problems = [
  /** The manifest says `integrity: damaged`, or `end-not-verified`. */
  ...(['damaged', 'end-not-verified'] as const),
  /** A gap that nobody asked for: interrupted, app-restarted, spool-full, unreadable, display-unavailable. */
  'interrupted',
  /** The screen was black for ten seconds or more. */
  'black',
  /** The page was lost, Sightline was closed, or it crashed, before the contact's end. */
  'ended-early',
  /** There is a manifest but no MP4. */
  'no-video',
  /** The manifest cannot be read, is larger than is allowed, or has an unknown version. Its row has what the name tells. */
  'unreadable-manifest',
] as const;
export type Problem = (typeof problems)[number];

export const sortKeys = ['startTime', 'durationMs', 'agent', 'queue', 'suspensions'] as const;
export type SortKey = (typeof sortKeys)[number];

/** `GET /api/recordings`: the query, each a URL parameter. */
export interface RecordingQuery {
  /** Words that all occur in contact, agent, queue or channel; case does not matter. */
  readonly text?: string;
  readonly agent?: string;
  readonly queue?: string;
  readonly channel?: Channel;
  /** Days in the viewer's time zone, as moments: from inclusive, to exclusive. */
  readonly from?: string;
  readonly to?: string;
  readonly minDurationMs?: number;
  readonly maxDurationMs?: number;
  readonly suspended?: boolean;
  /** With any problem (`any`), or with this one. */
  readonly problem?: Problem | 'any';
  /** Recordings of `sightline try` are left out unless this is true. */
  readonly trials?: boolean;
  readonly sort?: SortKey;
  readonly descending?: boolean;
  readonly offset?: number;
  /** At most MAX_ROWS. */
  readonly limit?: number;
}
export const MAX_ROWS = 200;

export interface RecordingPage {
  readonly rows: readonly RecordingRow[];
  readonly offset: number;
  /** That the query finds. */
  readonly total: number;
  readonly index: IndexState;
}

/** Also the answer of `POST /api/refresh`, which lists the library again unless that is going on. */
export interface IndexState {
  /** `listing`: names are being read; `reading`: manifests are; `failed`: the library cannot be listed now, `problem` says why. */
  readonly state: 'listing' | 'reading' | 'ready' | 'failed';
  readonly indexed: number;
  /** null: not known yet. */
  readonly total: number | null;
  readonly problem?: ReviewError;
  /** When the index last agreed with the library. */
  readonly updatedAt: string | null;
}

/** `GET /api/facets`: what the filters offer, most frequent first, at most 200 each. */
export interface Facets {
  readonly agents: readonly string[];
  readonly queues: readonly string[];
}

/** `GET /api/recordings/:id` */
export interface RecordingDetail {
  readonly row: RecordingRow;
  readonly manifest: Manifest;
  /** The object's name in the library, forward slashes. */
  readonly key: string;
  readonly audio: readonly AudioTrack[];
  readonly hasTranscript: boolean;
  /** From the contact record, where there is one beside the audio. */
  readonly contactEvents: readonly ContactEvent[];
}

/**
 * The call's audio, from Amazon Connect's own files. `startTime` is when its first sample was recorded.
 * `precision`: `exact` from the contact record; `minute` from the file's name only, so the reviewer may have to shift it.
 */
export interface AudioTrack {
  readonly kind: 'redacted' | 'original';
  readonly startTime: string;
  readonly precision: 'exact' | 'minute';
  readonly durationMs: number;
}

export interface ContactEvent {
  readonly kind: 'connected' | 'hold' | 'transfer' | 'after-contact-work' | 'disconnected';
  readonly startTime: string;
  readonly endTime: string | null;
}

/**
 * `GET /api/recordings/:id/activity`: from the MP4's own table of frames, nothing is decoded.
 * `timesMs[i]` is when frame i is shown, `bytes[i]` its size; `isKey` the indexes of key frames.
 */
export interface Activity {
  readonly timesMs: readonly number[];
  readonly bytes: readonly number[];
  readonly keyFrames: readonly number[];
}

/**
 * `GET /api/recordings/:id/keyframe?atMs=`: the key frame that begins at or before a moment, for the page to decode with
 * WebCodecs as a thumbnail. Base64; H.264 in AVC format, with its decoder configuration record.
 */
export interface KeyFrame {
  readonly timeMs: number;
  readonly codec: string;
  readonly width: number;
  readonly height: number;
  readonly description: string;
  readonly data: string;
}

// `POST /api/refresh`: lists the library again; answers IndexState at once.
// `POST /api/sign-out`: 204. Without a session, a reload of the page leads a team's user to `sign-in`.
// `GET /api/recordings/:id/video`: the MP4, with byte ranges, for a <video>.
// `GET /api/recordings/:id/download`: the same as an attachment; role `downloader`.
// `GET /api/recordings/:id/audio?kind=redacted|original`: the WAV, with byte ranges. `original` needs the role `downloader`.

/** `GET /api/recordings/:id/transcript`; one that is not redacted needs the role `downloader`, as the audio does. */
export interface Transcript {
  readonly lines: readonly TranscriptLine[];
  /** `redacted` where Contact Lens says so. */
  readonly kind: 'redacted' | 'original';
  readonly language: string | null;
}

export interface TranscriptLine {
  /** From the start of the audio. */
  readonly beginMs: number;
  readonly endMs: number;
  readonly participant: 'AGENT' | 'CUSTOMER' | 'SYSTEM';
  readonly text: string;
  readonly sentiment: 'POSITIVE' | 'NEGATIVE' | 'NEUTRAL' | 'MIXED' | null;
}

/**
 * `GET /api/recordings/:id/notes`, `PUT` with `if-match: <version>`; 412 NOTES_CHANGED where somebody else saved meanwhile.
 * `GET /api/notes.csv` exports those of a query (role `downloader`).
 */
export interface Notes {
  /** Absent: nothing was saved yet; `if-match: none` creates them. */
  readonly version?: string;
  readonly entries: readonly NoteEntry[];
}

export interface NoteEntry {
  /** Chosen by the page: a UUID. */
  readonly id: string;
  /** In the video; null: about the whole recording. */
  readonly atMs: number | null;
  readonly text: string;
  /** Points of a score card: criterion and 0 to 10. */
  readonly score: { readonly criterion: string; readonly points: number } | null;
  /** Set by the server for a new or changed entry. */
  readonly author: string;
  readonly changedAt: string;
}
export const MAX_NOTES = 500;
export const MAX_NOTE_TEXT = 4000;

/** `POST /api/recordings/:id/verify`: reads the whole MP4. */
export interface Verification {
  readonly verdict: 'intact' | 'changed' | 'not-verifiable';
  /** What was compared and what differs, as sentences for a reviewer. */
  readonly findings: readonly string[];
  readonly checkedAt: string;
}

/** `POST /api/recordings/:id/actions`: what the page did without the server's help, for the audit log. */
export interface PageAction {
  readonly action: 'snapshot' | 'share-link';
  readonly atMs: number;
}

/** `GET /api/audit?before=&limit=`: newest first, those with a smaller number than `before`; role `admin`. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Whether each line's hash follows from the one before it. */
  readonly chain: 'intact' | 'broken';
}

export interface AuditEntry {
  readonly number: number;
  readonly time: string;
  readonly user: string;
  readonly role: Role | null;
  readonly action:
    | 'sign-in'
    | 'sign-in-refused'
    | 'sign-out'
    | 'list'
    | 'view'
    | 'listen'
    | 'download'
    | 'export'
    | 'notes'
    | 'verify'
    | 'snapshot'
    | 'share-link'
    | 'read-audit'
    | 'refused';
  readonly recordingId?: string;
  readonly contactId?: string;
  readonly key?: string;
  readonly address?: string;
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** Every answer that is not 2xx. */
export interface ReviewError {
  readonly code: ReviewErrorCode;
  /** What happened and what to do, for the reviewer. */
  readonly message: string;
}

export const reviewErrorCodes = {
  /** No session, or it has ended: sign in again. */
  SIGN_IN_REQUIRED: 401,
  LINK_USED: 401,
  NOT_ALLOWED: 403,
  /** The request did not come from the page itself. */
  FOREIGN_REQUEST: 403,
  NOT_FOUND: 404,
  NO_VIDEO: 404,
  NOTES_CHANGED: 412,
  INVALID_REQUEST: 400,
  TOO_LARGE: 413,
  RANGE_NOT_SATISFIABLE: 416,
  TOO_MANY_REQUESTS: 429,
  /** The folder or the bucket does not answer, or refuses. */
  LIBRARY_UNAVAILABLE: 503,
  /** The audit log cannot be written: nothing is shown that would not be in it. */
  AUDIT_UNAVAILABLE: 503,
  UNREADABLE_RECORDING: 422,
  UNKNOWN: 500,
} as const;
export type ReviewErrorCode = keyof typeof reviewErrorCodes;
