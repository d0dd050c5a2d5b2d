// The composition root's part for status events: each is told first and noted in the recording's journal then, so that
// what a crash left untold is told by the next process. At least once, that is; the deduplication id stays the same.

import type { Logger } from '../platform/log.ts';
import { subjectOf } from '../publisher/subject.ts';
import type { Effect } from '../session/state.ts';
import type { SpoolSession } from '../spool/spool.ts';
import { unannounced } from '../spool/leftovers.ts';
import type { Announcement, StatusEvents } from '../status/statusEvents.ts';

export class Announcer {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly statusEvents: StatusEvents,
    private readonly log: Logger,
  ) {}

  /** Resolves when the event is on the disk and the journal knows; never rejects. */
  tell(from: SpoolSession, recordingId: string, announcement: Announcement): Promise<void> {
    const told = this.statusEvents.announce(subjectOf(from, recordingId), announcement);
    this.last = this.last.then(async () => {
      await told;
      const { status } = announcement;
      // Where the journal says that it is published, it need not say that this was told: it is told first.
      if (status !== 'PUBLISHED') await this.note(from, recordingId, status);
    });
    return this.last;
  }

  /** Everything of an earlier process that its journal knows and nobody was told. */
  async tellTheRest(left: SpoolSession): Promise<void> {
    for (const [recordingId, recording] of left.ledger.recordings) {
      if (recording.published !== null) continue;
      for (const untold of unannounced(recording)) await this.tell(left, recordingId, untold);
    }
  }

  /** Resolves when everything told so far is noted. */
  settled(): Promise<void> {
    return this.last;
  }

  private async note(
    from: SpoolSession,
    recordingId: string,
    status: Exclude<Announcement['status'], 'PUBLISHED'>,
  ): Promise<void> {
    try {
      await from.tryAppend({ type: 'event.announced', recordingId, status });
    } catch (error) {
      this.log.warn('a status event may be told again', { recordingId, status, reason: String(error) });
    }
  }
}

/** What the session decided to tell, as a status event tells it; null: nothing. */
export function announcementOf(effect: Effect & { type: 'announce' }): Announcement | null {
  const { phase, requestedAt } = effect.contact;
  switch (effect.status) {
    case 'INITIATED':
      return { status: 'INITIATED' };
    case 'COMPLETED':
      return phase.kind === 'stopping' ? { status: 'COMPLETED', ...phase } : null;
    case 'FAILED':
      return { status: 'FAILED', startTime: requestedAt, failure: effect.failure };
  }
}
