// One websocket: requests with deadlines, pushes, and limits on what the program at the other end may send. It knows nothing
// of hello and of reconnecting.

import type { Push, RequestFailure, Requests } from '../protocol.ts';
import { MAX_FRAME_BYTES } from '../protocol.ts';
import { RequestError, clientError } from './error.ts';
import { MAX_RECEIVED_CHARACTERS, parseMessage } from './frames.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Waiting {
  readonly resolve: (fields: Fields) => void;
  readonly reject: (error: RequestError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** The protocol's deadlines (docs/protocol.md, "Requests") and a few seconds for the way. */
const DEADLINES_MS: Readonly<Record<keyof Requests, number>> = {
  hello: 50_000,
  'contact.start': 20_000,
  'contact.suspend': 8000,
  'contact.resume': 18_000,
  'contact.stop': 18_000,
  ping: 10_000,
};
const OPEN_MS = 10_000;
/** A recorder accepts 32 of a page, suspends not counted. */
const MAX_WAITING = 256;
/** Far above what a recorder pushes. A program that sends more would keep the page busy. */
const MAX_IN_A_SECOND = { frames: 500, characters: 2 * 1024 * 1024 };

export class Socket {
  /** Resolves when it is open; false: it could not be opened. */
  readonly opened: Promise<boolean>;
  readonly closed: Promise<void>;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<string, Waiting>();
  private settleClosed: () => void = () => undefined;
  private count = 0;
  private second = { began: 0, frames: 0, characters: 0 };

  constructor(
    port: number,
    private readonly onPush: (push: Push) => void,
  ) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1`);
    this.socket = socket;
    // Refused without being read.
    socket.binaryType = 'arraybuffer';
    const timer = setTimeout(() => this.close(), OPEN_MS);
    this.closed = new Promise((resolve) => (this.settleClosed = resolve));
    this.opened = new Promise((resolve) => {
      socket.onopen = () => resolve(true);
      void this.closed.then(() => resolve(false));
    });
    void this.opened.then(() => clearTimeout(timer));
    socket.onclose = () => this.end();
    socket.onmessage = ({ data }) => this.receive(data);
  }

  isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** @throws RequestError the recorder's, CLIENT_CONNECTION_ERROR, TIMEOUT, or INVALID_MESSAGE for a frame over the limit */
  request<Type extends keyof Requests>(type: Type, fields: Requests[Type]): Promise<Fields> {
    const id = String(++this.count);
    return new Promise((resolve, reject) => {
      const frame = JSON.stringify({ ...fields, id, type });
      if (!this.isOpen()) return reject(lost());
      if (frame.length * 3 > MAX_FRAME_BYTES && new TextEncoder().encode(frame).length > MAX_FRAME_BYTES)
        return reject(clientError('INVALID_MESSAGE', `The request has more than ${MAX_FRAME_BYTES} bytes.`));
      if (this.waiting.size >= MAX_WAITING && type !== 'contact.suspend')
        return reject(clientError('TOO_MANY_REQUESTS', `${MAX_WAITING} requests are unanswered.`));
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(clientError('TIMEOUT', `Sightline has not answered "${type}" in time.`));
      }, DEADLINES_MS[type]);
      this.waiting.set(id, { resolve, reject, timer });
      this.socket.send(frame);
    });
  }

  close(): void {
    this.socket.onmessage = null;
    this.socket.close();
    // Not when the program at the other end has answered the closing handshake: it may never do so.
    this.end();
  }

  private end(): void {
    this.settleClosed();
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(lost());
    }
    this.waiting.clear();
  }

  private receive(data: unknown): void {
    if (typeof data !== 'string' || data.length > MAX_RECEIVED_CHARACTERS || this.isFlooded(data.length))
      return this.close();
    const message = parseMessage(data);
    if (message?.kind === 'push') return this.onPush(message.push);
    const waiting = message === undefined ? undefined : this.waiting.get(message.re);
    if (message === undefined || waiting === undefined) return;
    this.waiting.delete(message.re);
    clearTimeout(waiting.timer);
    if (message.ok) waiting.resolve(message.result as Fields);
    else waiting.reject(new RequestError(message.result as RequestFailure));
  }

  private isFlooded(characters: number): boolean {
    const now = performance.now();
    if (now - this.second.began > 1000) this.second = { began: now, frames: 0, characters: 0 };
    this.second.frames += 1;
    this.second.characters += characters;
    return this.second.frames > MAX_IN_A_SECOND.frames || this.second.characters > MAX_IN_A_SECOND.characters;
  }
}

function lost(): RequestError {
  return clientError('CLIENT_CONNECTION_ERROR', 'The connection to Sightline was lost.');
}
