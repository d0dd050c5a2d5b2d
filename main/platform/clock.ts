// The one clock. The system's wall clock may be set at any time (NTP, a user, a virtual machine that wakes up); a
// recording's times must not jump with it. So moments run on the monotonic clock from an anchor that is taken anew
// only while nothing is being recorded.

import type { Clock, Moment } from '../shared/time.ts';

export interface ClockSources {
  /** Milliseconds since the Unix epoch; may step. */
  readonly wall: () => number;
  /** Milliseconds since some point; never steps back. */
  readonly monotonic: () => number;
}

const systemSources: ClockSources = { wall: () => Date.now(), monotonic: () => performance.now() };

export class SystemClock implements Clock {
  private anchor: number;

  constructor(private readonly sources: ClockSources = systemSources) {
    this.anchor = sources.wall() - sources.monotonic();
  }

  now(): Moment {
    return Math.round(this.anchor + this.sources.monotonic());
  }

  fromWall(wallMs: number): Moment {
    return Math.round(wallMs + this.anchor + this.sources.monotonic() - this.sources.wall());
  }

  /** Takes over the wall clock's time. Only while no recording is open. */
  reanchor(): void {
    this.anchor = this.sources.wall() - this.sources.monotonic();
  }
}
