// The fields of Sightline's files that go into the bundle: an allowlist, so that new fields stay out until they are added here.
// No contact attributes, no queues, no free text of a page, no keys or tokens.

import { gapReasonSchema } from '../shared/names.ts';
import { LEFT_OUT } from '../platform/redact.ts';

/** `true`: any scalar. */
export type Shape =
  true | ((value: unknown) => unknown) | readonly [Shape] | { readonly [key: string]: Shape };

/** The part of a value that the shape includes; undefined: nothing. */
export function keep(value: unknown, shape: Shape): unknown {
  if (shape === true) return typeof value === 'object' && value !== null ? undefined : value;
  if (typeof shape === 'function') return shape(value);
  if (isList(shape))
    return Array.isArray(value) ? value.map((one) => keep(one, shape[0])).filter(isPresent) : undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return value === null ? null : undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => Object.hasOwn(shape, key))
      .map(([key, one]) => [key, keep(one, shape[key] as Shape)] as const)
      .filter(([, one]) => isPresent(one)),
  );
}

function isList(shape: readonly [Shape] | Readonly<Record<string, Shape>>): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}

/** A suspension's reason can be a page's free text: only Sightline's own reasons are included. */
const ourReason = (value: unknown): unknown => gapReasonSchema.safeParse(value).data;

const rect = { x: true, y: true, width: true, height: true } as const;
const monitor = { name: true, ...rect, primary: true, picture: rect } as const;
const contact = { contactId: true, initialContactId: true, channel: true } as const;
const failure = { code: true, message: true, source: true } as const;

export const journalShape: Shape = {
  type: true,
  at: true,
  recordingId: true,
  contact,
  agent: { agentArn: true, instanceArn: true, instanceAlias: true, browser: true },
  startTime: true,
  endTime: true,
  cause: true,
  by: true,
  reason: ourReason,
  runId: true,
  file: true,
  encoder: true,
  fps: true,
  monitors: [monitor],
  leftOut: [monitor],
  pid: true,
  width: true,
  height: true,
  frames: true,
  sizeBytes: true,
  gapReason: true,
  location: true,
  status: true,
  bucket: true,
  key: true,
  failure,
  line: true,
  lines: true,
  from: true,
  to: true,
};

const span = { startTime: true, endTime: true, offsetMs: true, durationMs: true } as const;

export const manifestShape: Shape = {
  manifestVersion: true,
  app: { name: true, version: true },
  recordingId: true,
  contact,
  agent: { arn: true },
  instance: { arn: true, alias: true },
  startTime: true,
  endTime: true,
  durationMs: true,
  endCause: true,
  video: {
    file: true,
    sizeBytes: true,
    sha256: true,
    parts: [{ sizeBytes: true, sha256: true }],
    codec: true,
    width: true,
    height: true,
    fps: true,
    encoder: true,
    frames: true,
  },
  runs: [{ runId: true, ...span, monitors: [monitor], leftOut: [monitor] }],
  gaps: [{ ...span, reason: ourReason, by: true, endedBy: true }],
  suspensions: [{ suspendedAt: true, resumedAt: true, resumedBy: true }],
  integrity: {
    state: true,
    findings: [{ kind: true, runId: true, frames: true, readableFrames: true, lines: true, cause: true }],
  },
  host: { os: true, browser: true },
};

export const statusEventShape: Shape = {
  id: true,
  'detail-type': true,
  source: true,
  account: true,
  time: true,
  region: true,
  detail: {
    version: true,
    recordingStatus: true,
    eventDeduplicationId: true,
    instanceArn: true,
    contactArn: true,
    agentArn: true,
    clientInfo: { appVersion: true, os: true, browser: true, monitors: true, encoder: true },
    recordingInfo: {
      startTime: true,
      endTime: true,
      publishTime: true,
      location: true,
      durationInMillis: true,
      sizeInBytes: true,
      integrity: true,
    },
    failureInfo: failure,
  },
};

/** The state of the running app (`app.state`). */
export const appStateShape: Shape = {
  rev: true,
  state: true,
  contacts: [{ contactId: true, recordingId: true, state: true }],
  uploads: { pending: true, failed: true, reason: failure },
  reason: { code: true, message: true },
};

/** Text fields of a log line that are included; others become LEFT_OUT. Numbers and booleans are always included. */
const LOG_TEXTS = new Set(
  (
    'time level message reason code error command ffmpeg encoder version origin because cause runId recordingId ' +
    'contactId location folder file event eventDeduplicationId session signal type page was since hint'
  ).split(' '),
);

export function keepOfLogLine(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(line).map(([key, value]): [string, unknown] => [
      key,
      isShown(key, value) ? value : LEFT_OUT,
    ]),
  );
}

function isShown(key: string, value: unknown): boolean {
  if (typeof value === 'string') return LOG_TEXTS.has(key);
  return typeof value === 'number' || typeof value === 'boolean' || value === null;
}
