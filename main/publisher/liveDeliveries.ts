// Deliveries that begin while their contacts go on, so that a long call is published as soon after its end as a short one.
// Looked at whenever the spool has grown by a megabyte. Nothing goes out that a suspension could still take back: only
// what is older than the hold-back. Should anything go wrong here, the recording is delivered after its end instead.

import type { Logger } from '../platform/log.ts';
import type { Clock } from '../shared/time.ts';
import type { SpoolSession } from '../spool/spool.ts';
import { isPublishedOrFailed } from '../spool/ledger.ts';
import type { Delivery } from './delivery.ts';
import { RunDamaged } from './integrity.ts';

export interface LiveDeliveryPorts {
  readonly begin: (session: SpoolSession, recordingId: string) => Delivery;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** How old a picture is before it leaves the computer. */
const HOLD_BACK_MS = 5_000;
const LOOK_AFTER_BYTES = 1024 * 1024;
/** Shorter recordings are not worth it: two parts of S3's least size. */
const WORTH_IT_BYTES = 10 * 1024 * 1024;
const REST_MS = { least: 10_000, most: 5 * 60_000 };

interface Live {
  delivery: Delivery | null;
  /** Resolves when it is not being worked on. */
  busy: Promise<void>;
  isBusy: boolean;
  readonly sinceBytes: number;
  failures: number;
  restUntil: number;
}

export class LiveDeliveries {
  private readonly live = new Map<string, Live>();
  private grownBytes = 0;
  private lookedAtBytes = 0;

  constructor(private readonly ports: LiveDeliveryPorts) {}

  /** @param bytes by how much a run of the session grew */
  grew(session: SpoolSession, bytes: number): void {
    this.grownBytes += bytes;
    if (this.grownBytes - this.lookedAtBytes < LOOK_AFTER_BYTES) return;
    this.lookedAtBytes = this.grownBytes;
    for (const [recordingId, recording] of session.ledger.recordings) {
      if (recording.startTime === null || recording.stopped !== null || isPublishedOrFailed(recording))
        continue;
      this.look(session, recordingId);
    }
  }

  /** What has been done of a recording that is complete now; whoever takes it goes on with it or ends it. */
  async take(recordingId: string): Promise<Delivery | null> {
    const one = this.live.get(recordingId);
    this.live.delete(recordingId);
    await one?.busy;
    return one?.delivery ?? null;
  }

  /** Resolves when none of them is at work. */
  async idle(): Promise<void> {
    await Promise.all([...this.live.values()].map((one) => one.busy));
  }

  private look(session: SpoolSession, recordingId: string): void {
    const one = this.live.get(recordingId) ?? {
      delivery: null,
      busy: Promise.resolve(),
      isBusy: false,
      sinceBytes: this.grownBytes,
      failures: 0,
      restUntil: 0,
    };
    this.live.set(recordingId, one);
    const isDue =
      this.grownBytes - one.sinceBytes >= WORTH_IT_BYTES && this.ports.clock.now() >= one.restUntil;
    if (!isDue || one.isBusy) return;
    one.delivery ??= this.ports.begin(session, recordingId);
    one.isBusy = true;
    one.busy = this.advance(recordingId, one, one.delivery).finally(() => (one.isBusy = false));
  }

  private async advance(recordingId: string, one: Live, delivery: Delivery): Promise<void> {
    const { clock, random, log } = this.ports;
    try {
      await delivery.advance(clock.now() - HOLD_BACK_MS);
      one.failures = 0;
    } catch (error) {
      one.delivery = null;
      one.failures += 1;
      const longest = Math.min(REST_MS.most, REST_MS.least * 2 ** one.failures);
      // What is damaged stays so: the recording is delivered at its end, without what cannot be read.
      one.restUntil = error instanceof RunDamaged ? Infinity : clock.now() + random() * longest;
      log.warn('delivering while the contact goes on failed', { recordingId, reason: String(error) });
      await delivery.abort();
    }
  }
}
