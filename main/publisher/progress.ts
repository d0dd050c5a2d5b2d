// Measures one upload attempt and reports at most four times a second, once more when nothing moves for a while, and null
// when the attempt is over.

import { plainTimer } from '../platform/deadline.ts';

export interface Progress {
  /** Of this attempt; parts that the sink still has from an earlier attempt count. */
  readonly sentBytes: number;
  /** Read back and compared; absent while there are none. */
  readonly verifiedBytes?: number;
  /** An estimate until everything is assembled; null during the contact. */
  readonly totalBytes: number | null;
  /** Over the last seconds; 0 when nothing moves. */
  readonly bytesPerSecond: number;
}

export const REPORT_EVERY_MS = 250;
/** The speed is an average over this time. */
const WINDOW_MS = 4_000;
const IDLE_AFTER_MS = 2_000;

export class ProgressMeter {
  private sentBytes = 0;
  private verifiedBytes = 0;
  private totalBytes: number | null = null;
  private samples: { at: number; sentBytes: number }[] = [];
  private reportedAt = -Infinity;
  private cancelTimer = (): void => undefined;
  private ended = false;

  constructor(private readonly onReport: (progress: Progress | null) => void) {}

  /** @param bytes sent since the last call; negative: so many must be sent again */
  sent(bytes: number): void {
    this.sentBytes += bytes;
    this.schedule();
  }

  verified(bytes: number): void {
    this.verifiedBytes += bytes;
    this.schedule();
  }

  expect(totalBytes: number): void {
    if (this.totalBytes === totalBytes) return;
    this.totalBytes = totalBytes;
    this.schedule();
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.cancelTimer();
    this.onReport(null);
  }

  private schedule(): void {
    if (this.ended) return;
    const waitMs = this.reportedAt + REPORT_EVERY_MS - performance.now();
    if (waitMs <= 0) this.report();
    else this.setTimer(() => this.report(), waitMs);
  }

  private report(): void {
    const now = performance.now();
    this.reportedAt = now;
    const { sentBytes, verifiedBytes, totalBytes } = this;
    this.samples = [...this.samples.filter(({ at }) => now - at <= WINDOW_MS), { at: now, sentBytes }];
    const first = this.samples[0] ?? { at: now, sentBytes };
    const ms = now - first.at;
    const bytesPerSecond = ms === 0 ? 0 : (Math.max(0, sentBytes - first.sentBytes) * 1000) / ms;
    const progress = { sentBytes, totalBytes, ...(verifiedBytes === 0 ? {} : { verifiedBytes }) };
    this.onReport({ ...progress, bytesPerSecond });
    this.setTimer(() => this.onReport({ ...progress, bytesPerSecond: 0 }), IDLE_AFTER_MS);
  }

  private setTimer(act: () => void, delayMs: number): void {
    this.cancelTimer();
    this.cancelTimer = plainTimer(act, delayMs);
  }
}
