// Notices recordings that are not published a long time after their end (policy "overdueMinutes"), once each: the journal
// remembers. One timer, for the recording that is due next; what is published in time costs nothing.

import type { SetTimer } from '../platform/deadline.ts';
import { plainTimer } from '../platform/deadline.ts';
import type { Failure } from '../shared/errors.ts';
import type { Clock, Moment } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';

/** A finished recording that the sink does not have. */
export interface UnpublishedRecording {
  readonly session: SpoolSession;
  readonly recordingId: string;
  /** When this process found or finished it. */
  readonly queuedAt: Moment;
  /** Of the latest attempt. */
  readonly why: Failure | null;
}

interface OverdueWatchOptions {
  readonly policy: { readonly overdueMinutes: number };
  readonly unpublished: () => readonly UnpublishedRecording[];
  readonly announce: (overdue: UnpublishedRecording) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly setTimer?: SetTimer;
}

/** After a weekend, what is uploaded within this time after the start needs no notice. */
const FIRST_ATTEMPTS_MS = 30_000;
/** setTimeout's limit is 24 days. And a computer that slept has a later timer. */
const LONGEST_MS = 60 * 60_000;

export class OverdueWatch {
  private cancel = (): void => undefined;
  /** The journal has them only when the event is durable. */
  private readonly announced = new Set<string>();

  constructor(private readonly options: OverdueWatchOptions) {}

  /** To be called when a recording was queued or published, and when policy has changed. */
  look(): void {
    this.cancel();
    const { policy, unpublished, announce, clock, setTimer = plainTimer } = this.options;
    if (policy.overdueMinutes === 0) return;
    const now = clock.now();
    let next = Infinity;
    for (const recording of unpublished()) {
      const due = this.dueOf(recording, policy.overdueMinutes * 60_000);
      if (due > now) next = Math.min(next, due);
      else {
        this.announced.add(recording.recordingId);
        announce(recording);
      }
    }
    if (next < Infinity) this.cancel = setTimer(() => this.look(), Math.min(next - now, LONGEST_MS));
  }

  /** Infinity: never. */
  private dueOf({ session, recordingId, queuedAt }: UnpublishedRecording, afterMs: number): Moment {
    const recording = session.ledger.recordings.get(recordingId);
    const endTime = recording?.stopped?.endTime;
    if (endTime === undefined || this.announced.has(recordingId)) return Infinity;
    return recording?.announced.includes('OVERDUE') === true
      ? Infinity
      : Math.max(endTime + afterMs, queuedAt + FIRST_ATTEMPTS_MS);
  }
}
