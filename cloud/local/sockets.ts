// The relay's pages behind a websocket on the loopback, as API Gateway's WebSocket API would call its handler.

import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { WebSocketServer, type WebSocket } from 'ws';
import { MAX_MESSAGE_BYTES } from '../relay/messages.ts';
import type { Push, SocketEvent, SocketResult } from '../relay/sockets.ts';

const MAX_CONNECTIONS = 2000;

export interface LocalSockets {
  readonly push: Push;
  /** Before it, connections are refused. */
  serve(handler: (event: SocketEvent) => Promise<SocketResult>): void;
  close(): void;
}

/** @param path of the websocket, e.g. `/relay` */
export function localSockets(server: Server, path: string): LocalSockets {
  const sockets = new Map<string, WebSocket>();
  const wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });
  let handler: ((event: SocketEvent) => Promise<SocketResult>) | null = null;

  server.on('upgrade', (request, socket, head) => {
    const connectionId = randomUUID();
    const refuse = (): void => {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
    };
    socket.on('error', () => socket.destroy());
    const handle = handler;
    if (handle === null || request.url !== path || sockets.size >= MAX_CONNECTIONS) return refuse();
    const { origin } = request.headers;
    const headers = origin === undefined ? {} : { origin };
    void handle({ requestContext: { eventType: 'CONNECT', connectionId }, headers }).then(
      ({ statusCode }) => {
        if (statusCode !== 200) return refuse();
        wss.handleUpgrade(request, socket, head, (opened) => take(opened, connectionId, handle));
      },
      refuse,
    );
  });

  function take(
    socket: WebSocket,
    connectionId: string,
    handle: (event: SocketEvent) => Promise<SocketResult>,
  ): void {
    sockets.set(connectionId, socket);
    const tell = (event: SocketEvent): void => void handle(event).catch(() => socket.terminate());
    socket.on('message', (data: Buffer) =>
      tell({ requestContext: { eventType: 'MESSAGE', connectionId }, body: data.toString() }),
    );
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      sockets.delete(connectionId);
      tell({ requestContext: { eventType: 'DISCONNECT', connectionId } });
    });
  }

  return {
    push(connectionId, message) {
      const socket = sockets.get(connectionId);
      if (socket?.readyState !== 1) return Promise.resolve(false);
      return new Promise((resolve) => {
        socket.send(JSON.stringify(message), (error) => resolve(!error));
      });
    },
    serve(given) {
      handler = given;
    },
    close() {
      for (const socket of sockets.values()) socket.terminate();
      wss.close();
    },
  };
}
