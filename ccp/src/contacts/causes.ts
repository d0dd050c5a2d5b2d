// What suspends one contact in this tab. Each cause holds a Web Lock (tabs.ts) for as long as it lasts.

import type { Tabs } from './tabs.ts';

export class Causes {
  /** With the reason that the page gave for each. */
  private readonly all = new Map<string, string | undefined>();

  constructor(
    private readonly contactId: string,
    private readonly tabs: Pick<Tabs, 'hold' | 'release'>,
  ) {}

  get isEmpty(): boolean {
    return this.all.size === 0;
  }

  get names(): readonly string[] {
    return [...this.all.keys()];
  }

  /** The oldest, for the recorder. */
  get reason(): string | undefined {
    return [...this.all.values()].find((one) => one !== undefined);
  }

  has(cause: string): boolean {
    return this.all.has(cause);
  }

  add(cause: string, reason?: string): void {
    this.all.set(cause, reason);
    this.tabs.hold(this.contactId, cause);
  }

  remove(cause: string): void {
    this.all.delete(cause);
    this.tabs.release(this.contactId, cause);
  }

  clear(): void {
    for (const cause of this.names) this.remove(cause);
  }
}
