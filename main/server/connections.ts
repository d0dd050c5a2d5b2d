// Every connection to the loopback port, and how many there may be. A flood must never disconnect a page whose hello has
// succeeded, nor use up the file descriptors that capture needs: other connections are closed, oldest first.

import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Logger } from '../platform/log.ts';

/**
 * Connections without an accepted upgrade. A legitimate one takes milliseconds, so closing the oldest closes idle ones.
 * Together with the next two limits below 1,024, the lowest usual limit of file descriptors.
 */
export const MAX_PENDING = 512;
/** From the connection to its upgrade or answer: against slow headers, unread answers and half-closed peers. */
export const REQUEST_DEADLINE_MS = 10_000;
/** Websockets without a successful hello. */
export const MAX_WAITING_PAGES = 128;
/** With a successful hello. They are never closed to make room. */
export const MAX_PAGES = 32;

export class Connections {
  /** Oldest first, each with its deadline. */
  private readonly pending = new Map<Duplex, NodeJS.Timeout>();
  /** Oldest first. */
  private readonly waiting = new Set<WebSocket>();
  private readonly pages = new Set<WebSocket>();

  constructor(private readonly log: Logger) {}

  get hasRoomForPage(): boolean {
    return this.pages.size < MAX_PAGES;
  }

  accept(socket: Duplex): void {
    this.pending.set(
      socket,
      setTimeout(() => this.drop(socket), REQUEST_DEADLINE_MS),
    );
    socket.once('close', () => this.release(socket));
    const [oldest] = this.pending.keys();
    if (oldest === undefined || this.pending.size <= MAX_PENDING) return;
    this.log.warn('too many connections without a request; the oldest was closed', { limit: MAX_PENDING });
    this.drop(oldest);
  }

  /** It has passed every check: no deadline applies, and it is not closed to make room. */
  release(socket: Duplex): void {
    clearTimeout(this.pending.get(socket));
    this.pending.delete(socket);
  }

  upgrade(socket: Duplex, webSocket: WebSocket): void {
    this.release(socket);
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
    for (const socket of this.pending.keys()) this.drop(socket);
  }

  private drop(socket: Duplex): void {
    this.release(socket);
    socket.destroy();
  }
}
