// Sends reports about this desk to servers of IT (policy "heartbeatUrl", "otlpEndpoint"). Nothing waits for them, and each new
// reason why one does not arrive is logged once.

import { ask, whyNoAnswer } from '../platform/ask.ts';
import { hostOf } from '../platform/limits.ts';
import type { Logger } from '../platform/log.ts';
import type { Network } from '../platform/network/network.ts';
import type { DeskEvent } from '../shared/deskEvent.ts';
import { RetryLoop, type RetryLoopOptions } from '../status/retryLoop.ts';

const TIMEOUT_MS = 15_000;
/** Nothing in an answer is looked at. */
const MAX_ANSWER_BYTES = 64 * 1024;

export class Delivery {
  private problem: string | null = null;

  /** @param what for the log, in the plural */
  constructor(
    private readonly what: string,
    private readonly network: Network,
    private readonly log: Logger,
  ) {}

  /** @returns whether the server has taken it. Never rejects. */
  async post(url: string, type: string, body: string | Uint8Array): Promise<boolean> {
    const headers = { 'Content-Type': type };
    const limits = { timeoutMs: TIMEOUT_MS, maxAnswerBytes: MAX_ANSWER_BYTES };
    const problem = await ask(this.network, url, { method: 'POST', headers, body, ...limits }).then(
      ({ status }) => (status >= 200 && status < 300 ? null : `it answered ${status}`),
      whyNoAnswer,
    );
    // The rest of the address may be confidential.
    const host = hostOf(url);
    if (problem !== null && problem !== this.problem)
      this.log.warn(`${this.what} do not reach their server; the newest are tried again`, {
        host,
        reason: problem,
      });
    if (problem === null && this.problem !== null)
      this.log.info(`${this.what} reach their server again`, { host });
    this.problem = problem;
    return problem === null;
  }
}

/** Posts heartbeats to `heartbeatUrl`: only the newest is of use, so no other waits. */
export class HeartbeatPost {
  private newest: DeskEvent | null = null;
  private readonly loop: RetryLoop;

  constructor(
    policy: { readonly heartbeatUrl: string | null },
    delivery: Delivery,
    timing: Pick<RetryLoopOptions, 'random' | 'setTimer'> = {},
  ) {
    const attempt = async (): Promise<boolean> => {
      const { newest } = this;
      if (newest === null || policy.heartbeatUrl === null) return false;
      if (await delivery.post(policy.heartbeatUrl, 'application/json', JSON.stringify(newest))) {
        if (this.newest === newest) this.newest = null;
        this.loop.attempts = 0;
        return true;
      }
      this.loop.retryLater();
      return false;
    };
    this.loop = new RetryLoop({ attempt, longestMs: 5 * 60_000, ...timing });
  }

  offer(heartbeat: DeskEvent): void {
    this.newest = heartbeat;
    this.loop.wake();
  }

  /** The one under way ends with its own deadline; nobody waits for it. */
  stop(): void {
    void this.loop.stop();
  }
}
