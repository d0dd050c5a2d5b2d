// The requests about one contact that are outstanding or wait for their next attempt. Two lanes: a suspend waits for nothing;
// start, resume and stop share the other one.

export type Request = 'start' | 'suspend' | 'resume' | 'stop';
export type Lane = 'suspend' | 'main';

interface Attempts {
  readonly count: number;
  readonly timer?: ReturnType<typeof setTimeout>;
}

const WAIT_MS: Readonly<Record<Lane, { first: number; longest: number }>> = {
  main: { first: 1000, longest: 30_000 },
  suspend: { first: 250, longest: 5000 },
};

export class Requests {
  private readonly outstanding = new Set<Request>();
  private readonly attempts = new Map<Lane, Attempts>();
  /** Of the connection: answers of an earlier one say nothing about this one. */
  private epoch = 0;
  private idleWaiters: (() => void)[] = [];

  /** @param onTurn something may be sent now that could not be before */
  constructor(private readonly onTurn: () => void) {}

  has(...requests: Request[]): boolean {
    return requests.some((one) => this.outstanding.has(one));
  }

  get isEmpty(): boolean {
    return this.outstanding.size === 0;
  }

  /** Whether the lane waits for its next attempt. */
  isWaiting(lane: Lane): boolean {
    return this.attempts.get(lane)?.timer !== undefined;
  }

  /** `done` and `failed` are called only if the connection is still the same. */
  send<Reply>(
    request: Request,
    send: () => Promise<Reply>,
    done: (reply: Reply) => void,
    failed: (code: string, message: string) => void,
  ): void {
    const { epoch } = this;
    const settle = (act: () => void): void => {
      if (epoch !== this.epoch) return;
      this.outstanding.delete(request);
      act();
      this.onTurn();
      this.settleIdle();
    };
    this.outstanding.add(request);
    send().then(
      (reply) =>
        settle(() => {
          this.attempts.delete(laneOf(request));
          done(reply);
        }),
      (error: unknown) => settle(() => failed(codeOf(error), messageOf(error))),
    );
  }

  /** Takes the next turn of the lane after a while, longer each time. */
  retry(lane: Lane): void {
    const { first, longest } = WAIT_MS[lane];
    const count = (this.attempts.get(lane)?.count ?? 0) + 1;
    const ms = Math.min(longest, first * 2 ** Math.min(count - 1, 10)) * (1 - Math.random() / 4);
    clearTimeout(this.attempts.get(lane)?.timer);
    const timer = setTimeout(() => {
      this.attempts.set(lane, { count });
      this.onTurn();
    }, ms);
    this.attempts.set(lane, { count, timer });
  }

  /** The next attempt of the lane may be made at once. */
  clear(lane: Lane): void {
    clearTimeout(this.attempts.get(lane)?.timer);
    this.attempts.delete(lane);
  }

  /** The connection is gone, or another one: nothing is outstanding. */
  reset(): void {
    this.epoch += 1;
    this.clear('main');
    this.clear('suspend');
    this.outstanding.clear();
    this.settleIdle();
  }

  /** Calls `act` unless the connection is another one by then. */
  onSameConnection<Value>(promise: Promise<Value>, act: (value: Value) => void): void {
    const { epoch } = this;
    void promise.then((value) => {
      if (epoch === this.epoch) act(value);
    });
  }

  /** Resolves when nothing is outstanding. */
  idle(): Promise<void> {
    if (this.isEmpty) return Promise.resolve();
    return new Promise((resolve) => this.idleWaiters.push(resolve));
  }

  private settleIdle(): void {
    if (!this.isEmpty) return;
    for (const resolve of this.idleWaiters.splice(0)) resolve();
  }
}

function laneOf(request: Request): Lane {
  return request === 'suspend' ? 'suspend' : 'main';
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'UNKNOWN';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
