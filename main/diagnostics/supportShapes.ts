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
    return Array.isArray(value)
      ? value.map((one) => keep(one, shape[0])).filter((one) => one !== undefined)
      : undefined;
  if (value === null) return null;
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => Object.hasOwn(shape, key))
      .map(([key, one]) => [key, keep(one, shape[key] as Shape)] as const)
      .filter(([, one]) => one !== undefined),
  );
}

function isList(shape: readonly [Shape] | Readonly<Record<string, Shape>>): shape is readonly [Shape] {
  return Array.isArray(shape);
}

/** A suspension's reason can be a page's free text: only Sightline's own reasons are included. */
const ourReason = (value: unknown): unknown => gapReasonSchema.safeParse(value).data;

/** Fields with any scalar, separated by spaces. */
function scalars(names: string): Readonly<Record<string, true>> {
  return Object.fromEntries(names.split(' ').map((name) => [name, true]));
}

const rect = scalars('x y width height');
const monitor = { ...rect, ...scalars('name primary'), picture: rect };
const contact = scalars('contactId initialContactId channel trial');
const failure = scalars('code message source');

export const journalShape: Shape = {
  ...scalars('type at recordingId startTime endTime cause by runId file encoder fps pid width height frames'),
  ...scalars('sizeBytes gapReason location status bucket key line lines from to'),
  ...{ contact, failure, reason: ourReason, monitors: [monitor], leftOut: [monitor] },
  agent: scalars('agentArn instanceArn instanceAlias browser'),
};

const span = scalars('startTime endTime offsetMs durationMs');

export const manifestShape: Shape = {
  ...scalars('manifestVersion recordingId startTime endTime durationMs endCause trial'),
  contact,
  app: scalars('name version'),
  agent: scalars('arn'),
  instance: scalars('arn alias'),
  video: {
    ...scalars('file sizeBytes sha256 codec width height fps encoder frames'),
    parts: [scalars('sizeBytes sha256')],
  },
  runs: [{ ...span, ...scalars('runId'), monitors: [monitor], leftOut: [monitor] }],
  gaps: [{ ...span, ...scalars('by endedBy'), reason: ourReason }],
  suspensions: [scalars('suspendedAt resumedAt resumedBy')],
  integrity: {
    ...scalars('state'),
    findings: [scalars('kind runId frames readableFrames lines cause')],
  },
  host: scalars('os browser'),
};

const endInfo = scalars('cause startTime endTime returnTime appVersion contactWasOn crashReport');

/** Also of events of the desk. */
export const statusEventShape: Shape = {
  ...scalars('id detail-type source account time region'),
  detail: {
    ...scalars('version recordingStatus eventDeduplicationId instanceArn contactArn agentArn'),
    clientInfo: scalars('appVersion os browser monitors encoder'),
    sightline: scalars('channel initialContactId trial'),
    recordingInfo: scalars('startTime endTime publishTime location durationInMillis sizeInBytes integrity'),
    failureInfo: failure,
    ...scalars('deskId'),
    endInfo,
    heartbeat: {
      ...scalars('startTime state reason policyHash freeBytes'),
      uploads: scalars('waiting waitingBytes failed oldestTime reason'),
      lastContact: scalars('time outcome'),
      lastChecks: { ...scalars('time appVersion ok warnings failed skipped'), failing: [true] },
      previousEnd: endInfo,
    },
    overdueInfo: { ...scalars('overdueMinutes'), reason: failure },
  },
};

/** The state of the running app (`app.state`). */
export const appStateShape: Shape = {
  ...scalars('rev state'),
  contacts: [scalars('contactId recordingId state')],
  uploads: { ...scalars('pending failed'), reason: failure },
  reason: scalars('code message'),
};

/** Text fields of a log line that are included; others become LEFT_OUT. Numbers and booleans are always included. */
const LOG_TEXTS = {
  ...scalars(
    'time level message reason code error command ffmpeg encoder version origin because cause runId',
  ),
  ...scalars(
    'recordingId contactId location folder file event eventDeduplicationId session signal type page',
  ),
  ...scalars('was since hint'),
};

export function keepOfLogLine(line: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isShown = (key: string, value: unknown): boolean =>
    typeof value === 'string'
      ? Object.hasOwn(LOG_TEXTS, key)
      : typeof value === 'number' || typeof value === 'boolean' || value === null;
  return Object.fromEntries(
    Object.entries(line).map(([key, value]) => [key, isShown(key, value) ? value : LEFT_OUT]),
  );
}
