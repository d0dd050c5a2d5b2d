// A STUN binding request (RFC 5389) over UDP: whether packets reach a TURN host and answers come back. The request is 20 bytes
// without media, credentials or identity.

import { createSocket } from 'node:dgram';
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { asError } from './sockets.ts';
import type { Endpoint } from './types.ts';

const MAGIC_COOKIE = 0x2112a442;
const HEADER_BYTES = 20;
const types = { request: 0x0001, success: 0x0101, error: 0x0111 };
const attributes = { mappedAddress: 0x0001, errorCode: 0x0009, xorMappedAddress: 0x0020 };

export type StunAnswer =
  /** `mapped`: from where the request came, IPv4 only. */
  | { readonly kind: 'success'; readonly mapped: string | null }
  | { readonly kind: 'error'; readonly code: number };

/** @param transaction 12 random bytes */
export function bindingRequest(transaction: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(types.request, 0);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  return Buffer.concat([header, transaction]);
}

/** null when it does not answer that request. Never throws. */
export function readStunAnswer(packet: Buffer, transaction: Buffer): StunAnswer | null {
  if (packet.length < HEADER_BYTES || packet.readUInt32BE(4) !== MAGIC_COOKIE) return null;
  if (!packet.subarray(8, HEADER_BYTES).equals(transaction)) return null;
  if (packet.readUInt16BE(2) !== packet.length - HEADER_BYTES) return null;
  const type = packet.readUInt16BE(0);
  if (type === types.error) {
    const value = attribute(packet, attributes.errorCode) ?? Buffer.alloc(0);
    const code = value.length < 4 ? 0 : (value.readUInt8(2) & 7) * 100 + value.readUInt8(3);
    return { kind: 'error', code };
  }
  if (type !== types.success) return null;
  const xored = attribute(packet, attributes.xorMappedAddress);
  const plain = xored === null ? attribute(packet, attributes.mappedAddress) : null;
  return { kind: 'success', mapped: xored ? ipv4Of(xored, MAGIC_COOKIE) : plain && ipv4Of(plain, 0) };
}

function attribute(packet: Buffer, wanted: number): Buffer | null {
  let end: number;
  // Values are padded to four bytes.
  for (let at = HEADER_BYTES; at + 4 <= packet.length; at += 4 + Math.ceil((end - at - 4) / 4) * 4) {
    end = at + 4 + packet.readUInt16BE(at + 2);
    if (end > packet.length) return null;
    if (packet.readUInt16BE(at) === wanted) return packet.subarray(at + 4, end);
  }
  return null;
}

function ipv4Of(value: Buffer, mask: number): string | null {
  if (value.length < 8 || value.readUInt8(1) !== 1) return null;
  const port = value.readUInt16BE(2) ^ (mask >>> 16);
  const address = (value.readUInt32BE(4) ^ mask) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.')}:${port}`;
}

/**
 * Asks until an answer arrives or `signal` aborts. The request is retransmitted after `firstWaitMs`, then after
 * twice that, and so on (RFC 5389, 7.2.1).
 * @throws the signal's reason, or a system error such as ECONNREFUSED (an ICMP answer)
 */
export function askStun(
  { address, port }: Endpoint,
  firstWaitMs: number,
  signal: AbortSignal,
): Promise<{ answer: StunAnswer; requests: number }> {
  const transaction = randomBytes(12);
  const request = bindingRequest(transaction);
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  let timer: NodeJS.Timeout | undefined;
  let requests = 0;
  return new Promise<{ answer: StunAnswer; requests: number }>((resolve, reject) => {
    const send = (waitMs: number) => {
      requests += 1;
      socket.send(request, (error) => {
        if (error !== null) reject(error);
      });
      timer = setTimeout(() => send(waitMs * 2), waitMs);
    };
    if (signal.aborted) {
      reject(asError(signal.reason));
      return;
    }
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
    socket.on('error', reject);
    socket.on('message', (packet) => {
      const answer = readStunAnswer(packet, transaction);
      if (answer !== null) resolve({ answer, requests });
    });
    // A connected socket reports ICMP errors and receives packets of that host only.
    socket.connect(port, address, () => send(firstWaitMs));
  }).finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}
