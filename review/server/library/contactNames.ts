// The names under which Amazon Connect stores a call's audio and Contact Lens's files, and when each was recorded by its name:
// https://docs.aws.amazon.com/connect/latest/adminguide/example-contact-lens-output-locations.html

export type ContactFileKind = 'audio' | 'redacted-audio' | 'transcript' | 'redacted-transcript' | 'record';

export interface ContactFileName {
  readonly kind: ContactFileKind;
  /** Of the agent's connection, as AWS writes it: to the minute or to the second. null: none in the name. */
  readonly timeMs: number | null;
}

/** Windows and some shares allow no ":" in a name; tools that copy these files write one of the others in its place. */
const COLON = '(?::|%3A|[_.\\-\uff1a\ua789\uf03a\uf022]|)';
/** 20260302T09:15_UTC or 2026-03-02T09:15:00Z. */
const TIME = new RegExp(
  `^(\\d{4})-?(\\d\\d)-?(\\d\\d)T(\\d\\d)${COLON}(\\d\\d)(?:${COLON}(\\d\\d)(?:\\.\\d+)?)?(?:_UTC|Z)$`,
  'i',
);
/** The longer beginnings first. */
const FORMS: readonly (readonly [beginning: string, ending: string, kind: ContactFileKind])[] = [
  ['_call_recording_redacted_', '.wav', 'redacted-audio'],
  ['_analysis_redacted_', '.wav', 'redacted-audio'],
  ['_analysis_redacted_', '.json', 'redacted-transcript'],
  ['_analysis_', '.json', 'transcript'],
  ['_', '.wav', 'audio'],
];
/** As the recorder accepts them from a page. */
const CONTACT_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const DAY_MS = 86_400_000;
/** Connect files a call under the day on which the agent was connected, which may be the one before. */
const AROUND_MS = DAY_MS / 2;
const MAX_DAYS = 4;

export function isContactId(text: string): boolean {
  return CONTACT_ID.test(text) && !text.includes('..');
}

/** null: the file is of another contact, or not of a call. */
export function contactFile(name: string, contactId: string): ContactFileName | null {
  if (!name.startsWith(contactId)) return null;
  const rest = name.slice(contactId.length);
  if (rest === '.json') return { kind: 'record', timeMs: null };
  for (const [beginning, ending, kind] of FORMS) {
    if (!rest.startsWith(beginning) || !rest.toLowerCase().endsWith(ending)) continue;
    const timeMs = timeIn(rest.slice(beginning.length, -ending.length));
    if (timeMs !== null) return { kind, timeMs };
  }
  return null;
}

function timeIn(text: string): number | null {
  const [, year, month, day, hour, minute, second = '00'] = TIME.exec(text) ?? [];
  if (year === undefined) return null;
  const timeMs = Date.parse(`${year}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second}Z`);
  return Number.isNaN(timeMs) ? null : timeMs;
}

/** Where the files of a call of these hours may be, below a place that holds what a Connect instance writes. */
export function contactFolders(startMs: number, durationMs: number): string[] {
  const days: string[] = [];
  const last = startMs + Math.min(durationMs, DAY_MS) + AROUND_MS;
  for (let at = startMs - AROUND_MS; days.length < MAX_DAYS; at += DAY_MS) {
    const day = new Date(Math.min(at, last)).toISOString().slice(0, 10).replaceAll('-', '/');
    if (!days.includes(day)) days.push(day);
    if (at >= last) break;
  }
  const kinds = ['CallRecordings', 'Analysis/Voice', 'Analysis/Voice/Redacted', 'ContactRecords'];
  return ['', ...days, ...kinds.flatMap((kind) => days.map((day) => `${kind}/${day}`))];
}
