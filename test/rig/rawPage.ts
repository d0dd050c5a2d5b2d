// The bytes of a connection, for peers that are no browsers: any request, and websocket frames that no browser sends.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

/** An upgrade that is let in, unless a header is replaced (`null` leaves it out). */
export function upgradeRequest(port: number, headers: Readonly<Record<string, string | null>> = {}): string {
  const all: Record<string, string | null> = {
    Host: `127.0.0.1:${port}`,
    Origin: 'http://localhost:3000',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}\r\n`],
  );
  return `GET /v1 HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export interface RawPeer {
  readonly socket: Socket;
  /** All that has come back so far, as latin1. */
  said(): string;
  /** Resolves when the other side has closed the connection, with how long that took since the peer was opened. */
  readonly closedAfterMs: Promise<number>;
}

/** Sends these bytes and then keeps its half of the connection, whatever the other side does. */
export async function openRaw(port: number, bytes: string | Uint8Array): Promise<RawPeer> {
  const opened = performance.now();
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let said = '';
  socket.setEncoding('latin1').on('data', (text: string) => (said += text));
  // 'end' where the other side closes in peace, 'close' where it resets the connection.
  const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('close', () => resolve()));
  const closedAfterMs = ended.then(() => performance.now() - opened);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  if (bytes.length > 0) socket.write(bytes);
  return { socket, said: () => said, closedAfterMs };
}

/** An open websocket, as bytes. */
export async function openRawPage(port: number): Promise<RawPeer> {
  const peer = await openRaw(port, upgradeRequest(port));
  await once(peer.socket, 'data');
  return peer;
}

export interface FrameParts {
  readonly fin?: boolean;
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  readonly masked?: boolean;
  /** Of the header, where it is to lie. */
  readonly claimedBytes?: number;
  /** RSV1 to RSV3, as a number. */
  readonly reserved?: number;
}

/** A frame (RFC 6455, 5.2) with a mask of zeros unless told. */
export function frame(parts: FrameParts): Buffer {
  const { fin = true, opcode, payload = '', masked = true, reserved = 0 } = parts;
  const body = Buffer.from(payload);
  const size = parts.claimedBytes ?? body.byteLength;
  const mask = masked ? 0x80 : 0;
  const head = Buffer.alloc(10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  let headBytes = 2;
  if (size < 126) head[1] = mask | size;
  else if (size < 65_536) {
    head[1] = mask | 126;
    head.writeUInt16BE(size, 2);
    headBytes = 4;
  } else {
    head[1] = mask | 127;
    head.writeBigUInt64BE(BigInt(size), 2);
    headBytes = 10;
  }
  return Buffer.concat([head.subarray(0, headBytes), Buffer.alloc(masked ? 4 : 0), body]);
}
