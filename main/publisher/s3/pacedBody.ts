// A body that goes out in slices under the bandwidth cap, and knows how long that has kept it back.

import { Readable } from 'node:stream';
import type { PacedBody } from '../../platform/awsHandler.ts';
import type { Throttle } from './throttle.ts';

const SLICE_BYTES = 64 * 1024;

/** Told of each slice of a body that the connection has taken. */
export type Moved = ((bytes: number) => void) | undefined;

export function pacedBody(data: Uint8Array, throttle: Throttle, moved?: Moved): PacedBody {
  const pace = new Pace(throttle);
  const stream = Readable.from(slices(data, pace, moved), { highWaterMark: 2 });
  return Object.assign(stream, { waitedMs: () => pace.waitedMs });
}

function* lengths(total: number): Generator<[number, number]> {
  for (let at = 0; at < total; at += SLICE_BYTES) yield [at, Math.min(total, at + SLICE_BYTES)];
}

async function* slices(data: Uint8Array, pace: Pace, moved?: Moved): AsyncGenerator<Uint8Array> {
  for (const [from, to] of lengths(data.byteLength)) {
    await pace.take(to - from);
    yield data.subarray(from, to);
    // The connection has asked for the next one.
    moved?.(to - from);
  }
}

/** The bandwidth cap as one body meets it: how long it was held back does not count against the server. */
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
