// What the status window shows, made from what the services say. Pure, except for reading the file of status events.

import type { DisplayLayout } from '../../capture/displays.ts';
import type { Row } from '../../status/recordingList.ts';
import { readRows } from '../../status/recordingList.ts';
import type { QueuedUpload } from '../../publisher/publisher.ts';
import type { Contact } from '../../session/state.ts';
import type {
  ShownContact,
  ShownMonitors,
  ShownPiece,
  ShownRecording,
  ShownUpload,
} from '../../shared/overview.ts';
import type { OpenRecording } from '../../shared/protocol.ts';
import type { Moment } from '../../shared/time.ts';
import type { Ledger } from '../../spool/ledger.ts';
import { timelineOf } from '../../spool/timeline.ts';
import { EventsReader } from '../../status/eventsReader.ts';

/** The newest recordings are at the end of the status events' file. */
const TAIL_BYTES = 256 * 1024;
const RECENT = 20;
const MUCH_LATER_MS = 60_000;

export function shownContact(
  open: OpenRecording,
  contact: Contact | undefined,
  ledger: Ledger | undefined,
  now: Moment,
): ShownContact {
  const { contactId, recordingId, state } = open;
  const startTime = ledger?.recordings.get(recordingId)?.startTime ?? null;
  const pieces = ledger === undefined ? [] : shownPieces(ledger, recordingId, now);
  return { contactId, recordingId, state, channel: contact?.info.channel ?? null, startTime, pieces };
}

/**
 * The capture timeline of a recording up to now. One that goes on is looked at as if it ended much later: the timeline
 * gives a hole shorter than a frame to the run before it, and a gap that has just begun must not be shown as recorded.
 */
export function shownPieces(ledger: Ledger, recordingId: string, now: Moment): ShownPiece[] {
  const recording = ledger.recordings.get(recordingId);
  if (recording === undefined) return [];
  const endTime = now + MUCH_LATER_MS;
  const goesOn = { type: 'contact.stopped', recordingId, cause: 'stopped', endTime } as const;
  const stopped = recording.stopped ?? goesOn;
  const pieces: ShownPiece[] = [];
  for (const piece of timelineOf(ledger, { ...recording, stopped })) {
    const last = pieces.at(-1);
    if (last?.kind === 'run' && piece.kind === 'run') pieces[pieces.length - 1] = { ...last, to: piece.to };
    else if (piece.kind === 'run') pieces.push({ kind: 'run', from: piece.from, to: piece.to });
    else pieces.push({ ...piece });
  }
  const last = pieces.at(-1);
  if (last !== undefined && recording.stopped === null) pieces[pieces.length - 1] = { ...last, to: null };
  return pieces;
}

export function shownUpload({ why, ...upload }: QueuedUpload): ShownUpload {
  const { progress } = upload;
  return {
    ...upload,
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

function shownRecording({
  recordingId,
  contact,
  status,
  time,
  waiting,
  reason,
  detail,
}: Row): ShownRecording {
  const location = status === 'PUBLISHED' ? detail : null;
  return {
    ...{ recordingId, contactId: contact, status, at: Date.parse(time), waiting, reason, location },
    canRetry: false,
    hasFolder: location?.startsWith('file:') === true,
  };
}

export function shownMonitors(layout: DisplayLayout | null): ShownMonitors {
  if (layout === null) return { status: 'none' };
  const { monitors, leftOut } = layout;
  return monitors.length === 0 ? { status: 'whole' } : { status: 'known', recorded: monitors, leftOut };
}
