// The tokens that pages said hello with, for the broker. In memory only.

export class PageTokens {
  private readonly newest = new Map<string, string>();
  private last: string | null = null;

  keep(agentArn: string, token: string): void {
    this.newest.set(agentArn, token);
    this.last = token;
  }

  /** The agent's own; where that agent has not signed on since the start, the token of whoever did last: the broker decides. */
  of(agentArn: string): string | null {
    return this.newest.get(agentArn) ?? this.last;
  }
}
