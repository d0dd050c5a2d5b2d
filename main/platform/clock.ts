// The one clock. The system's wall clock may be set at any time (a user, NTP after a long absence, a virtual machine
// that wakes up); a recording's times must not jump with it. So this clock follows the wall clock, its slow corrections
// included, but leaves out every step. A computer that slept is no step: that time has passed.

import { uptime } from 'node:os';
import type { Clock, Moment } from '../shared/time.ts';

export interface ClockSources {
  /** Milliseconds since the Unix epoch; may step. */
  readonly wall: () => number;
  /** Milliseconds since some point; never steps back, may stand still while the computer sleeps. */
  readonly monotonic: () => number;
  /** Milliseconds since the computer was started, sleep included. Coarser than the others, asked rarely. */
  readonly uptime: () => number;
}

const systemSources: ClockSources = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  uptime: () => uptime() * 1000,
};

/**
 * How far the wall clock may run away from the monotonic one without having been set: what whole milliseconds and a
 * preempted process make of two readings, and twice the 500 ppm by which a clock is corrected at most (adjtimex(2)).
 */
const UNEVEN_MS = 15;
const CORRECTION_RATE = 0.001;
const SAME_MOMENT_MS = 3;
/** The resolution of the system's uptime. */
const UPTIME_GRAIN_MS = 20;

export class SystemClock implements Clock {
  /** Added to the wall clock: what its steps have taken away. */
  private correction = 0;
  private stepCount = 0;
  private last: { wall: number; monotonic: number; awakeSince: number };
  private newest = -Infinity;

  constructor(private readonly sources: ClockSources = systemSources) {
    this.last = this.look();
  }

  now(): Moment {
    this.noticeStep();
    this.newest = Math.max(this.newest, Math.round(this.last.wall + this.correction));
    return this.newest;
  }

  fromWall(wallMs: number): Moment {
    this.noticeStep();
    return Math.round(wallMs + this.correction);
  }

  get steps(): number {
    this.noticeStep();
    return this.stepCount;
  }

  /** Takes over the wall clock's time. Only while no recording is open. */
  reanchor(): void {
    this.last = this.look();
    this.correction = 0;
    this.newest = -Infinity;
  }

  /** Continues from a moment that an earlier process recorded, should the wall clock have been set back since. */
  continueFrom(moment: Moment): void {
    this.correction += Math.max(0, moment - this.now());
  }

  private noticeStep(): void {
    const { wall, monotonic } = this.last;
    const now = this.read();
    const passed = now.monotonic - monotonic;
    const apart = now.wall - wall - passed;
    if (Math.abs(apart) <= UNEVEN_MS + passed * CORRECTION_RATE) {
      this.last = { ...this.last, ...now };
      return;
    }
    const before = this.last;
    this.last = this.look();
    const slept = Math.max(0, this.last.awakeSince - before.awakeSince);
    const step = this.last.wall - before.wall - (this.last.monotonic - before.monotonic) - slept;
    if (Math.abs(step) <= UNEVEN_MS + UPTIME_GRAIN_MS + passed * CORRECTION_RATE) return;
    this.correction -= step;
    this.stepCount += 1;
  }

  private look(): SystemClock['last'] {
    const now = this.read();
    return { ...now, awakeSince: this.sources.uptime() - now.monotonic };
  }

  /** Both clocks in the same moment: a process that is preempted between the two would see a step that was none. */
  private read(): { wall: number; monotonic: number } {
    for (let tries = 0; ; tries += 1) {
      const monotonic = this.sources.monotonic();
      const wall = this.sources.wall();
      if (this.sources.monotonic() - monotonic < SAME_MOMENT_MS || tries === 4) return { wall, monotonic };
    }
  }
}
