// A token bucket for each agent, in the memory of this container. Lambda runs several containers, so an agent can reach a multiple of
// it; the limit for all of them is API Gateway's throttling.

export interface RateLimitOptions {
  readonly perSecond: number;
  /** At once, after a pause. */
  readonly burst: number;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** The agent that asked longest ago is forgotten first. A forgotten one has a full bucket. */
const MAX_AGENTS = 10_000;

export class RateLimit {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  constructor(private readonly options: RateLimitOptions) {}

  /** @returns 0 if the request may pass, otherwise the whole seconds after which one may */
  take(agent: string): number {
    const { perSecond, burst, now = () => performance.now() } = this.options;
    const at = now();
    const { tokens: before, at: since } = this.buckets.get(agent) ?? { tokens: burst, at };
    const tokens = Math.min(burst, before + ((at - since) / 1000) * perSecond);
    const passes = tokens >= 1;
    // Newest last.
    this.buckets.delete(agent);
    this.buckets.set(agent, { tokens: passes ? tokens - 1 : tokens, at });
    const [oldest] = this.buckets.keys();
    if (oldest !== undefined && this.buckets.size > MAX_AGENTS) this.buckets.delete(oldest);
    return passes ? 0 : Math.ceil((1 - tokens) / perSecond);
  }
}
