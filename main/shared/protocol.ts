// The local websocket protocol, version 1, as schemas and types (for readers: docs/protocol.md). Every frame of a page is
// parsed here and nowhere else; unknown fields are dropped, never passed on.

import { z } from 'zod';
import type { Failure } from './errors.ts';
import type { AppState, EncoderName, PauseReason, RecordingState } from './names.ts';
import { channelSchema } from './names.ts';
import { parseJson } from './json.ts';
import type { StatusEvent } from './statusEvent.ts';

export const PROTOCOL_VERSION = 1;
export const WEBSOCKET_PATH = '/v1';
export const HEALTH_PATH = '/v1/health';
export const MAX_FRAME_BYTES = 64 * 1024;

/** Contact ids become part of file and object names, so only characters that are safe in all of them. */
export const contactIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/,
    '1 to 128 letters, digits, ".", "_" or "-", a letter or digit first',
  );

/** Connect's have about 130 characters. The instance's id becomes part of paths. */
const arnSchema = z.string().min(1).max(512);
const shortText = z.string().max(1024);

/** The signed-in agent. Pages of the same agent and instance share one state. */
export const identitySchema = z.object({
  agentArn: arnSchema,
  instanceArn: arnSchema,
  instanceAlias: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,61}$/, '1 to 62 letters, digits or "-"')
    .exactOptional(),
  agentUsername: shortText.exactOptional(),
  browser: shortText.exactOptional(),
});
export type Identity = z.infer<typeof identitySchema>;

export const helloSchema = identitySchema.extend({
  type: z.literal('hello'),
  protocol: z.literal(PROTOCOL_VERSION, { error: 'this Sightline speaks protocol 1' }),
  ccpVersion: shortText.optional(),
  token: z.string().max(16_384).optional(),
});

const startSchema = z.object({
  type: z.literal('contact.start'),
  contactId: contactIdSchema,
  initialContactId: contactIdSchema.optional(),
  channel: channelSchema,
  queue: shortText.optional(),
  attributes: z
    .record(z.string().max(256), shortText)
    .refine((attributes) => Object.keys(attributes).length <= 50, 'at most 50 attributes')
    .optional(),
});

const requestBodies = z.discriminatedUnion('type', [
  helloSchema,
  startSchema,
  z.object({
    type: z.literal('contact.suspend'),
    contactId: contactIdSchema,
    reason: shortText.optional(),
    maxSeconds: z.number().int().positive().max(86_400).optional(),
  }),
  z.object({ type: z.literal('contact.resume'), contactId: contactIdSchema }),
  z.object({ type: z.literal('contact.stop'), contactId: contactIdSchema }),
  z.object({ type: z.literal('status') }),
  z.object({ type: z.literal('ping') }),
]);

const requestIdSchema = z.string().min(1).max(64);

export type Hello = z.infer<typeof helloSchema>;
export type ContactStart = z.infer<typeof startSchema>;
export type Request = z.infer<typeof requestBodies>;
export type ContactRequest = Exclude<Request, { type: 'hello' | 'status' | 'ping' }>;

export type ParsedFrame =
  | { readonly ok: true; readonly id: string; readonly request: Request }
  /** `id` where the frame had a valid one: the page sees which request was refused. */
  | { readonly ok: false; readonly id: string | null; readonly message: string };

/** One text frame as a request, or what is wrong with it, for the page's developer. */
export function parseFrame(text: string): ParsedFrame {
  const value = parseJson(text);
  if (value === undefined)
    return { ok: false, id: null, message: 'The frame is not JSON. Send one JSON object per text frame.' };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, id: null, message: 'The frame is JSON but not an object.' };
  }
  const id = requestIdSchema.safeParse('id' in value ? value.id : undefined);
  if (!id.success)
    return { ok: false, id: null, message: 'The field "id" must be a string of 1 to 64 characters.' };
  const body = requestBodies.safeParse(value);
  if (!body.success) return { ok: false, id: id.data, message: describeIssues(body.error) };
  return { ok: true, id: id.data, request: body.data };
}

function describeIssues(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map((issue) => `${issue.path.length > 0 ? `"${issue.path.join('.')}": ` : ''}${issue.message}`)
    .join('; ');
}

/** One open recording in the replies to `hello` and `status`. */
export interface OpenRecording {
  readonly contactId: string;
  readonly recordingId: string;
  readonly state: RecordingState;
}

/** What a page learns about this recorder. */
export interface RecorderInfo {
  readonly protocol: number;
  readonly appVersion: string;
  readonly fps: number;
  readonly maxMonitors: number;
  /** The longest suspension in seconds; 0: none ends without a resume, and `maxSeconds` is refused. */
  readonly suspendMaxSeconds: number;
  /** null while no usable ffmpeg has been found; `contact.start` then says what to do. */
  readonly encoder: EncoderName | null;
}

export interface HelloReply extends RecorderInfo {
  readonly sessionId: string;
  readonly recordings: readonly OpenRecording[];
}

/** Why nothing is captured for now. */
export interface CaptureBlockers {
  /** Contacts whose suspension is in force. */
  readonly stillSuspendedBy?: readonly string[];
  readonly pausedBy?: readonly PauseReason[];
}

// Inside Sightline, the times are moments.
export interface StartReply<Time = string> extends CaptureBlockers {
  readonly recordingId: string;
  readonly startTime: Time;
}
export interface SuspendReply<Time = string> {
  readonly suspendedAt: Time;
  /** When its time limit ends the suspension. */
  readonly resumesAt?: Time;
  /** `maxSeconds` was given, and the suspension has no time limit. */
  readonly maxSecondsRefused?: true;
}
export interface ResumeReply<Time = string> extends CaptureBlockers {
  readonly resumedAt: Time;
}
export interface StopReply<Time = string> {
  readonly recordingId: string;
  readonly endTime: Time;
}
export interface StatusReply {
  readonly state: AppState;
  /** As in `app.state`. */
  readonly reason: StateReason | null;
  readonly recordings: readonly OpenRecording[];
  readonly rev: number;
}

export type ContactReply = StartReply | SuspendReply | ResumeReply | StopReply;
/** The reply to `ping` has none. */
export type ReplyFields = ContactReply | HelloReply | StatusReply | object;

/** The additional fields are those of a hello that was refused because of its token. */
export interface RequestFailure extends Failure {
  /** false: only a new token helps. */
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number;
}

export type Reply =
  | ({ readonly re: string; readonly ok: true } & ReplyFields)
  | { readonly re: string | null; readonly ok: false; readonly error: RequestFailure };

export interface AppStatePush {
  readonly type: 'app.state';
  readonly rev: number;
  readonly state: AppState;
  readonly contacts: readonly OpenRecording[];
  /** `reason`: why an upload waits for its next attempt. */
  readonly uploads: { readonly pending: number; readonly failed: number; readonly reason: Failure | null };
  /** Why it is `suspended`, `paused` or a `problem`, or what is wrong with the screen while it is `recording`. */
  readonly reason: StateReason | null;
}
export interface StateReason {
  /** An error code, a pause reason, or `black-screen`. */
  readonly code: string;
  readonly message: string;
}
/** A suspension has ended without a page's request. */
export interface ContactResumedPush<Time = string> extends CaptureBlockers {
  readonly type: 'contact.resumed';
  readonly rev: number;
  readonly contactId: string;
  readonly resumedAt: Time;
  readonly cause: 'time-limit' | 'restart';
}
export interface RecordingStatusPush {
  readonly type: 'recording.status';
  readonly rev: number;
  readonly event: StatusEvent;
}
export type Push = AppStatePush | RecordingStatusPush | ContactResumedPush;

export interface HealthReply {
  readonly app: 'sightline';
  readonly version: string;
  readonly protocol: number;
}
