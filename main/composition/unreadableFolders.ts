// The composition root's part for spool folders that cannot be read: their recordings are announced as FAILED, they count
// among the failed deliveries, and the commands find them in a file. The folders are left as they are and read again at
// each start.

import { readFile } from 'node:fs/promises';
import type { Logger } from '../platform/log.ts';
import type { Uploads } from '../publisher/publisher.ts';
import type { Failure } from '../shared/errors.ts';
import { errno, toFailure } from '../shared/errors.ts';
import type { StatusEvent } from '../shared/statusEvent.ts';
import { statusEventSchema } from '../shared/statusEvent.ts';
import type { UnreadableFolder } from '../spool/unreadable.ts';
import { writeUnreadable } from '../spool/unreadable.ts';
import type { StatusEvents } from '../status/statusEvents.ts';

export interface UnreadableFoldersOptions {
  readonly policy: { readonly dataDir: string; readonly statusEventsFile: string };
  readonly statusEvents: StatusEvents;
  readonly log: Logger;
}

export class UnreadableFolders {
  private readonly folders: (UnreadableFolder & { readonly why: Failure })[] = [];

  constructor(private readonly options: UnreadableFoldersOptions) {}

  found(folder: string, error: unknown, recordings: readonly string[]): void {
    const why = toFailure(error, 'SPOOL_UNREADABLE');
    const { code, message } = why;
    this.folders.push({ folder, code, message, recordings: [...recordings], why });
    this.options.log.error('a spool folder cannot be read', { folder, code, reason: message });
  }

  /** One of which nobody knows whose it is counts as one. */
  including(uploads: Uploads): Uploads {
    const count = this.folders.reduce((sum, { recordings }) => sum + Math.max(1, recordings.length), 0);
    return {
      ...uploads,
      failed: uploads.failed + count,
      reason: uploads.reason ?? this.folders.at(-1)?.why ?? null,
    };
  }

  /** Once the spool was searched. Never rejects. @param isKnown whether a recording is in a folder that can be read */
  async tell(isKnown: (recordingId: string) => boolean): Promise<void> {
    const { policy, statusEvents, log } = this.options;
    try {
      for (const one of this.folders)
        one.recordings.splice(0, Infinity, ...one.recordings.filter((id) => !isKnown(id)));
      const shown = this.folders.map(({ why: _, ...folder }) => folder);
      await writeUnreadable(policy.dataDir, shown);
      const events =
        this.folders.length === 0
          ? new Map<string, StatusEvent>()
          : await newestEvents(policy.statusEventsFile);
      for (const { recordings, why } of this.folders) {
        for (const recordingId of recordings) {
          const newest = events.get(recordingId);
          if (newest !== undefined) await this.fail(recordingId, newest, why, statusEvents);
        }
      }
    } catch (error) {
      log.error('unreadable spool folders could not be announced', { reason: String(error) });
    }
  }

  /** Its journal cannot say whose it is; what was announced before can. */
  private async fail(
    recordingId: string,
    { time, detail }: StatusEvent,
    why: Failure,
    statusEvents: StatusEvents,
  ): Promise<void> {
    const status = detail.recordingStatus;
    // That its delivery failed for another reason before says nothing of this one.
    const isTold = status === 'FAILED' && detail.failureInfo.code === why.code;
    if (status === 'PUBLISHED' || isTold) return;
    const { contactArn, agentArn, instanceArn, clientInfo } = detail;
    const contactId = contactArn.slice(contactArn.lastIndexOf('/') + 1);
    const startTime = Date.parse('recordingInfo' in detail ? detail.recordingInfo.startTime : time);
    await statusEvents.announce(
      { recordingId, contactId, agentArn, instanceArn, browser: clientInfo.browser },
      { status: 'FAILED', startTime, failure: why },
    ).tried;
  }
}

/** By recordingId. */
async function newestEvents(file: string): Promise<Map<string, StatusEvent>> {
  const events = new Map<string, StatusEvent>();
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errno(error) === 'ENOENT') return '';
    throw error;
  });
  for (const line of text.split('\n')) {
    const event = statusEventSchema.safeParse(parse(line)).data;
    if (event !== undefined) events.set(event.detail.eventDeduplicationId.split(':', 1)[0] ?? '', event);
  }
  return events;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
