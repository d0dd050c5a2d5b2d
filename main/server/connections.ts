// Every connection to the loopback port, from its acceptance to its end, and how many there may be. A flood must never
// cost a connected page its place, nor the capture its file descriptors: what has not said hello makes room, oldest first.

import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Logger } from '../platform/log.ts';

/**
 * Connections without an accepted upgrade. An honest one needs milliseconds (its user is looked up: peer.ts), so closing
 * the oldest closes those that only occupy. Together with the next two below 1,024, the lowest usual limit of descriptors.
 */
export const MAX_STRANGERS = 512;
/** From the connection to its accepted upgrade or its answer: slow headers, unread answers, half-closed peers. */
export const REQUEST_DEADLINE_MS = 10_000;
/** Websockets without a successful hello. */
export const MAX_WAITING_PAGES = 128;
/** With a successful hello. These are never closed for others; an agent has a handful of tabs. */
export const MAX_PAGES = 32;

export class Connections {
  /** Oldest first, each with its deadline. */
  private readonly strangers = new Map<Duplex, NodeJS.Timeout>();
  /** Oldest first. */
  private readonly waiting = new Set<WebSocket>();
  private readonly pages = new Set<WebSocket>();

  constructor(private readonly log: Logger) {}

  get hasRoomForPage(): boolean {
    return this.pages.size < MAX_PAGES;
  }

  accept(socket: Duplex): void {
    this.strangers.set(
      socket,
      setTimeout(() => this.drop(socket), REQUEST_DEADLINE_MS),
    );
    socket.once('close', () => this.release(socket));
    const [oldest] = this.strangers.keys();
    if (oldest === undefined || this.strangers.size <= MAX_STRANGERS) return;
    this.log.warn('too many connections without a request; the oldest was closed', { limit: MAX_STRANGERS });
    this.drop(oldest);
  }

  /** The connection is known to be ours: it has no deadline and makes no room. */
  release(socket: Duplex): void {
    clearTimeout(this.strangers.get(socket));
    this.strangers.delete(socket);
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
    this.log.warn('too many pages that have not said hello; the oldest was closed', {
      limit: MAX_WAITING_PAGES,
    });
    this.waiting.delete(oldest);
    oldest.terminate();
  }

  join(webSocket: WebSocket): void {
    this.waiting.delete(webSocket);
    this.pages.add(webSocket);
  }

  /** All that never became a page; pages are said goodbye to. */
  close(): void {
    for (const socket of this.strangers.keys()) this.drop(socket);
  }

  private drop(socket: Duplex): void {
    this.release(socket);
    socket.destroy();
  }
}
