// The broker's credentials, kept while they are valid: a recording's video, its manifest and later attempts use the same ones, so
// that an outage of the store does not become a burst of requests to the broker. In memory only.

import type { SinkOrder } from '../sink.ts';
import type { askBroker } from './broker.ts';

export type BrokerAnswer = Awaited<ReturnType<typeof askBroker>>;

interface Kept {
  readonly answer: Promise<BrokerAnswer>;
  /** null: the broker has not answered yet. */
  value: BrokerAnswer | null;
}

/** The AWS SDK renews credentials so long before they expire: with older ones it would ask at each request. */
const RENEW_BEFORE_MS = 5 * 60_000;
/** The newest; for the others of a long outage the broker is asked again. */
const MAX_KEPT = 256;

export class BrokerCredentials<Order extends Pick<SinkOrder, 'recordingId'>> {
  /** By recording, the newest last. */
  private readonly kept = new Map<string, Kept>();

  /**
   * @param ask the broker; rejects with an UploadError
   * @param onIssued called when there are new ones
   */
  constructor(
    private readonly ask: (order: Order) => Promise<BrokerAnswer>,
    private readonly onIssued: () => void = () => undefined,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws UploadError when the broker gives none; the next call asks again */
  async of(order: Order): Promise<BrokerAnswer> {
    const { recordingId } = order;
    const before = this.kept.get(recordingId);
    if (before !== undefined && (before.value === null || this.isUsable(before.value))) return before.answer;
    const entry: Kept = { answer: this.ask(order), value: null };
    this.kept.delete(recordingId);
    this.kept.set(recordingId, entry);
    const [oldest] = this.kept.keys();
    if (oldest !== undefined && this.kept.size > MAX_KEPT) this.kept.delete(oldest);
    try {
      entry.value = await entry.answer;
      this.onIssued();
      return entry.value;
    } catch (error) {
      if (this.kept.get(recordingId) === entry) this.kept.delete(recordingId);
      throw error;
    }
  }

  /** The store refused them: they may have been revoked. */
  forget(recordingId: string): void {
    this.kept.delete(recordingId);
  }

  /** The newest credentials that may send events, of any recording; null when there are none. Does not reject. */
  async forEvents(): Promise<BrokerAnswer | null> {
    await Promise.allSettled([...this.kept.values()].map(({ answer }) => answer));
    const values = [...this.kept.values()].map(({ value }) => value);
    return values.findLast((value) => value?.mayPutEvents === true && this.isUsable(value)) ?? null;
  }

  private isUsable({ expiration }: BrokerAnswer): boolean {
    return expiration.getTime() - this.now() > RENEW_BEFORE_MS;
  }
}
