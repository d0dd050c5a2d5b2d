// A request body that is sent in slices under the bandwidth limit.

import { Readable } from 'node:stream';
import type { PacedBody } from '../../platform/awsHandler.ts';
import type { Throttle } from './throttle.ts';

const SLICE_BYTES = 64 * 1024;

/** Called for each slice that the connection has accepted. */
export type OnSent = (bytes: number) => void;

export function pacedBody(data: Uint8Array, throttle: Throttle, onSent?: OnSent): PacedBody {
  const pace = new Pace(throttle);
  const stream = Readable.from(slices(data, pace, onSent), { highWaterMark: 2 });
  return Object.assign(stream, { waitedMs: () => pace.waitedMs });
}

async function* slices(data: Uint8Array, pace: Pace, onSent?: OnSent): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < data.byteLength; at += SLICE_BYTES) {
    const slice = data.subarray(at, at + SLICE_BYTES);
    await pace.take(slice.byteLength);
    yield slice;
    // The connection asks for the next slice now.
    onSent?.(slice.byteLength);
  }
}

/** How long the limit has delayed this body: that time does not count against the server's deadline. */
class Pace {
  private endedMs = 0;
  private since: number | null = null;

  constructor(private readonly throttle: Throttle) {}

  get waitedMs(): number {
    return this.endedMs + (this.since === null ? 0 : performance.now() - this.since);
  }

  async take(bytes: number): Promise<void> {
    this.since = performance.now();
    await this.throttle.take(bytes);
    this.endedMs = this.waitedMs;
    this.since = null;
  }
}
