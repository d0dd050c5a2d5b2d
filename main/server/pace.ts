// Reads each page no faster than honest pages ever send, so that one that floods cannot keep the others waiting: above
// its share it is not read until the next slice of time. Nothing is dropped and nobody is disconnected for it.

import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const SLICE_MS = 100;
/** A slice takes four frames of the greatest size, or 128 small ones. */
const SHARE = 256 * 1024;
/** What handling any frame costs, however short it is, in bytes. */
const FRAME_COST = 2048;

export function limitPace(webSocket: WebSocket, socket: Duplex): void {
  let spent = 0;
  let timer: NodeJS.Timeout | null = null;
  const spend = (cost: number): void => {
    spent += cost;
    timer ??= setTimeout(() => {
      timer = null;
      spent = 0;
      webSocket.resume();
    }, SLICE_MS);
    if (spent > SHARE) webSocket.pause();
  };
  socket.on('data', (chunk: Buffer) => spend(chunk.byteLength));
  for (const event of ['message', 'ping', 'pong'] as const) webSocket.on(event, () => spend(FRAME_COST));
  webSocket.once('close', () => clearTimeout(timer ?? undefined));
}
