// One connected page: its frames in, replies and pushes out. Nothing but `hello` is answered until it has succeeded.

import { randomUUID } from 'node:crypto';
import type { RawData, WebSocket } from 'ws';
import type { SessionCommands } from '../session/service.ts';
import type { Identity } from '../session/state.ts';
import type { StatusHub } from '../status/hub.ts';
import { SightlineError, failure, toFailure } from '../shared/errors.ts';
import type { Failure } from '../shared/errors.ts';
import type { Hello, HelloReply, Push, Reply, ReplyFields, Request } from '../shared/protocol.ts';
import { parseFrame } from '../shared/protocol.ts';
import type { Logger } from '../platform/log.ts';

export interface PageServices {
  readonly session: SessionCommands;
  readonly hub: StatusHub;
  /** The part of hello's reply that says what this recorder is. */
  readonly describe: () => Promise<Omit<HelloReply, 'recordings' | 'sessionId'>>;
  /** For the broker of credentials; goes nowhere else. */
  readonly onToken: (agentArn: string, token: string) => void;
  /** Whether policy still allows the page's origin. */
  readonly isAllowed: () => boolean;
  readonly log: Logger;
}

/** A page that does not read what it is sent is cut off before it costs memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const CLOSE_POLICY_VIOLATION = 1008;

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
      this.services.log.warn('page error', { page: this.id, reason: error.message }),
    );
    this.socket.on('close', (code) => {
      this.services.log.info('page gone', { page: this.id, code });
      this.unsubscribe();
      if (this.ready) this.services.session.pageLeft(this.id);
      this.ready = false;
    });
  }

  private receive(text: string): void {
    if (this.isShownOut) return;
    const frame = parseFrame(text);
    if (!frame.ok) return this.refuse(frame.id, failure('INVALID_MESSAGE', frame.message));
    const { id, request } = frame;
    if (!this.ready && request.type !== 'hello') {
      return this.refuse(
        id,
        failure('NOT_READY', 'Send hello first; nothing else is answered before it succeeds.'),
      );
    }
    this.unanswered += 1;
    const answered = this.answer(request).then(
      (fields) => {
        this.send({ re: id, ok: true, ...fields });
        if (request.type === 'hello') this.welcome();
      },
      (error: unknown) => this.refuse(id, this.explain(request.type, error)),
    );
    void answered.then(() => {
      this.unanswered -= 1;
      this.closeIfShownOut();
    });
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
        return { state: hub.state.state, recordings: session.recordings(), rev: hub.rev };
      case 'ping':
        return {};
    }
  }

  private async hello(request: Hello): Promise<HelloReply> {
    const description = await this.services.describe();
    const identity = identityOf(request);
    const recordings = await this.services.session.hello(this.id, identity);
    if (this.socket.readyState !== this.socket.OPEN) {
      // Its "close" came before it had joined; without this the session would count it for ever.
      this.services.session.pageLeft(this.id);
      throw new SightlineError('CLIENT_CONNECTION_ERROR', 'The page went away before hello was answered.');
    }
    this.ready = true;
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

  private explain(type: Request['type'], error: unknown): Failure {
    if (!(error instanceof SightlineError)) {
      this.services.log.error('a request failed unexpectedly', { type, reason: String(error) });
    }
    return toFailure(error, 'SERVICE_ISSUE');
  }

  private refuse(id: string | null, error: Failure): void {
    this.send({ re: id, ok: false, error });
  }

  private send(message: Reply | Push): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.socket.close(CLOSE_POLICY_VIOLATION, 'The page does not read what it is sent');
      return;
    }
    this.socket.send(JSON.stringify(message));
  }
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
