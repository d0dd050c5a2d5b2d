// The bandwidth limit: one token bucket for all uploads, and request bodies that are sent in slices under it. A change of the
// rate applies immediately, also to waiting requests.

import { Readable } from 'node:stream';
import type { UploadBody } from '../../platform/network/network.ts';

/** How much may be sent at once after a pause. */
const BURST_MS = 250;
const SLICE_BYTES = 64 * 1024;

export class Throttle {
  private bytesPerMs: number | null = null;
  private available = 0;
  private filledAt: number;
  private readonly queue: { bytes: number; resolve: () => void }[] = [];
  private timer: NodeJS.Timeout | null = null;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.filledAt = now();
  }

  /** @param kbitPerSecond null: none */
  limit(kbitPerSecond: number | null): void {
    this.fill();
    this.bytesPerMs = kbitPerSecond === null ? null : kbitPerSecond / 8;
    this.serve();
  }

  /** Resolves when so many bytes may be sent; first come, first served. */
  take(bytes: number): Promise<void> {
    if (this.bytesPerMs === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.queue.push({ bytes, resolve });
      this.serve();
    });
  }

  private serve(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.fill();
    for (let next = this.queue[0]; next !== undefined; next = this.queue[0]) {
      // A request may exceed the bucket's size; the debt delays the next one.
      if (this.bytesPerMs !== null && this.available <= 0) {
        const waitMs = Math.ceil(-this.available / this.bytesPerMs) + 1;
        this.timer = setTimeout(() => this.serve(), waitMs);
        return;
      }
      this.available -= next.bytes;
      this.queue.shift();
      next.resolve();
    }
  }

  private fill(): void {
    const now = this.now();
    if (this.bytesPerMs === null) this.available = 0;
    else {
      const most = BURST_MS * this.bytesPerMs;
      this.available = Math.min(most, this.available + (now - this.filledAt) * this.bytesPerMs);
    }
    this.filledAt = now;
  }
}

/** @param onSent called for what the network has sent */
export function pacedBody(
  data: Uint8Array,
  throttle: Throttle,
  onSent: (bytes: number) => void = () => undefined,
): UploadBody {
  // How long the limit has delayed this body: that time does not count against the server's deadline.
  let endedMs = 0;
  let since: number | null = null;
  const waitedMs = (): number => endedMs + (since === null ? 0 : performance.now() - since);
  async function* slices(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < data.byteLength; at += SLICE_BYTES) {
      const slice = data.subarray(at, at + SLICE_BYTES);
      since = performance.now();
      await throttle.take(slice.byteLength);
      endedMs = waitedMs();
      since = null;
      yield slice;
    }
  }
  return Object.assign(Readable.from(slices(), { highWaterMark: 2 }), { waitedMs, onSent });
}
