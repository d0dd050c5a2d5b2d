// A slow line on the loopback: a relay that lets so many bytes a second through to a server, for all connections together.
// Answers are not slowed.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SlowLine {
  readonly port: number;
  /** Towards the server. */
  bytesPerSecond: number;
  stop(): Promise<void>;
}

const SLICES_PER_SECOND = 20;
/** Timers are late on a busy machine: so much is made up for. */
const CREDIT_MS = 50;

export async function startSlowLine(target: number, bytesPerSecond: number): Promise<SlowLine> {
  const sockets = new Set<Socket>();
  let freeAt = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    far.pipe(near);
    void slowly(near, far).catch(() => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function slowly(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      let at = 0;
      while (at < chunk.length && !from.destroyed) {
        const slice = chunk.subarray(
          at,
          at + Math.max(1, Math.round(line.bytesPerSecond / SLICES_PER_SECOND)),
        );
        at += slice.length;
        freeAt =
          Math.max(performance.now() - CREDIT_MS, freeAt) + (slice.length / line.bytesPerSecond) * 1000;
        await sleep(Math.max(0, freeAt - performance.now()));
        if (!to.write(slice)) await once(to, 'drain');
      }
    }
    to.end();
  }

  const line: SlowLine = {
    port: (server.address() as AddressInfo).port,
    bytesPerSecond,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
  return line;
}
