// Reads each page no faster than legitimate pages ever send, so that a flooding page cannot delay the others: above its
// share it is not read until the next time slice. Nothing is dropped, and no page is disconnected.

import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

const SLICE_MS = 100;
/** Per slice: four frames of the maximum size, or 128 small ones. */
const SHARE_BYTES = 256 * 1024;
/** The cost of handling any frame, however short. */
const FRAME_COST_BYTES = 2048;

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
    if (spent > SHARE_BYTES) webSocket.pause();
  };
  socket.on('data', (chunk: Buffer) => spend(chunk.byteLength));
  for (const event of ['message', 'ping', 'pong'] as const)
    webSocket.on(event, () => spend(FRAME_COST_BYTES));
  webSocket.once('close', () => clearTimeout(timer ?? undefined));
}
