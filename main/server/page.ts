// One connected page: its frames in, replies and pushes out. Nothing but `hello` is answered until it has succeeded;
// while its token is being checked, what follows waits, and only a suspend takes hold before the check has ended.

import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import type { SessionCommands } from '../session/service.ts';
import type { Identity } from '../session/state.ts';
import type { StatusHub } from '../status/hub.ts';
import { SightlineError, failure, toFailure } from '../shared/errors.ts';
import type {
  Hello,
  HelloReply,
  Push,
  Reply,
  ReplyFields,
  Request,
  RequestFailure,
} from '../shared/protocol.ts';
import { parseFrame } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';
import { AdmissionError, Tries } from './admission.ts';
import type { Admission } from './admission.ts';

export interface PageServices {
  readonly session: SessionCommands;
  readonly hub: StatusHub;
  /** The part of hello's reply that says what this recorder is. */
  readonly describe: () => Promise<Omit<HelloReply, 'recordings' | 'sessionId'>>;
  /** Who may come in besides the guard's rules; null: whoever has passed them. */
  readonly admission: Pick<Admission, 'admit'> | null;
  /** For the broker of credentials, once the page is let in. */
  readonly onToken: (agentArn: string, token: string) => void;
  /** Whether policy still allows the page's origin. */
  readonly isAllowed: () => boolean;
  /** Whether another page may join. */
  readonly hasRoom: () => boolean;
  /** hello has succeeded. */
  readonly onJoined: () => void;
  readonly log: Logger;
}

/** A page that does not read what it is sent is cut off before it costs memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const CLOSE_POLICY_VIOLATION = 1008;
/** Of 64 KiB at most, each. */
const MAX_HELD_FRAMES = 32;
/** A page that comes back may start again, at once, all the contacts that an agent can have. */
const MAX_UNANSWERED = 32;

interface Frame {
  readonly id: string;
  readonly request: Request;
}

/** @returns the way to show the page out: it gets the answers that it waits for, and nothing more */
export function servePage(socket: WebSocket, origin: string, services: PageServices): () => void {
  const page = new Page(socket, origin, services);
  page.serve();
  return () => page.showOut();
}

class Page {
  private readonly id = randomUUID();
  private ready = false;
  private unanswered = 0;
  private isShownOut = false;
  private identity: Identity | null = null;
  private unsubscribe: () => void = () => undefined;
  /** What came while the page's first hello was being checked; null: no check is under way. */
  private held: Frame[] | null = null;
  private readonly tries = new Tries();

  constructor(
    private readonly socket: WebSocket,
    private readonly origin: string,
    private readonly services: PageServices,
  ) {}

  serve(): void {
    this.services.log.info('page connected', { page: this.id, origin: this.origin });
    this.socket.on('message', (data, isBinary) => {
      if (isBinary) {
        this.refuse(
          null,
          failure('INVALID_MESSAGE', 'Binary frames are not understood. Send JSON in a text frame.'),
        );
      } else {
        this.receive(textOf(data));
      }
    });
    // A frame over the limit is such an error; ws then closes with 1009 by itself.
    this.socket.on('error', (error) =>
      this.services.log.warn('page error', {
        page: this.id,
        origin: this.origin,
        reason: error.message,
      }),
    );
    this.socket.on('close', (code) => {
      this.services.log.info('page gone', { page: this.id, origin: this.origin, code });
      this.unsubscribe();
      if (this.ready) this.services.session.pageLeft(this.id);
      this.ready = false;
      this.held = null;
    });
  }

  private receive(text: string): void {
    if (this.isShownOut) return;
    const frame = parseFrame(text);
    if (!frame.ok) return this.refuse(frame.id, failure('INVALID_MESSAGE', frame.message));
    if (this.held === null) this.handle(frame);
    else this.hold(this.held, frame);
  }

  private handle({ id, request }: Frame): void {
    const isHello = request.type === 'hello';
    if (!this.ready && !isHello) {
      return this.refuse(
        id,
        failure('NOT_READY', 'Send hello first; nothing else is answered before it succeeds.'),
      );
    }
    // A suspend is never one too many.
    if (this.unanswered >= MAX_UNANSWERED && request.type !== 'contact.suspend') {
      return this.refuse(
        id,
        failure(
          'TOO_MANY_REQUESTS',
          `${MAX_UNANSWERED} requests of this page wait for their answers. Wait for some of them before sending more.`,
        ),
      );
    }
    if (!this.ready && this.services.admission !== null) this.held = [];
    this.unanswered += 1;
    // Not counted any more when those that waited for a hello are handled.
    const answer = this.answer(request).finally(() => (this.unanswered -= 1));
    const answered = answer.then(
      (fields) => {
        this.send({ re: id, ok: true, ...fields });
        if (!isHello) return;
        this.welcome();
        this.release();
      },
      (error: unknown) => {
        this.refuse(id, this.explain(request.type, error));
        if (isHello) this.release();
      },
    );
    void answered.then(() => this.closeIfShownOut());
  }

  /** Policy does not allow its origin any more. */
  showOut(): void {
    if (this.isShownOut) return;
    this.isShownOut = true;
    this.services.log.warn('a page is closed: policy does not allow its origin any more', {
      page: this.id,
      origin: this.origin,
    });
    this.closeIfShownOut();
  }

  private closeIfShownOut(): void {
    if (this.isShownOut && this.unanswered === 0)
      this.socket.close(CLOSE_POLICY_VIOLATION, 'Policy does not allow this origin any more');
  }

  private hold(held: Frame[], frame: Frame): void {
    const { id, request } = frame;
    if (request.type === 'contact.suspend') {
      // Whoever may turn out to ask, nothing is captured from now on: in doubt less is recorded. It is asked again, and
      // answered, in its turn; and it stays in force when the page is refused, because another may rely on it by then.
      const { log, session } = this.services;
      log.info('suspending for a page that is still being checked', { page: this.id, origin: this.origin });
      session.contact(request).catch(() => undefined);
    }
    if (held.length >= MAX_HELD_FRAMES) {
      return this.refuse(id, failure('NOT_READY', 'hello is still being checked. Wait for its answer.'));
    }
    held.push(frame);
  }

  /** In the order of their arrival and in one step: a resume with a suspend behind it lets nothing through. */
  private release(): void {
    const frames = this.held ?? [];
    this.held = null;
    for (const frame of frames) {
      // A hello among them that is being checked in its turn.
      const held = this.held as Frame[] | null;
      if (held === null) this.handle(frame);
      else held.push(frame);
    }
  }

  /** Called in the step in which the frame was received: a suspend takes hold before this returns. */
  private async answer(request: Request): Promise<ReplyFields> {
    const { session, hub } = this.services;
    switch (request.type) {
      case 'hello':
        return this.hello(request);
      case 'contact.start':
        // It stays for what is on, which nobody else can suspend; nothing more is to come of it.
        if (!this.services.isAllowed())
          throw new SightlineError(
            'CLIENT_AUTH_ERROR',
            `Policy does not allow ${this.origin} any more. Ask for it to be added to "allowedDomains".`,
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
    if (!this.ready && !this.services.hasRoom()) {
      throw new SightlineError(
        'TOO_MANY_REQUESTS',
        'Too many pages are connected to Sightline. Close some of them, and say hello again.',
      );
    }
    await this.services.admission?.admit(request, this.origin, this.tries);
    const description = await this.services.describe();
    const identity = identityOf(request);
    // A hello can end the contacts of the agent before: not on behalf of a page that did not wait.
    if (this.isGone()) throw pageIsGone();
    const recordings = await this.services.session.hello(this.id, identity);
    if (this.isGone()) {
      // Its "close" came before it had joined; without this the session would count it for ever.
      this.services.session.pageLeft(this.id);
      throw pageIsGone();
    }
    this.ready = true;
    this.services.onJoined();
    this.identity = identity;
    if (request.token !== undefined) this.services.onToken(identity.agentArn, request.token);
    return { ...description, sessionId: this.id, recordings };
  }

  private welcome(): void {
    this.unsubscribe();
    this.unsubscribe = this.services.hub.subscribe((push) => {
      if (this.isItsBusiness(push)) this.send(push);
    });
    this.send(this.services.hub.state);
  }

  /** The recordings of the agent before may be published while this one is here. */
  private isItsBusiness(push: Push): boolean {
    return push.type !== 'recording.status' || push.event.detail.agentArn === this.identity?.agentArn;
  }

  private explain(type: Request['type'], error: unknown): RequestFailure {
    if (error instanceof AdmissionError) {
      const { retryAfterSeconds } = error;
      const again = retryAfterSeconds === null ? {} : { retryAfterSeconds };
      return { ...toFailure(error), retryable: retryAfterSeconds !== null, ...again };
    }
    if (!(error instanceof SightlineError)) {
      const { log } = this.services;
      log.error('a request failed unexpectedly', { type, origin: this.origin, reason: String(error) });
    }
    return toFailure(error, 'SERVICE_ISSUE');
  }

  private refuse(id: string | null, error: RequestFailure): void {
    this.send({ re: id, ok: false, error });
  }

  private isGone(): boolean {
    return this.socket.readyState !== this.socket.OPEN;
  }

  private send(message: Reply | Push): void {
    if (this.isGone()) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.socket.close(CLOSE_POLICY_VIOLATION, 'The page does not read what it is sent');
      return;
    }
    this.socket.send(JSON.stringify(message));
  }
}

function pageIsGone(): SightlineError {
  return new SightlineError('CLIENT_CONNECTION_ERROR', 'The page went away before hello was answered.');
}

function identityOf(hello: Hello): Identity {
  const { agentArn, instanceArn, instanceAlias, agentUsername, browser } = hello;
  return {
    agentArn,
    instanceArn,
    ...(instanceAlias === undefined ? {} : { instanceAlias }),
    ...(agentUsername === undefined ? {} : { agentUsername }),
    ...(browser === undefined ? {} : { browser }),
  };
}

function textOf(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString('utf8');
  return Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]).toString('utf8');
}
