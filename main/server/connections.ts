// Every connection to the loopback port: how many there may be, how fast they are read, and how a request is answered. A
// flood must never disconnect a page whose hello has succeeded, delay another page, or use up the file descriptors that
// capture needs.

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Logger } from '../platform/log.ts';

/**
 * Connections without an accepted upgrade. Together with the next two limits below 1,024, the lowest usual limit of file
 * descriptors.
 */
export const MAX_PENDING = 512;
const CROWD = 64;
/** A legitimate one takes milliseconds. Nothing makes room for another one before it has had this time. */
const FAIR_TIME_MS = 500;
/** From the connection to its upgrade or answer: against slow headers, unread answers and half-closed peers. */
export const REQUEST_DEADLINE_MS = 10_000;
/** Websockets without a successful hello. */
export const MAX_WAITING_PAGES = 128;
/** With a successful hello. They are never closed to make room. */
export const MAX_PAGES = 32;

const SLICE_MS = 100;
/** Per page and slice: four frames of the maximum size, or 128 small ones, more than legitimate pages ever send. */
const SHARE_BYTES = 256 * 1024;
/** The cost of handling any frame, however short. */
const FRAME_COST_BYTES = 2048;

interface Pending {
  readonly socket: Socket;
  readonly since: number;
  readonly deadline: NodeJS.Timeout;
}

export class Connections {
  /** Oldest first. */
  private readonly pending = new Map<Duplex, Pending>();
  /** Oldest first. */
  private readonly waiting = new Set<WebSocket>();
  private readonly pages = new Set<WebSocket>();

  constructor(private readonly log: Logger) {}

  /** More than legitimate programs open at the same time. */
  get isCrowded(): boolean {
    return this.pending.size > CROWD;
  }

  get hasRoomForPage(): boolean {
    return this.pages.size < MAX_PAGES;
  }

  /** @returns false when there is no room for it: it has been closed */
  accept(socket: Socket): boolean {
    if (this.pending.size >= MAX_PENDING && !this.makeRoom()) {
      socket.resetAndDestroy();
      return false;
    }
    this.pending.set(socket, {
      socket,
      since: performance.now(),
      deadline: setTimeout(() => this.drop(socket), REQUEST_DEADLINE_MS),
    });
    socket.once('close', () => this.release(socket));
    return true;
  }

  /** In a storm, closing the oldest would leave no legitimate connection the time for its request. */
  private makeRoom(): boolean {
    this.log.warn('too many connections without a request; some were closed', { limit: MAX_PENDING });
    const [oldest] = this.pending.values();
    if (oldest === undefined || performance.now() - oldest.since < FAIR_TIME_MS) return false;
    this.drop(oldest.socket);
    return true;
  }

  /** It has passed every check: no deadline applies, and it is not closed to make room. */
  release(socket: Duplex): void {
    clearTimeout(this.pending.get(socket)?.deadline);
    this.pending.delete(socket);
  }

  upgrade(socket: Duplex, webSocket: WebSocket): void {
    this.release(socket);
    limitPace(webSocket, socket);
    this.waiting.add(webSocket);
    webSocket.once('close', () => {
      this.waiting.delete(webSocket);
      this.pages.delete(webSocket);
    });
    const [oldest] = this.waiting;
    if (oldest === undefined || this.waiting.size <= MAX_WAITING_PAGES) return;
    this.log.warn('too many pages without a hello; the oldest was closed', {
      limit: MAX_WAITING_PAGES,
    });
    this.waiting.delete(oldest);
    oldest.terminate();
  }

  join(webSocket: WebSocket): void {
    this.waiting.delete(webSocket);
    this.pages.add(webSocket);
  }

  /** Closes every connection without an upgrade. The server closes the websockets. */
  close(): void {
    for (const { socket } of this.pending.values()) this.drop(socket);
  }

  /** With a reset: closed connections would stay in the system's table for a minute, and make each lookup (peerLookup.ts) slow. */
  drop(socket: Socket): void {
    this.release(socket);
    socket.resetAndDestroy();
  }
}

/** Above its share, a page is not read until the next slice. Nothing is dropped, and no page is disconnected. */
function limitPace(webSocket: WebSocket, socket: Duplex): void {
  let spent = 0;
  let timer: NodeJS.Timeout | null = null;
  const spend = (cost: number): void => {
    spent += cost;
    timer ??= setTimeout(() => {
      timer = null;
      spent = 0;
      webSocket.resume();
    }, SLICE_MS);
    if (spent > SHARE_BYTES) webSocket.pause();
  };
  socket.on('data', (chunk: Buffer) => spend(chunk.byteLength));
  for (const event of ['message', 'ping', 'pong'] as const)
    webSocket.on(event, () => spend(FRAME_COST_BYTES));
  webSocket.once('close', () => clearTimeout(timer ?? undefined));
}

export function answer(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, { ...headers, 'Content-Length': String(Buffer.byteLength(body)) }).end(body);
}

export function refuseUpgrade(socket: Duplex, status: string, json = ''): void {
  const type = json === '' ? '' : 'Content-Type: application/json\r\n';
  const length = `Content-Length: ${Buffer.byteLength(json)}\r\n`;
  // A peer that keeps its side open would keep the file descriptor in use.
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\n${type}${length}\r\n${json}`, () =>
    socket.destroy(),
  );
}
