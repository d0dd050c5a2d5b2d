// The tokens that pages said hello with, for the broker. In memory only, and of the newest agents only.

/** A desk has a few agents a day. A token has up to 16 kB, and a page may say hello in any name. */
const MAX_AGENTS = 32;

export class PageTokens {
  /** By agent, the newest last. */
  private readonly newest = new Map<string, string>();

  keep(agentArn: string, token: string): void {
    this.newest.delete(agentArn);
    this.newest.set(agentArn, token);
    const [oldest] = this.newest.keys();
    if (oldest !== undefined && this.newest.size > MAX_AGENTS) this.newest.delete(oldest);
  }

  /** The agent's own; where that agent has not signed on since the start, the token of whoever did last: the broker decides. */
  of(agentArn: string): string | null {
    return this.newest.get(agentArn) ?? [...this.newest.values()].at(-1) ?? null;
  }
}
