// Posts due events to the page's endpoint, one by one, and keeps those that it did not accept. One tab at a time (Web
// Lock); after a failure with growing pauses; when the page closes, with what a closing page can still send.

import { dueEvents, eventPosted } from './records.ts';
import type { FailureRecord, FailureStore } from './store.ts';

/** Where failures go. */
export interface FailuresTo {
  /** https, or http on this computer; relative to the page. It answers each POST of one event with 2xx. */
  readonly url: string;
  /** For example `Authorization`; called before each request if it is a function. Never stored. */
  readonly headers?: Readonly<Record<string, string>> | (() => Readonly<Record<string, string>>);
  /** How long a contact waits for the recorder before it counts as not recorded; 10 by default, 0 to 600. */
  readonly afterSeconds?: number;
}

const TIMEOUT_MS = 15_000;
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 300_000;
/** Browsers allow 64 KiB of such requests at a time (Fetch, keepalive); an event has 1 to 2 KiB. */
const MAX_AT_CLOSE = 20;
const LOCK = 'sightline:failures';

export class FailureSender {
  readonly #url: string;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #isClosed = false;
  /** Due events that this tab has not been able to post yet, for `leave`. */
  readonly #unposted = new Map<string, FailureRecord>();
  #inFlight: string | undefined;

  /** @throws TypeError for an endpoint to which events must not be sent, or headers that no request can have */
  constructor(
    private readonly store: FailureStore,
    private readonly to: FailuresTo,
  ) {
    this.#url = checkedUrl(to.url);
    void this.#headers();
  }

  /** Something may be due, or the endpoint may be reachable again. */
  wake(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    if (this.#round !== undefined) {
      this.#again = true;
      return;
    }
    this.#round = this.#run().finally(() => {
      this.#round = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.wake();
    });
  }

  /** The page is being closed: no answer will be seen, so these may be posted a second time later. */
  leave(): void {
    const records = [...this.#unposted.values()].filter(({ key }) => key !== this.#inFlight);
    for (const record of records.slice(-MAX_AT_CLOSE)) void this.#post(record).catch(() => false);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    const nextDueAt = await exclusively(() => this.#postDue());
    if (this.#isClosed) return;
    const now = Date.now();
    const pauses = [...(this.#failures > 0 ? [pauseMs(this.#failures)] : [])];
    if (nextDueAt !== null) pauses.push(nextDueAt - now);
    if (pauses.length > 0) this.#timer = setTimeout(() => this.wake(), Math.max(50, Math.min(...pauses)));
  }

  async #postDue(): Promise<number | null> {
    const { due, nextDueAt } = await this.store.update((records) => dueEvents(records, Date.now()));
    this.#unposted.clear();
    for (const record of due) this.#unposted.set(record.key, record);
    let hasFailed = false;
    for (const record of due) {
      if (this.#isClosed) break;
      this.#inFlight = record.key;
      const outcome = await this.#post(record).catch(() => 'unreachable' as const);
      this.#inFlight = undefined;
      if (outcome === 'posted') {
        this.#unposted.delete(record.key);
        await this.store.update((records) => eventPosted(records, record.key));
        continue;
      }
      hasFailed = true;
      // A refusal could be about this one event; what cannot be reached takes no other either.
      if (outcome === 'unreachable') break;
    }
    this.#failures = hasFailed ? this.#failures + 1 : 0;
    return nextDueAt;
  }

  async #post({ event }: FailureRecord): Promise<'posted' | 'refused' | 'unreachable'> {
    const headers = this.#headers();
    headers.set('content-type', 'application/json');
    const response = await fetch(this.#url, {
      method: 'POST',
      headers,
      body: JSON.stringify(event),
      keepalive: true,
      redirect: 'error',
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    // Frees the connection; what it says does not matter.
    void response.body?.cancel();
    if (response.ok) return 'posted';
    return response.status >= 500 || response.status === 429 ? 'unreachable' : 'refused';
  }

  #headers(): Headers {
    const { headers = {} } = this.to;
    return new Headers(typeof headers === 'function' ? headers() : headers);
  }
}

/** Full jitter, but not less than half: after an outage not all desks come at once. */
function pauseMs(failures: number): number {
  const longest = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS);
  return longest * (0.5 + Math.random() / 2);
}

function exclusively<T>(action: () => Promise<T>): Promise<T> {
  const { locks } = navigator as { locks?: LockManager };
  return locks === undefined ? action() : locks.request(LOCK, action);
}

function checkedUrl(text: string): string {
  const url = new URL(text, location.href);
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new TypeError(`Sightline: "failuresTo.url" must be an https address, not "${url.origin}".`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError('Sightline: "failuresTo.url" must not contain a password; use "failuresTo.headers".');
  }
  return url.href;
}
