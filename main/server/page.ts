// One connected page: its frames in, replies and pushes out. Nothing but `hello` is answered until it has succeeded.
// While its token is checked, the frames that follow are queued, and only a suspend takes effect at once.

import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import type { Readiness } from '../session/readiness.ts';
import type { Session } from '../session/service.ts';
import type { StatusHub } from '../status/hub.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { SightlineError, errorMessage, failure, toFailure } from '../shared/errors.ts';
import type {
  ContactStart,
  Hello,
  HelloReply,
  Identity,
  Push,
  Reply,
  ReplyFields,
  Request,
  RequestFailure,
} from '../shared/protocol.ts';
import { identitySchema, parseFrame } from '../shared/protocol.ts';
import { within } from '../platform/deadline.ts';
import type { Logger } from '../platform/log.ts';
import { Attempts, AuthenticationError } from './authentication.ts';
import type { Authentication } from './authentication.ts';
import type { RefusedContacts } from './refusedContacts.ts';

export interface PageServices {
  readonly session: Pick<Session, 'hello' | 'pageLeft' | 'contact' | 'recordings' | 'isQuiet'>;
  readonly hub: StatusHub;
  readonly readiness: Pick<Readiness, 'describe'>;
  /** null: policy requires no token. */
  readonly authentication: Pick<Authentication, 'authenticate'> | null;
  /** For the credentials broker, once hello has succeeded. */
  readonly onToken: (agentArn: string, token: string) => void;
  /** Of the upgrade's header: names the browser where hello does not. */
  readonly userAgent: string | undefined;
  /** Whether policy still allows the page's origin. */
  readonly isAllowed: () => boolean;
  /** Whether another page may join. */
  readonly hasRoom: () => boolean;
  /** Contacts of a page that was refused because of another agent. */
  readonly refusedContacts: Pick<RefusedContacts, 'refuse'>;
  /** hello has succeeded. */
  readonly onJoined: () => void;
  readonly log: Logger;
}

/** A page that does not read its messages is disconnected before they fill the memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const CLOSE_POLICY_VIOLATION = 1008;
/** Of 64 KiB at most, each. */
const MAX_QUEUED_FRAMES = 32;
/** A page that reconnects may start all the contacts that an agent can have at once. */
const MAX_UNANSWERED = 32;
/** Browsers send about 120 characters. */
const MAX_USER_AGENT = 256;
/** At a start the spool is searched before a hello is answered. A disk that stalls must not keep the page waiting forever. */
const DESCRIBE_DEADLINE_MS = 30_000;

interface Frame {
  readonly id: string;
  readonly request: Request;
}

export class Page {
  private readonly id = randomUUID();
  private ready = false;
  private unanswered = 0;
  private isDisconnecting = false;
  private identity: Identity | null = null;
  /** The agent of its latest hello, if that was refused because another one is connected. */
  private refusedAgent: Identity | null = null;
  private unsubscribe: () => void = () => undefined;
  /** What came while the page's first hello is checked; null: no check is pending. */
  private queue: Frame[] | null = null;
  private readonly attempts = new Attempts();

  constructor(
    private readonly socket: WebSocket,
    private readonly origin: string,
    private readonly services: PageServices,
  ) {
    const { log, session } = services;
    const page = { page: this.id, origin };
    log.info('page connected', page);
    socket.on('message', (data, isBinary) => {
      if (isBinary)
        this.refuse(null, 'INVALID_MESSAGE', 'Binary frames are not supported. Send JSON as text.');
      else this.receive(textOf(data));
    });
    // A frame over the limit is such an error; ws then closes with 1009.
    socket.on('error', (error) => log.warn('page error', { ...page, reason: error.message }));
    socket.on('close', (code) => {
      log.info('page gone', { ...page, code });
      this.unsubscribe();
      if (this.ready) session.pageLeft(this.id);
      this.ready = false;
      this.queue = null;
    });
  }

  /** The page still gets the answers to its requests, and nothing more. */
  disconnectUnlessAllowed(): void {
    const { isAllowed, log } = this.services;
    if (this.isDisconnecting || isAllowed()) return;
    this.isDisconnecting = true;
    const page = { page: this.id, origin: this.origin };
    log.warn('a page is disconnected: policy no longer allows its origin', page);
    this.closeIfDisconnecting();
  }

  private receive(text: string): void {
    if (this.isDisconnecting) return;
    const frame = parseFrame(text);
    if (!frame.ok) return this.refuse(frame.id, 'INVALID_MESSAGE', frame.message);
    if (this.queue === null) this.handle(frame);
    else this.enqueue(this.queue, frame);
  }

  private handle({ id, request }: Frame): void {
    const isHello = request.type === 'hello';
    if (!this.ready && this.refusedAgent !== null && request.type === 'contact.start')
      return this.refuseContact(id, request, this.refusedAgent);
    if (!this.ready && !isHello)
      return this.refuse(
        id,
        'NOT_READY',
        'Send hello first; nothing else is answered before hello succeeds.',
      );
    // A suspend is never refused for this limit.
    if (this.unanswered >= MAX_UNANSWERED && request.type !== 'contact.suspend')
      return this.refuse(
        id,
        'TOO_MANY_REQUESTS',
        `${MAX_UNANSWERED} requests of this page are unanswered. Wait for some answers before sending more.`,
      );
    if (!this.ready && this.services.authentication !== null) this.queue = [];
    this.unanswered += 1;
    // Decremented before the queued frames are handled.
    const answer = this.answer(request).finally(() => (this.unanswered -= 1));
    const answered = answer.then(
      (fields) => {
        this.send({ re: id, ok: true, ...fields });
        if (!isHello) return;
        this.subscribe();
        this.handleQueued();
      },
      (error: unknown) => {
        this.send({ re: id, ok: false, error: this.explain(request.type, error) });
        if (isHello) this.handleQueued();
      },
    );
    void answered.then(() => this.closeIfDisconnecting());
  }

  /** The agent takes a contact that cannot be recorded: this must be known. */
  private refuseContact(id: string, { type: _, ...contact }: ContactStart, agent: Identity): void {
    const { isAllowed, refusedContacts } = this.services;
    if (!isAllowed()) return this.refuse(id, 'NOT_READY', 'Policy no longer allows this page.');
    this.send({ re: id, ok: false, error: refusedContacts.refuse(contact, agent) });
  }

  private closeIfDisconnecting(): void {
    if (this.isDisconnecting && this.unanswered === 0)
      this.socket.close(CLOSE_POLICY_VIOLATION, 'Policy no longer allows this origin');
  }

  private enqueue(queue: Frame[], frame: Frame): void {
    const { id, request } = frame;
    if (request.type === 'contact.suspend') {
      // In doubt less is recorded: it takes effect before its sender is known, is requested again and answered in its
      // turn, and stays in force when the page is refused, because another page may rely on it by then.
      const { log, session } = this.services;
      log.info('suspending for a page that is still being checked', { page: this.id, origin: this.origin });
      session.contact(request).catch(() => undefined);
    }
    if (queue.length >= MAX_QUEUED_FRAMES)
      return this.refuse(id, 'NOT_READY', 'hello is still being checked. Wait for its answer.');
    queue.push(frame);
  }

  /** In the order of arrival and in one step: no frame gets through between a resume and the suspend behind it. */
  private handleQueued(): void {
    const frames = this.queue ?? [];
    this.queue = null;
    for (const frame of frames) {
      // A hello among them may be checked as well, and queue the rest.
      const queue = this.queue as Frame[] | null;
      if (queue === null) this.handle(frame);
      else queue.push(frame);
    }
  }

  /** Called in the step in which the frame was received: a suspend takes effect before this returns. */
  private async answer(request: Request): Promise<ReplyFields> {
    const { session, hub } = this.services;
    switch (request.type) {
      case 'hello':
        return this.hello(request);
      case 'contact.start':
        // The page stays connected for its open contacts, which no other page may be able to suspend, but starts no more.
        if (!this.services.isAllowed())
          throw new SightlineError(
            'CLIENT_AUTH_ERROR',
            `Policy no longer allows ${this.origin}. Ask for it to be added to "allowedDomains".`,
          );
        return session.contact(request);
      case 'contact.suspend':
      case 'contact.resume':
      case 'contact.stop':
        return session.contact(request);
      case 'status':
        return {
          ...{ state: hub.state.state, reason: hub.state.reason },
          ...{ recordings: session.recordings(), rev: hub.rev },
        };
      case 'ping':
        return {};
    }
  }

  private async hello(request: Hello): Promise<HelloReply> {
    const { session, authentication, readiness, hasRoom, onJoined, onToken } = this.services;
    this.refusedAgent = null;
    if (!this.ready && !hasRoom())
      throw new SightlineError(
        'TOO_MANY_REQUESTS',
        'Too many pages are connected to Sightline. Close some of them, and send hello again.',
      );
    await authentication?.authenticate(request, this.origin, this.attempts);
    const info = await within(readiness.describe(), DESCRIBE_DEADLINE_MS, null);
    if (info === null)
      throw new SightlineError(
        'SERVICE_ISSUE',
        'Sightline is still reading its disk. Send hello again; nothing is recorded before.',
      );
    const identity = identitySchema.parse({ ...this.browser(), ...request });
    // A hello can end the contacts of the agent before: not on behalf of a page that did not wait.
    if (this.isGone()) throw pageIsGone();
    try {
      const recordings = await session.hello(this.id, identity);
      if (this.isGone()) throw pageIsGone();
      this.ready = true;
      onJoined();
      this.identity = identity;
      if (request.token !== undefined) onToken(identity.agentArn, request.token);
      return { ...info, sessionId: this.id, recordings };
    } catch (error) {
      // The session may count the page already: when hello is answered at its deadline, or the page went away meanwhile.
      if (!this.ready) session.pageLeft(this.id);
      const isRefused = error instanceof SightlineError && error.code === 'MULTIPLE_CCP_INTERACTION';
      if (isRefused && !this.ready) this.refusedAgent = identity;
      throw error;
    }
  }

  /** For a hello that names none. It becomes part of events and manifests. */
  private browser(): Pick<Identity, 'browser'> {
    const text = (this.services.userAgent ?? '').replaceAll(/\p{C}/gu, '').trim();
    return text === '' ? {} : { browser: text.slice(0, MAX_USER_AGENT) };
  }

  private subscribe(): void {
    this.unsubscribe();
    this.unsubscribe = this.services.hub.subscribe((push) => {
      if (this.concernsAgent(push)) this.send(push);
    });
    this.send(this.services.hub.state);
  }

  /** The recordings of another agent may be published while this one is connected. */
  private concernsAgent(push: Push): boolean {
    return push.type !== 'recording.status' || push.event.detail.agentArn === this.identity?.agentArn;
  }

  private explain(type: Request['type'], error: unknown): RequestFailure {
    if (error instanceof AuthenticationError) {
      const { retryAfterSeconds } = error;
      const again = retryAfterSeconds === null ? {} : { retryAfterSeconds };
      return { ...toFailure(error), retryable: retryAfterSeconds !== null, ...again };
    }
    if (error instanceof SightlineError) return toFailure(error);
    const { log } = this.services;
    log.error('a request failed unexpectedly', { type, origin: this.origin, reason: errorMessage(error) });
    return failure('SERVICE_ISSUE', 'Sightline could not handle the request. Its log says why.');
  }

  private refuse(id: string | null, code: ErrorCode, message: string): void {
    this.send({ re: id, ok: false, error: failure(code, message) });
  }

  private isGone(): boolean {
    return this.socket.readyState !== this.socket.OPEN;
  }

  private send(message: Reply | Push): void {
    if (this.isGone()) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.socket.close(CLOSE_POLICY_VIOLATION, 'The page does not read its messages');
      return;
    }
    this.socket.send(JSON.stringify(message));
  }
}

function pageIsGone(): SightlineError {
  return new SightlineError('CLIENT_CONNECTION_ERROR', 'The page went away before hello was answered.');
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString('utf8');
}
