// The composition root's part for status events: an event is noted in the recording's journal once it is durable, and
// not before; the next process announces what is not noted. At least once, that is; the deduplication id stays the same.

import type { Logger } from '../platform/log.ts';
import { subjectOf } from '../publisher/subject.ts';
import type { Effect } from '../session/state.ts';
import type { SpoolSession } from '../spool/spool.ts';
import type { Stretch } from '../spool/stretch.ts';
import { unannounced } from '../spool/leftovers.ts';
import type { Telling } from '../status/eventQueue.ts';
import type { Announcement, StatusEvents } from '../status/statusEvents.ts';

export class Announcer {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly statusEvents: Pick<StatusEvents, 'announce'>,
    private readonly log: Logger,
  ) {}

  /** As for StatusEvents; `durable` is when the journal knows it, too. @throws when the spool knows no such recording */
  announce(from: SpoolSession, recordingId: string, announcement: Announcement): Telling {
    const { tried, durable } = this.statusEvents.announce(subjectOf(from, recordingId), announcement);
    const { status } = announcement;
    // Where the journal says that it is published, PUBLISHED is durable: nobody writes that before.
    const noted = status === 'PUBLISHED' ? durable : durable.then(() => this.note(from, recordingId, status));
    const triedAndNoted = tried.then(async (why) => {
      if (why === null) await noted;
      return why;
    });
    this.last = Promise.all([this.last, triedAndNoted]);
    return { tried: triedAndNoted, durable: noted };
  }

  /**
   * What the session decided. A recording that the journal could not take is in no session; it has failed, and is
   * announced all the same.
   */
  async decided(
    effect: Effect & { type: 'announce' },
    stretch: Pick<Stretch, 'holderOf' | 'forget'>,
  ): Promise<void> {
    const { recordingId, contact } = effect;
    const announcement = announcementOf(effect);
    if (announcement === null) return;
    const from = stretch.holderOf(recordingId);
    const { durable } =
      from?.ledger.recordings.has(recordingId) === true
        ? this.announce(from, recordingId, announcement)
        : this.statusEvents.announce(
            { recordingId, contactId: contact.info.contactId, ...contact.agent },
            announcement,
          );
    await durable;
    if (effect.status === 'FAILED') stretch.forget(recordingId);
  }

  /** Everything of an earlier process that its journal knows and was not announced. Resolves after the first try. */
  async announceTheRest(left: SpoolSession): Promise<void> {
    const tellings = [...left.ledger.recordings].flatMap(([recordingId, recording]) =>
      recording.published !== null
        ? []
        : unannounced(recording).map((untold) => this.announce(left, recordingId, untold)),
    );
    await Promise.all(tellings.map(({ tried }) => tried));
  }

  /** Resolves when everything announced so far is noted, or waits for its next try. */
  async idle(): Promise<void> {
    await this.last;
  }

  private async note(
    from: SpoolSession,
    recordingId: string,
    status: Exclude<Announcement['status'], 'PUBLISHED'>,
  ): Promise<void> {
    try {
      // At the first failed attempt it goes on: the journal retries by itself.
      await from.tryAppend({ type: 'event.announced', recordingId, status }).catch(() => undefined);
      // A recording that failed goes with its last event.
      if (status === 'FAILED') await from.tidy();
    } catch (error) {
      this.log.warn('a status event may be announced again', { recordingId, status, reason: String(error) });
    }
  }
}

/** What the session decided to tell, as a status event tells it; null: nothing. */
function announcementOf(effect: Effect & { type: 'announce' }): Announcement | null {
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
