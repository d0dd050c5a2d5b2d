// When a desk sends its heartbeat: after the start, on a change that matters, and every hour. Never two for one cause, few for
// a desk whose state flaps, and thousands of desks not in the same second. One timer; what a laptop slept through is sent once.

import { uptime } from 'node:os';
import type { SetTimer } from '../platform/deadline.ts';
import { plainTimer } from '../platform/deadline.ts';
import type { Logger } from '../platform/log.ts';
import { errorMessage } from '../shared/errors.ts';
import type { HeartbeatInfo } from '../shared/deskEvent.ts';

export interface HeartbeatFacts {
  readonly info: HeartbeatInfo;
  readonly agentArn: string | undefined;
}

export interface HeartbeatOptions {
  /** Read each time: policy may change. */
  readonly policy: { readonly heartbeat: string };
  readonly gather: () => Promise<HeartbeatFacts>;
  readonly send: (facts: HeartbeatFacts) => void;
  readonly log: Logger;
  /** Milliseconds since the computer was started, sleep included: no step of the clock delays a heartbeat or repeats one. */
  readonly uptimeMs?: () => number;
  readonly random?: () => number;
  readonly setTimer?: SetTimer;
}

const HOUR_MS = 60 * 60_000;
/** The first one, after the start. */
const START_WITHIN_MS = 10_000;
/** Of the hour, by which heartbeats differ. */
const JITTER = 0.1;
/** The system's uptime is coarser than a timer. */
const GRAIN_MS = 100;
/** Changes of a moment are one. */
const SETTLE_MS = 2000;
/** For changes: so many at once, and one more for each time that has passed. */
const BURST = 3;
const REFILL_MS = 10 * 60_000;

export class Heartbeat {
  private dueAt: number;
  private sent: string | null = null;
  private tokens = BURST;
  private filledAt: number;
  private cancel = (): void => undefined;
  private looking = false;
  private stopped = false;

  constructor(private readonly options: HeartbeatOptions) {
    this.filledAt = this.now();
    this.dueAt = this.filledAt + this.random() * START_WITHIN_MS;
    this.wakeAt(this.dueAt);
  }

  /** Something may have changed. */
  changed(): void {
    if (this.sent !== null) this.wakeAt(Math.min(this.dueAt, this.now() + SETTLE_MS));
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  /** Never rejects. Also to be called every minute: the computer may have slept, and a file may have changed. */
  async look(): Promise<void> {
    const { policy, gather, send, log } = this.options;
    if (policy.heartbeat === 'off' || this.looking || this.stopped) return;
    this.looking = true;
    try {
      const isDue = this.now() + GRAIN_MS >= this.dueAt;
      if (!isDue && this.sent === null) return;
      const facts = await gather();
      const matters = whatMatters(facts);
      if (!isDue && (matters === this.sent || !this.takeToken())) return;
      this.sent = matters;
      this.dueAt = this.now() + HOUR_MS * (1 - JITTER + 2 * JITTER * this.random());
      send(facts);
    } catch (error) {
      log.warn('a heartbeat could not be made', { reason: errorMessage(error) });
    } finally {
      this.looking = false;
    }
  }

  private wakeAt(at: number): void {
    this.cancel();
    if (this.stopped) return;
    this.cancel = (this.options.setTimer ?? plainTimer)(() => void this.look(), Math.max(0, at - this.now()));
  }

  private takeToken(): boolean {
    const now = this.now();
    this.tokens = Math.min(BURST, this.tokens + (now - this.filledAt) / REFILL_MS);
    this.filledAt = now;
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }

  private now(): number {
    return this.options.uptimeMs?.() ?? uptime() * 1000;
  }

  private random(): number {
    return this.options.random?.() ?? Math.random();
  }
}

/** What a change of makes a heartbeat: not what each contact changes. */
function whatMatters({ info, agentArn }: HeartbeatFacts): string {
  const { state, reason, policyHash, uploads, lastChecks } = info;
  const problem = state === 'problem' ? (reason ?? '') : null;
  return JSON.stringify([problem, uploads.failed > 0, uploads.reason, policyHash, lastChecks, agentArn]);
}
