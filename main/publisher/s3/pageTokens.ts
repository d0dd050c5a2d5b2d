// The tokens that pages sent with hello, for the broker: in memory only, and only those of the newest agents.

/** A computer has a few agents a day; a token has up to 16 kB, and a page can send any agent's name. */
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

  /** The agent's own, or the newest one if that agent has not signed in since the start: the broker decides. */
  of(agentArn: string): string | null {
    return this.newest.get(agentArn) ?? [...this.newest.values()].at(-1) ?? null;
  }
}
