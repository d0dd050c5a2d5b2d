// Suspends and resumes for a flow or a Lambda function: this page subscribes at the relay (docs/aws-services.md), and acknowledges a
// request only when the recorder has confirmed it. Without an acknowledgement the caller knows that it cannot rely on it.

import type { ContactRecorder, Identity } from '../contract.ts';
import { parseRelayMessage, type PageMessage, type Wanted } from './messages.ts';

export interface RelayOptions {
  /** `wss://`; `ws://` on this computer only. */
  readonly url: string;
  /** A fresh token of the agent for each subscription. It has 30 s. */
  readonly token: () => string | Promise<string>;
  /** For the recording's manifest and the indicators; `suspended by the flow` unless told. */
  readonly reason?: string;
}

/** A bridge, or what a page has made itself. */
export interface RelaySource {
  readonly contacts: ContactRecorder;
  readonly identity: Identity | Promise<Identity>;
}

export interface Relay {
  /** `refused`: the last subscription; it is tried again every minute, with a new token. */
  readonly state: 'connecting' | 'subscribed' | 'refused' | 'closed';
  /** Suspensions that are in force stay. */
  close(): void;
}

const CAUSE = 'flow-relay';
const REASON = 'suspended by the flow';
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
const TOKEN_MS = 30_000;
/** API Gateway closes a connection that is idle for ten minutes. */
const PING_MS = 4 * 60_000;
/** Before the subscription expires. */
const RENEW_MS = 60_000;
/** Longer than a caller may wait. */
const ANSWER_MS = 30_000;
const MAX_CONTACTS = 32;

/** @throws TypeError for a URL that cannot be used */
export function relay(source: RelaySource, options: RelayOptions): Relay {
  return new RelayClient(source, options);
}

interface Pending extends Wanted {
  readonly until: number;
}

class RelayClient implements Relay {
  state: Relay['state'] = 'connecting';
  private readonly url: string;
  private socket: WebSocket | undefined;
  private failures = 0;
  private timers = new Set<ReturnType<typeof setTimeout>>();
  /** Ids of the contacts in the last subscription. */
  private subscribed: string | undefined;
  private isSubscribing = false;
  private readonly pending = new Map<string, Pending>();
  /** Of each contact, when its newest request was made. */
  private readonly newest = new Map<string, number>();
  private readonly unsubscribe: () => void;

  constructor(
    private readonly source: RelaySource,
    private readonly options: RelayOptions,
  ) {
    this.url = usableUrl(options.url);
    this.unsubscribe = source.contacts.subscribe(() => this.contactsChanged());
    this.connect();
  }

  close(): void {
    this.state = 'closed';
    this.unsubscribe();
    this.disconnect();
  }

  private connect(): void {
    if (this.state === 'closed') return;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.subscribed = undefined;
    socket.addEventListener('open', () => void this.subscribe(socket));
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.socket) this.received(data);
    });
    socket.addEventListener('close', () => {
      if (socket === this.socket) this.retry(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures));
    });
  }

  /** Connects again later, with a quarter of chance so that not all pages come at once. */
  private retry(ms: number): void {
    this.disconnect();
    if (this.state === 'subscribed') this.state = 'connecting';
    this.failures += 1;
    this.later(ms * (1 - Math.random() / 4), () => this.connect());
  }

  private disconnect(): void {
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.pending.clear();
    this.isSubscribing = false;
  }

  private async subscribe(socket: WebSocket): Promise<void> {
    if (this.isSubscribing) return;
    this.isSubscribing = true;
    try {
      const [{ agentArn, instanceArn }, token] = await Promise.all([
        this.source.identity,
        within(TOKEN_MS, this.options.token),
      ]);
      if (socket !== this.socket) return;
      this.isSubscribing = false;
      const contacts = this.source.contacts.contacts
        .slice(-MAX_CONTACTS)
        .map(({ contactId, initialContactId }) => ({
          contactId,
          ...(initialContactId === undefined ? {} : { initialContactId }),
        }));
      this.subscribed = this.ids();
      this.send({ type: 'subscribe', token, agentArn, instanceArn, contacts });
    } catch {
      // No token, now. Whoever signs the agent in shows that.
      if (socket === this.socket) this.retry(LONGEST_RETRY_MS);
    }
  }

  private received(data: unknown): void {
    const message = parseRelayMessage(data);
    switch (message?.type) {
      case 'subscribed':
        this.state = 'subscribed';
        this.failures = 0;
        for (const timer of this.timers) clearTimeout(timer);
        this.timers.clear();
        this.later(Math.max(RENEW_MS / 2, Date.parse(message.expiresAt) - Date.now() - RENEW_MS), () => {
          if (this.socket !== undefined) void this.subscribe(this.socket);
        });
        this.ping();
        for (const wanted of message.wanted) this.apply(wanted);
        this.contactsChanged();
        return;
      case 'refused':
        if (this.state !== 'refused')
          // eslint-disable-next-line no-console -- the page's developer reads it there
          console.warn(
            `Sightline: the relay refuses this page (${message.code}). Flows cannot suspend its recordings.`,
          );
        this.state = 'refused';
        this.retry(LONGEST_RETRY_MS);
        return;
      case 'request': {
        const { requestId, ...wanted } = message;
        // A later one has overtaken it: this one must not be confirmed.
        if (!this.apply(wanted)) return;
        this.pending.set(requestId, { ...wanted, until: Date.now() + ANSWER_MS });
        this.acknowledge();
        return;
      }
      case 'pong':
      case undefined:
        return;
    }
  }

  /** @returns false: an older request */
  private apply({ contactId, suspended, requestedAt }: Wanted): boolean {
    if (requestedAt < (this.newest.get(contactId) ?? 0)) return false;
    this.newest.set(contactId, requestedAt);
    const { contacts } = this.source;
    // Of a contact that is not recorded here any more, nothing must be remembered.
    if (!contacts.contacts.some((one) => one.contactId === contactId)) return true;
    if (suspended) contacts.suspend(contactId, CAUSE, this.options.reason ?? REASON);
    else contacts.resume(contactId, CAUSE);
    return true;
  }

  private contactsChanged(): void {
    this.acknowledge();
    if (this.subscribed === undefined || this.subscribed === this.ids()) return;
    if (this.socket !== undefined) void this.subscribe(this.socket);
    for (const contactId of this.newest.keys())
      if (!this.source.contacts.contacts.some((one) => one.contactId === contactId))
        this.newest.delete(contactId);
  }

  private acknowledge(): void {
    for (const [requestId, pending] of this.pending) {
      const outcome = this.outcomeOf(pending);
      if (outcome === null && pending.until > Date.now()) continue;
      this.pending.delete(requestId);
      if (outcome !== null) this.send({ type: 'acknowledge', requestId, outcome });
    }
  }

  /** null: the recorder has not confirmed it. */
  private outcomeOf({
    contactId,
    suspended,
    requestedAt,
  }: Wanted): 'suspended' | 'resumed' | 'not-recorded' | null {
    if (requestedAt < (this.newest.get(contactId) ?? 0)) return null;
    const contact = this.source.contacts.contacts.find((one) => one.contactId === contactId);
    if (contact === undefined) return 'not-recorded';
    const { state, causes } = contact;
    const isOurs = causes.includes(CAUSE);
    if (suspended) return isOurs && state === 'suspended' ? 'suspended' : null;
    const isOver = state === 'recording' || state === 'paused' || state === 'problem';
    return !isOurs && (isOver || (state === 'suspended' && causes.length > 0)) ? 'resumed' : null;
  }

  private ping(): void {
    this.later(PING_MS, () => {
      this.send({ type: 'ping' });
      this.ping();
    });
  }

  private send(message: PageMessage): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private ids(): string {
    return this.source.contacts.contacts.map(({ contactId }) => contactId).join(' ');
  }

  private later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      act();
    }, ms);
    this.timers.add(timer);
  }
}

function usableUrl(text: string): string {
  const url = new URL(text);
  const isHere = url.hostname === '127.0.0.1' || url.hostname === 'localhost' || url.hostname === '[::1]';
  if (url.protocol === 'wss:' || (url.protocol === 'ws:' && isHere)) return url.href;
  throw new TypeError('The URL of the relay must be wss://.');
}

async function within<Value>(ms: number, get: () => Value | Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('No token in time.')), ms);
  });
  try {
    return await Promise.race([get(), late]);
  } finally {
    clearTimeout(timer);
  }
}
