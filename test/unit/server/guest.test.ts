// A Sightline behind another program's port: what that program offers must not be lost.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../../main/platform/log.ts';
import { Connections } from '../../../main/server/connections.ts';
import { Peers } from '../../../main/server/peer.ts';
import { DOOR_PATH } from '../../../main/server/port/doorProtocol.ts';
import { Guest } from '../../../main/server/port/guest.ts';

const ID = 'A'.repeat(22);

it('collects a connection that is offered together with the end of the handshake', async () => {
  const requests: string[] = [];
  const server = createServer((socket) => {
    socket.once('data', (data) => {
      const request = data.toString();
      requests.push(request.split('\r\n')[0] ?? '');
      if (request.includes(` ${DOOR_PATH} `)) joined(socket, request);
      else socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  function joined(socket: Socket, request: string): void {
    const key = /sec-websocket-key: (.*)\r/i.exec(request)?.[1] ?? '';
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const end = { address: '127.0.0.1', port };
    const offer = Buffer.from(
      JSON.stringify({ type: 'connection', id: ID, peer: { local: end, remote: end } }),
    );
    // RFC 6455, 5.2: a text of one frame, its length in two bytes.
    const frame = Buffer.concat([Buffer.from([0x81, 126, offer.length >> 8, offer.length & 255]), offer]);
    const head = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    socket.write(Buffer.concat([Buffer.from(head), frame]));
  }
  const guest = await Guest.join({
    port,
    openedBy: 'first',
    log: silentLogger,
    onLost: () => undefined,
    onConnection: () => undefined,
    peers: new Peers(() => Promise.reject(new Error('asked too early')), silentLogger),
    connections: new Connections(silentLogger),
  });
  onTestFinished(() => {
    guest.close();
    server.close();
  });
  await expect.poll(() => requests).toContain(`GET ${DOOR_PATH}/${ID} HTTP/1.1`);
});
