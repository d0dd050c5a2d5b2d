// Several tabs of one origin: which causes other live tabs have. Each cause of a tab holds a Web Lock for as long as it
// suspends and the tab lives; the browser releases it when the tab closes or crashes.

const PREFIX = 'sightline';
/** A tab that reloads takes its causes up again; this is how long another tab gives it before it resumes. */
const RELOAD_MS = 3000;

export class Tabs {
  /** Of this life of the page. */
  private readonly id = crypto.randomUUID();
  private readonly held = new Map<string, AbortController>();
  private readonly locks = (navigator as { locks?: LockManager }).locks;
  private readonly channel =
    typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('sightline-contacts');

  /** @param onResumeAll an agent has ended the suspension of a contact in another tab */
  constructor(onResumeAll: (contactId: string) => void) {
    this.channel?.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (
        typeof data === 'object' &&
        data !== null &&
        'resumeAll' in data &&
        typeof data.resumeAll === 'string'
      )
        onResumeAll(data.resumeAll);
    });
  }

  hold(contactId: string, cause: string): void {
    const name = this.nameOf(contactId, this.id, cause);
    if (this.locks === undefined || this.held.has(name)) return;
    const release = new AbortController();
    this.held.set(name, release);
    const { signal } = release;
    const untilReleased = (): Promise<void> =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    // Rejects when it is released before it was granted.
    this.locks
      .request(name, { signal }, () => (signal.aborted ? undefined : untilReleased()))
      .catch(() => undefined);
  }

  release(contactId: string, cause: string): void {
    const name = this.nameOf(contactId, this.id, cause);
    this.held.get(name)?.abort();
    this.held.delete(name);
  }

  /** Locks of other live tabs for this contact; empty where the browser has no Web Locks. */
  async othersOf(contactId: string): Promise<readonly string[]> {
    const state = await this.locks?.query();
    const prefix = `${PREFIX}:${contactId}:`;
    return [...(state?.held ?? []), ...(state?.pending ?? [])].flatMap(({ name }) =>
      name?.startsWith(prefix) && !name.startsWith(`${prefix}${this.id}:`) ? [name] : [],
    );
  }

  /** Resolves when no other live tab has a cause for the contact, at once if there is none now, or when `signal` aborts. */
  async untilAlone(contactId: string, signal: AbortSignal): Promise<void> {
    let [name] = await this.othersOf(contactId);
    while (name !== undefined && !signal.aborted) {
      await this.locks?.request(name, { signal }, () => undefined).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, RELOAD_MS));
      [name] = await this.othersOf(contactId);
    }
  }

  announceResumeAll(contactId: string): void {
    this.channel?.postMessage({ resumeAll: contactId });
  }

  close(): void {
    for (const release of this.held.values()) release.abort();
    this.held.clear();
    this.channel?.close();
  }

  private nameOf(contactId: string, tab: string, cause: string): string {
    return `${PREFIX}:${contactId}:${tab}:${cause}`;
  }
}
