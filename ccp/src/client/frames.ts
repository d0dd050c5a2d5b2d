// What arrives from the port, checked field by field: any program may listen there. Texts are cut to a length, lists to a
// count, and unknown values dropped. Nothing here may throw.

import type {
  AppStatePush,
  CaptureBlockers,
  ErrorSource,
  HealthReply,
  HelloReply,
  OpenRecording,
  Push,
  RecordingState,
  RequestFailure,
  ResumeReply,
  StartReply,
  StopReply,
  SuspendReply,
} from '../protocol.ts';

/** An `app.state` with the most contacts that a recorder has is a twentieth of this. */
export const MAX_RECEIVED_CHARACTERS = 256 * 1024;
const MAX_TEXT = 1024;
/** A recorder has 32 at most. */
const MAX_RECORDINGS = 64;

type Fields = Readonly<Record<string, unknown>>;

export type Message =
  | {
      readonly kind: 'reply';
      readonly re: string;
      readonly result: Fields | RequestFailure;
      readonly ok: boolean;
    }
  | { readonly kind: 'push'; readonly push: Push };

/** undefined: nothing that we understand. */
export function parseMessage(text: string): Message | undefined {
  const message = parseObject(text);
  if (message === undefined) return undefined;
  if (typeof message['re'] === 'string') {
    const ok = message['ok'] === true;
    return { kind: 'reply', re: message['re'], ok, result: ok ? message : failureOf(message['error']) };
  }
  const push = pushOf(message);
  return push === undefined ? undefined : { kind: 'push', push };
}

export function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function healthOf(fields: Fields | undefined): HealthReply | undefined {
  const version = text(fields?.['version']);
  const protocol = number(fields?.['protocol']);
  if (fields?.['app'] !== 'sightline' || version === undefined || protocol === undefined) return undefined;
  return { app: 'sightline', version, protocol };
}

export function failureOf(value: unknown): RequestFailure {
  const fields = isObject(value) ? value : {};
  const source = oneOf<ErrorSource>(fields['source'], ['CLIENT', 'SERVICE', 'UNKNOWN']) ?? 'UNKNOWN';
  const code = text(fields['code']);
  const retryable = fields['retryable'];
  const retryAfterSeconds = number(fields['retryAfterSeconds']);
  return {
    code: code !== undefined && /^[A-Z][A-Z_]{0,63}$/.test(code) ? code : 'UNKNOWN',
    message: text(fields['message']) ?? 'The recorder gave no reason.',
    source,
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  };
}

// Replies: undefined where what they must have is missing.

export function helloReply(fields: Fields): HelloReply | undefined {
  const protocol = number(fields['protocol']);
  const sessionId = text(fields['sessionId']);
  if (protocol === undefined || sessionId === undefined) return undefined;
  return {
    protocol,
    sessionId,
    appVersion: text(fields['appVersion']) ?? '',
    suspendMaxSeconds: number(fields['suspendMaxSeconds']) ?? 0,
    recordings: recordingsOf(fields['recordings']),
  };
}

export function startReply(fields: Fields): StartReply | undefined {
  const recordingId = text(fields['recordingId']);
  const startTime = text(fields['startTime']);
  if (recordingId === undefined || startTime === undefined) return undefined;
  return { recordingId, startTime, ...blockersOf(fields) };
}

export function suspendReply(fields: Fields): SuspendReply | undefined {
  const suspendedAt = text(fields['suspendedAt']);
  const resumesAt = text(fields['resumesAt']);
  if (suspendedAt === undefined) return undefined;
  return { suspendedAt, ...(resumesAt === undefined ? {} : { resumesAt }) };
}

export function resumeReply(fields: Fields): ResumeReply | undefined {
  const resumedAt = text(fields['resumedAt']);
  return resumedAt === undefined ? undefined : { resumedAt, ...blockersOf(fields) };
}

export function stopReply(fields: Fields): StopReply | undefined {
  const recordingId = text(fields['recordingId']);
  const endTime = text(fields['endTime']);
  return recordingId === undefined || endTime === undefined ? undefined : { recordingId, endTime };
}

export function pongReply(): object {
  return {};
}

function pushOf(fields: Fields): Push | undefined {
  const rev = number(fields['rev']) ?? 0;
  switch (fields['type']) {
    case 'app.state': {
      const state = oneOf<AppStatePush['state']>(fields['state'], [
        ...(['idle', 'starting', 'recording', 'suspended', 'paused', 'problem'] as const),
      ]);
      if (state === undefined) return undefined;
      const uploads = isObject(fields['uploads']) ? fields['uploads'] : {};
      const contacts = recordingsOf(fields['contacts']);
      const counts = { pending: number(uploads['pending']) ?? 0, failed: number(uploads['failed']) ?? 0 };
      return { type: 'app.state', rev, state, contacts, uploads: counts, reason: reasonOf(fields['reason']) };
    }
    case 'contact.resumed': {
      const contactId = text(fields['contactId']);
      const cause = oneOf(fields['cause'], ['time-limit', 'restart'] as const);
      if (contactId === undefined || cause === undefined) return undefined;
      return { type: 'contact.resumed', rev, contactId, cause };
    }
    case 'recording.status':
      return isObject(fields['event'])
        ? { type: 'recording.status', rev, event: fields['event'] }
        : undefined;
    default:
      return undefined;
  }
}

function reasonOf(value: unknown): AppStatePush['reason'] {
  if (!isObject(value)) return null;
  const code = text(value['code']);
  return code === undefined ? null : { code, message: text(value['message']) ?? '' };
}

function recordingsOf(value: unknown): OpenRecording[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_RECORDINGS).flatMap((one: unknown) => {
    if (!isObject(one)) return [];
    const contactId = text(one['contactId']);
    const recordingId = text(one['recordingId']);
    const state = oneOf<RecordingState>(one['state'], [
      ...(['starting', 'recording', 'suspended', 'paused', 'problem', 'stopping'] as const),
    ]);
    return contactId === undefined || recordingId === undefined || state === undefined
      ? []
      : [{ contactId, recordingId, state }];
  });
}

function blockersOf(fields: Fields): CaptureBlockers {
  const suspended = textsOf(fields['stillSuspendedBy']);
  const paused = textsOf(fields['pausedBy']);
  return {
    ...(suspended.length === 0 ? {} : { stillSuspendedBy: suspended }),
    ...(paused.length === 0 ? {} : { pausedBy: paused }),
  };
}

function textsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_RECORDINGS).flatMap((one: unknown) => text(one) ?? []);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT) : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function oneOf<T extends string>(value: unknown, values: readonly T[]): T | undefined {
  return values.find((one) => one === value);
}
