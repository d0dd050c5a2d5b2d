// Reports to IT what the recorder cannot report itself, because it is not running, cannot be reached from the page, or
// refuses the page: contacts that should have been recorded and of which it has never heard. What the recorder knows, it
// announces itself (docs/status-events.md), and is never posted here.

import type { Client, ContactRecorder, ContactState, Identity } from '../contract.ts';
import { failureEvent, type FailureCode } from './event.ts';
import { addEvent, contactEnded, contactIsKnown } from './records.ts';
import { FailureSender, type FailuresTo } from './send.ts';
import { openStore, type FailureStore } from './store.ts';

export interface FailureOptions {
  readonly client: Client;
  readonly contacts: ContactRecorder;
  readonly identity: Identity | Promise<Identity>;
  readonly to: FailuresTo;
}

/** Failures of a start that the recorder announces as FAILED itself (docs/protocol.md, "Error codes"). */
const ANNOUNCED_BY_RECORDER: ReadonlySet<string> = new Set([
  ...['CAPTURE_FAILED', 'CAPTURE_TIMEOUT', 'ENCODER_UNAVAILABLE', 'NO_DISPLAY', 'WAYLAND_UNSUPPORTED'],
  // The last one: a start is sent although another agent is connected, so that the recorder knows of it.
  ...['SPOOL_FULL', 'SPOOL_UNREADABLE', 'MULTIPLE_CCP_INTERACTION'],
]);
/** States that come from the recorder alone. */
const CONFIRMED: ReadonlySet<string> = new Set(['recording', 'suspended', 'resuming', 'paused', 'problem']);
const DEFAULT_AFTER_SECONDS = 10;

interface Watched {
  readonly contact: ContactState;
  readonly wantedSince: number;
  code: FailureCode | null;
  isKnown: boolean;
}

/**
 * Begins to report. Call `close` when the page no longer records.
 * @throws TypeError for an endpoint to which events must not be sent
 */
export function reportFailures(options: FailureOptions): { close(): void } {
  const store = lazyStore();
  const sender = new FailureSender(store, options.to);
  const reporter = new FailureReporter(options, store, sender);
  return reporter;
}

class FailureReporter {
  readonly #watched = new Map<string, Watched>();
  readonly #afterMs: number;
  readonly #stops: (() => void)[] = [];
  #identity: Identity | undefined;
  #appVersion: string | undefined;
  /** Changes of the store, in order. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly options: FailureOptions,
    private readonly store: FailureStore,
    private readonly sender: FailureSender,
  ) {
    const { client, contacts, to } = options;
    this.#afterMs = Math.min(Math.max(to.afterSeconds ?? DEFAULT_AFTER_SECONDS, 0), 600) * 1000;
    void Promise.resolve(options.identity).then(
      (identity) => {
        this.#identity = identity;
        this.#look();
      },
      () => undefined,
    );
    const wake = () => sender.wake();
    const leave = () => sender.leave();
    globalThis.addEventListener('online', wake);
    globalThis.addEventListener('pageshow', wake);
    globalThis.addEventListener('pagehide', leave);
    this.#stops.push(
      client.subscribe(() => this.#look()),
      contacts.subscribe(() => this.#look()),
      client.onStatusEvent((event) => this.#heard(event)),
      () => {
        globalThis.removeEventListener('online', wake);
        globalThis.removeEventListener('pageshow', wake);
        globalThis.removeEventListener('pagehide', leave);
      },
    );
    // What an earlier life of the page has left.
    wake();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.sender.close();
    void this.#changes.then(() => this.store.close());
  }

  #look(): void {
    const { client, contacts } = this.options;
    if (client.connection.kind === 'connected') this.#appVersion = client.connection.appVersion;
    const now = Date.now();
    const present = new Set<string>();
    for (const contact of contacts.contacts) {
      const { contactId, state } = contact;
      // It has ended, and the recorder could not be told yet.
      if (state === 'stopping') continue;
      present.add(contactId);
      const watched = this.#watched.get(contactId);
      const { isKnown, wantedSince, code } = watched ?? { isKnown: false, wantedSince: now, code: null };
      this.#watched.set(contactId, { contact, wantedSince, code, isKnown });
      this.#judge(contactId, now);
    }
    for (const [contactId, watched] of this.#watched) {
      if (present.has(contactId)) continue;
      this.#watched.delete(contactId);
      if (!watched.isKnown) this.#ended(watched, now);
    }
  }

  #judge(contactId: string, now: number): void {
    const watched = this.#watched.get(contactId);
    if (watched === undefined || watched.isKnown) return;
    if (this.#isKnownToRecorder(watched.contact)) {
      watched.isKnown = true;
      this.#change(() => this.store.update((records) => contactIsKnown(records, contactId, now)));
      return;
    }
    const code = this.#codeOf(watched.contact);
    if (code === null || code === watched.code || this.#identity === undefined) return;
    watched.code = code;
    this.#add(watched, code, now, now + this.#afterMs);
  }

  #isKnownToRecorder({ contactId, state, startTime, error }: ContactState): boolean {
    if (startTime !== undefined || CONFIRMED.has(state)) return true;
    if (error !== null && ANNOUNCED_BY_RECORDER.has(error.code)) return true;
    return this.options.client.appState?.contacts.some((one) => one.contactId === contactId) ?? false;
  }

  /** Null: nothing is wrong yet, or it is not known what. */
  #codeOf({ state, error }: ContactState): FailureCode | null {
    const { connection } = this.options.client;
    switch (connection.kind) {
      case 'connecting':
      case 'closed':
        return null;
      case 'connected':
        return state === 'failed' && error !== null ? refusalCode(error.code) : null;
      case 'not-running':
        return 'CLIENT_APP_NOT_RUNNING';
      case 'blocked':
        return 'CLIENT_LOCAL_NETWORK_ACCESS_BLOCKED';
      case 'refused':
        return refusalCode(connection.code);
      case 'wrong-version':
        return 'CLIENT_CONNECTION_ERROR';
    }
  }

  /** A contact has ended of which the recorder has never heard. */
  #ended(watched: Watched, now: number): void {
    const { contactId } = watched.contact;
    this.#change(async () => {
      const isReported = await this.store.update((records) => contactEnded(records, contactId, now));
      if (!isReported) await this.#store(watched, watched.code ?? 'CLIENT_CONNECTION_ERROR', now, now);
      this.sender.wake();
    });
  }

  #add(watched: Watched, code: FailureCode, now: number, dueAt: number): void {
    this.#change(async () => {
      await this.#store(watched, code, now, dueAt);
      this.sender.wake();
    });
  }

  async #store(
    { contact, wantedSince }: Watched,
    code: FailureCode,
    now: number,
    dueAt: number,
  ): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined) return;
    const { contactId } = contact;
    const event = failureEvent({ identity, contact, code, wantedSince, now, appVersion: this.#appVersion });
    await this.store.update((records) => addEvent(records, { contactId, code, event, now, dueAt }));
  }

  /** Any event of a contact: the recorder knows it. */
  #heard(event: Readonly<Record<string, unknown>>): void {
    const { contactArn } = (event['detail'] ?? {}) as { contactArn?: unknown };
    if (typeof contactArn !== 'string') return;
    const contactId = contactArn.slice(contactArn.lastIndexOf('/') + 1);
    const watched = this.#watched.get(contactId);
    if (watched === undefined || watched.isKnown) return;
    watched.isKnown = true;
    const now = Date.now();
    this.#change(() => this.store.update((records) => contactIsKnown(records, contactId, now)));
  }

  #change(action: () => Promise<unknown>): void {
    this.#changes = this.#changes.then(action).catch((error: unknown) => {
      // eslint-disable-next-line no-console -- the page's developer reads it there
      console.warn('Sightline: an event could not be queued.', error);
    });
  }
}

function refusalCode(code: string): FailureCode {
  return code === 'MULTIPLE_CCP_INTERACTION' || code === 'CLIENT_AUTH_ERROR'
    ? code
    : 'CLIENT_CONNECTION_ERROR';
}

/** Opened at the first use. */
function lazyStore(): FailureStore {
  let opened: Promise<FailureStore> | undefined;
  return {
    update: async (change) => (await (opened ??= openStore())).update(change),
    close: () => void opened?.then((store) => store.close()),
  };
}
