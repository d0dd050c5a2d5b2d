// What the status window shows, made from the state of the services. Pure, except for reading the file of status events.

import type { DisplayLayout } from '../capture/displays.ts';
import type { Row } from '../status/recordingList.ts';
import { readRows } from '../status/recordingList.ts';
import type { QueuedUpload } from '../publisher/publisher.ts';
import type { Contact, SessionState } from '../session/state.ts';
import type {
  ContactName,
  ShownContact,
  ShownMonitors,
  ShownPiece,
  ShownRecording,
  ShownUpload,
} from '../shared/overview.ts';
import type { RecordingState } from '../shared/names.ts';
import type { OpenRecording } from '../shared/protocol.ts';
import type { Moment } from '../shared/time.ts';
import type { Ledger } from '../spool/ledger.ts';
import { timelineOf } from '../spool/timeline.ts';
import { EventsReader } from '../status/eventsReader.ts';

/** The newest recordings are at the end of the status events' file. */
const TAIL_BYTES = 256 * 1024;
const RECENT = 20;
const MUCH_LATER_MS = 60_000;

export function shownContact(
  open: OpenRecording,
  session: Pick<SessionState, 'contacts' | 'agentSuspension'>,
  ledger: Ledger | undefined,
  now: Moment,
  /** When the app's state became what it is. */
  appSince: Moment,
): ShownContact {
  const { contactId, recordingId, state } = open;
  const contact = session.contacts.find((one) => one.recordingId === recordingId);
  const pieces = ledger === undefined ? [] : shownPieces(ledger, recordingId, now);
  return {
    name: nameIn(ledger, recordingId) ?? { contactId, channel: null, queue: null, startTime: null },
    ...{ recordingId, state, pieces },
    stateSince: stateSince(state, contact, pieces, appSince) ?? now,
    suspension: state === 'suspended' ? suspensionOf(contact, session, ledger) : null,
  };
}

/**
 * Of a recording that has begun, since its newest piece: what the timeline shows and the age of the state agree. Unless
 * capture is starting again or fails: the gap on the timeline then began with the suspension before.
 */
function stateSince(
  state: RecordingState,
  contact: Contact | undefined,
  pieces: readonly ShownPiece[],
  appSince: Moment,
): Moment | null {
  if (contact?.phase.kind === 'stopping') return contact.phase.endTime;
  if (contact?.phase.kind === 'open' && (state === 'starting' || state === 'problem')) return appSince;
  return pieces.at(-1)?.from ?? contact?.requestedAt ?? null;
}

function suspensionOf(
  contact: Contact | undefined,
  { agentSuspension }: Pick<SessionState, 'agentSuspension'>,
  ledger: Ledger | undefined,
): ShownContact['suspension'] {
  if (agentSuspension !== null) return { by: 'agent', reason: null };
  if (contact === undefined || contact.suspendedAt === null) return { by: 'other-contact', reason: null };
  const newest = ledger?.recordings.get(contact.recordingId)?.suspensions.at(-1);
  return { by: newest?.by ?? 'page', reason: newest?.reason ?? contact.suspendReason };
}

export function nameIn(ledger: Ledger | undefined, recordingId: string): ContactName | null {
  const recording = ledger?.recordings.get(recordingId);
  if (recording === undefined) return null;
  const { contactId, channel, queue = null } = recording.started.contact;
  return { contactId, channel, queue, startTime: recording.startTime ?? recording.started.at };
}

/**
 * The capture timeline of a recording up to now. One that continues is treated as if it ended much later: the timeline
 * adds a hole shorter than a frame to the run before it, and a gap that has just begun must not be shown as recorded.
 */
export function shownPieces(ledger: Ledger, recordingId: string, now: Moment): ShownPiece[] {
  const recording = ledger.recordings.get(recordingId);
  if (recording === undefined) return [];
  const endTime = now + MUCH_LATER_MS;
  const continues = { type: 'contact.stopped', recordingId, cause: 'stopped', endTime } as const;
  const stopped = recording.stopped ?? continues;
  const pieces: ShownPiece[] = [];
  for (const piece of timelineOf(ledger, { ...recording, stopped })) {
    const last = pieces.at(-1);
    if (last?.kind === 'run' && piece.kind === 'run') pieces[pieces.length - 1] = { ...last, to: piece.to };
    else if (piece.kind === 'run') pieces.push({ kind: 'run', from: piece.from, to: piece.to });
    else pieces.push({ kind: 'gap', reason: piece.reason, from: piece.from, to: piece.to });
  }
  const last = pieces.at(-1);
  if (last !== undefined && recording.stopped === null) pieces[pieces.length - 1] = { ...last, to: null };
  return pieces;
}

export function shownUpload(
  { why, contactId, ...upload }: QueuedUpload,
  name: ContactName | null,
): ShownUpload {
  const { progress } = upload;
  return {
    ...upload,
    name: name ?? { contactId, channel: null, queue: null, startTime: null },
    reason: why === null ? null : { code: why.code, message: why.message },
    progress:
      progress === null
        ? null
        : { ...progress, sentBytes: Math.min(progress.sentBytes, progress.totalBytes ?? Infinity) },
  };
}

/** Follows the file of status events: the first read starts near its end, later ones read only what is new. */
export class RecentRecordings {
  private readonly reader: EventsReader;
  private rows: Row[] = [];

  constructor(readonly statusEventsFile: string) {
    this.reader = new EventsReader(statusEventsFile, TAIL_BYTES);
  }

  /** @throws the file system's error */
  async read(): Promise<ShownRecording[]> {
    const text = await this.reader.next();
    this.rows = readRows(text, this.rows);
    return this.rows
      .map(shownRecording)
      .sort((a, b) => b.at - a.at)
      .slice(0, RECENT);
  }
}

function shownRecording(row: Row): ShownRecording {
  const { recordingId, status, durationMs, waiting, reason } = row;
  const location = status === 'PUBLISHED' ? row.detail : null;
  const startTime = Date.parse(row.startTime);
  return {
    name: { contactId: row.contact, channel: null, queue: null, startTime },
    ...{ recordingId, status, at: Date.parse(row.time), durationMs, waiting, reason, location },
    canRetry: false,
    hasFolder: location?.startsWith('file:') === true,
  };
}

export function shownMonitors(layout: DisplayLayout | null): ShownMonitors {
  if (layout === null) return { status: 'none' };
  const { monitors, leftOut } = layout;
  return { status: 'known', recorded: monitors, leftOut };
}
