// What the status window shows, made from what the services say. Pure, but for the tail of a file.

import { open } from 'node:fs/promises';
import { errno } from '../../shared/errors.ts';
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

/** The status events' file grows for ever; the newest recordings are at its end. */
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

/** @throws whatever reading a file may, but for one that is not there */
export async function recentRecordings(statusEventsFile: string): Promise<ShownRecording[]> {
  const rows = readRows(await readTail(statusEventsFile));
  return rows
    .map(shownRecording)
    .sort((a, b) => b.at - a.at)
    .slice(0, RECENT);
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

async function readTail(file: string): Promise<string> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      const from = Math.max(0, size - TAIL_BYTES);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - from), 0, size - from, from);
      // Where it begins in the middle of a line, that line is none.
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errno(error) === 'ENOENT') return '';
    throw error;
  }
}

export function shownMonitors(layout: DisplayLayout | null): ShownMonitors {
  if (layout === null) return { status: 'none' };
  const { monitors, leftOut } = layout;
  return monitors.length === 0 ? { status: 'whole' } : { status: 'known', recorded: monitors, leftOut };
}
