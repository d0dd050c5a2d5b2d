// The typed client of docs/protocol.md: connects automatically and reconnects until it is closed. Each attempt is a health
// fetch (health.ts), a websocket (socket.ts) and hello. A failure stays visible until another attempt ends differently, so
// that an indicator does not flicker.

import type { AppState, Client, ClientOptions, Connection, ContactInfo, Unsubscribe } from '../contract.ts';
import { Listeners } from '../listeners.ts';
import type { HelloReply, Push, RequestFailure, Requests } from '../protocol.ts';
import { DEFAULT_PORT, PROTOCOL_VERSION } from '../protocol.ts';
import { browserName } from './browser.ts';
import { RequestError, clientError } from './error.ts';
import { helloReply, pongReply, resumeReply, startReply, stopReply, suspendReply } from './frames.ts';
import { fetchHealth } from './health.ts';
import { loopbackPermission } from './permission.ts';
import { Socket } from './socket.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
/** A connection that ends sooner counts as a failed attempt: a program that accepts and closes must not keep the page busy. */
const PROVEN_MS = 5000;
const PING_MS = 20_000;
const TOKEN_MS = 30_000;
/** What a recorder may ask for between two hellos. */
const LONGEST_RETRY_SECONDS = 120;

export function createClient(options: ClientOptions): Client {
  return new SightlineClient(options);
}

class SightlineClient implements Client {
  connection: Connection = { kind: 'connecting' };
  appState: AppState | undefined;
  private socket: Socket | undefined;
  private token: string | undefined;
  /** Attempts in a row that led to no lasting connection. */
  private failures = 0;
  private wake: () => void = () => undefined;
  private readonly ending = new AbortController();
  private readonly changes = new Listeners();
  private readonly statusEvents = new Listeners<[Readonly<Record<string, unknown>>]>();
  private readonly resumes = new Listeners<[string, 'time-limit' | 'restart']>();

  constructor(private readonly options: ClientOptions) {
    const { signal } = this.ending;
    const now = (): void => this.connectNow();
    const seen = (): void => {
      if (document.visibilityState === 'visible') this.connectNow();
    };
    addEventListener('online', now, { signal });
    addEventListener('pageshow', now, { signal });
    document.addEventListener('visibilitychange', seen, { signal });
    void loopbackPermission().then((permission) => permission?.addEventListener('change', now, { signal }));
    void this.run();
  }

  subscribe(listener: () => void): Unsubscribe {
    const unsubscribe = this.changes.add(listener);
    listener();
    return unsubscribe;
  }

  onStatusEvent(listener: (event: Readonly<Record<string, unknown>>) => void): Unsubscribe {
    return this.statusEvents.add(listener);
  }

  onResumed(listener: (contactId: string, cause: 'time-limit' | 'restart') => void): Unsubscribe {
    return this.resumes.add(listener);
  }

  start({ contactId, channel, initialContactId, queue, attributes }: ContactInfo) {
    const fields = {
      ...{ contactId, channel },
      ...(initialContactId === undefined ? {} : { initialContactId }),
      ...(queue === undefined ? {} : { queue }),
      ...(attributes === undefined ? {} : { attributes }),
    };
    return this.request('contact.start', fields, startReply);
  }

  suspend(contactId: string, reason?: string) {
    const fields = reason === undefined ? { contactId } : { contactId, reason: reason.slice(0, 1024) };
    return this.request('contact.suspend', fields, suspendReply);
  }

  resume(contactId: string) {
    return this.request('contact.resume', { contactId }, resumeReply);
  }

  stop(contactId: string) {
    return this.request('contact.stop', { contactId }, stopReply);
  }

  connectNow(): void {
    this.wake();
  }

  close(): void {
    if (this.connection.kind === 'closed') return;
    this.show({ kind: 'closed' });
    this.ending.abort();
    this.socket?.close();
    this.wake();
    for (const listeners of [this.changes, this.statusEvents, this.resumes]) listeners.clear();
  }

  private isClosed(): boolean {
    return this.ending.signal.aborted;
  }

  private async run(): Promise<void> {
    while (!this.isClosed()) {
      const began = performance.now();
      const wasConnected = await this.connect().catch((error: unknown) => {
        // The page's identity, or a browser that opens no such websocket.
        const reason = error instanceof Error ? error.message : String(error);
        this.show(refusedBy(clientError('CLIENT_CONNECTION_ERROR', `The page cannot connect: ${reason}`)));
        return false;
      });
      if (wasConnected && performance.now() - began >= PROVEN_MS) this.failures = 0;
      if (this.isClosed()) return;
      await this.pause(this.backoffMs());
    }
  }

  /** 0.5, 1, 2 ... 15 s, less up to half: all pages of a company lose their recorders at the same moment of an update. */
  private backoffMs(): number {
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    return longest * (1 - Math.random() / 2);
  }

  /** @returns whether hello succeeded; resolves when the connection, or the attempt, has ended */
  private async connect(): Promise<boolean> {
    const { port = DEFAULT_PORT } = this.options;
    const asked = (): void => this.show({ kind: 'blocked', permission: 'prompt' });
    const health = await fetchHealth(port, asked, this.ending.signal);
    if (this.isClosed()) return false;
    if (!health.ok) {
      this.show(health.why);
      return false;
    }
    const { protocol } = health.health;
    const identity = await this.options.identity;
    if (this.isClosed()) return false;
    const socket = new Socket(port, (push) => this.receive(push));
    this.socket = socket;
    if (!(await socket.opened)) {
      this.show(
        protocol === PROTOCOL_VERSION
          ? refusedBy(clientError('CLIENT_CONNECTION_ERROR', 'Sightline answers, but opens no websocket.'))
          : { kind: 'wrong-version', recorderProtocol: protocol },
      );
      return false;
    }
    const said = await this.sayHello(socket, identity, protocol);
    if (said === undefined) return false;
    const { appVersion, sessionId, recordings, suspendMaxSeconds } = said;
    this.show({ kind: 'connected', appVersion, sessionId, recordings, suspendMaxSeconds });
    const heartbeat = setInterval(() => {
      // A recorder that does not answer any more would otherwise seem to record.
      this.requestOn(socket, 'ping', {}, pongReply).catch((error: unknown) => {
        if (error instanceof RequestError && error.code === 'TIMEOUT') socket.close();
      });
    }, PING_MS);
    await socket.closed;
    clearInterval(heartbeat);
    this.appState = undefined;
    this.show({ kind: 'connecting' });
    return true;
  }

  /** Says hello until it succeeds or the socket closes: a start that is refused because of another agent needs the socket. */
  private async sayHello(
    socket: Socket,
    identity: Awaited<ClientOptions['identity']>,
    protocol: number,
  ): Promise<HelloReply | undefined> {
    for (let refusals = 0; socket.isOpen(); refusals++) {
      const hadToken = this.token !== undefined;
      try {
        this.token ??= await this.freshToken();
        const hello = {
          ...helloFields(identity),
          ...(this.token === undefined ? {} : { token: this.token }),
        };
        return await this.requestOn(socket, 'hello', hello, helloReply);
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        const { failure } = error;
        if (!socket.isOpen()) {
          // Not closed by us: then nothing is to be shown but what the next attempt finds.
          if (failure.code !== 'CLIENT_CONNECTION_ERROR') this.show(refusedBy(error));
          return undefined;
        }
        if (failure.code === 'INVALID_MESSAGE' && protocol !== PROTOCOL_VERSION) {
          socket.close();
          this.show({ kind: 'wrong-version', recorderProtocol: protocol });
          return undefined;
        }
        if (failure.code === 'TIMEOUT' || failure.code === 'CLIENT_CONNECTION_ERROR') {
          socket.close();
          this.show(refusedBy(error));
          return undefined;
        }
        const isTokenBad = failure.code === 'CLIENT_AUTH_ERROR' && failure.retryable === false;
        if (isTokenBad) this.token = undefined;
        // A token from an earlier connection may just have expired: the agent need not see that.
        if (isTokenBad && hadToken && refusals === 0 && this.options.token !== undefined) continue;
        this.show(refusedBy(error));
        await Promise.race([socket.closed, this.pause(this.helloWaitMs(failure))]);
      }
    }
    return undefined;
  }

  private helloWaitMs({ retryAfterSeconds }: RequestFailure): number {
    const least = Math.min(Math.max(retryAfterSeconds ?? 0, 0), LONGEST_RETRY_SECONDS) * 1000;
    return Math.max(least, this.backoffMs());
  }

  private async freshToken(): Promise<string | undefined> {
    const { token } = this.options;
    if (token === undefined) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it took too long')), TOKEN_MS);
    });
    try {
      return await Promise.race([Promise.resolve().then(token), late]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw clientError('CLIENT_AUTH_ERROR', `The page has no token for Sightline: ${reason}`);
    } finally {
      clearTimeout(timer);
    }
  }

  private receive(push: Push): void {
    // Before the answer to hello, a recorder pushes nothing.
    if (this.connection.kind !== 'connected') return;
    switch (push.type) {
      case 'app.state': {
        const { type: _, rev: __, ...state } = push;
        this.appState = state;
        return this.changes.call();
      }
      case 'recording.status':
        return this.statusEvents.call(push.event);
      case 'contact.resumed':
        return this.resumes.call(push.contactId, push.cause);
    }
  }

  private async request<Type extends keyof Requests, Reply>(
    type: Type,
    fields: Requests[Type],
    parse: (reply: Readonly<Record<string, unknown>>) => Reply | undefined,
  ): Promise<Reply> {
    const { connection, socket } = this;
    const isAllowed =
      connection.kind === 'connected' ||
      type === 'contact.suspend' ||
      (type === 'contact.start' && isOtherAgent(connection));
    if (!isAllowed || !socket?.isOpen())
      throw clientError('CLIENT_APP_NOT_RUNNING', 'The page is not connected to Sightline.');
    return this.requestOn(socket, type, fields, parse);
  }

  private async requestOn<Type extends keyof Requests, Reply>(
    socket: Socket,
    type: Type,
    fields: Requests[Type],
    parse: (reply: Readonly<Record<string, unknown>>) => Reply | undefined,
  ): Promise<Reply> {
    const reply = parse(await socket.request(type, fields));
    if (reply === undefined)
      throw clientError('CLIENT_CONNECTION_ERROR', `The answer to "${type}" is not one of Sightline.`);
    return reply;
  }

  private show(connection: Connection): void {
    if (this.isClosed() || JSON.stringify(connection) === JSON.stringify(this.connection)) return;
    this.connection = connection;
    this.changes.call();
  }

  /** Ends early by `connectNow`. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function helloFields({
  agentArn,
  instanceArn,
  ...more
}: Awaited<ClientOptions['identity']>): Requests['hello'] {
  const { instanceAlias, agentUsername, ccpVersion } = more;
  return {
    ...{ protocol: PROTOCOL_VERSION, agentArn, instanceArn, browser: browserName() },
    ...(instanceAlias === undefined ? {} : { instanceAlias }),
    ...(agentUsername === undefined ? {} : { agentUsername }),
    ...(ccpVersion === undefined ? {} : { ccpVersion }),
  };
}

function refusedBy({ code, message }: RequestError): Connection {
  return { kind: 'refused', code, message };
}

function isOtherAgent(connection: Connection): boolean {
  return connection.kind === 'refused' && connection.code === 'MULTIPLE_CCP_INTERACTION';
}
