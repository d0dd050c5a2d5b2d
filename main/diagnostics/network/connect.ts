// Connects to the first of a name's addresses that answers.

import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { asError } from '../deadline.ts';
import type { Endpoint } from './types.ts';

/** The first endpoint that answers; the others are cancelled. @throws AggregateError when none does */
export async function firstOf<T>(
  endpoints: readonly Endpoint[],
  outer: AbortSignal,
  work: (endpoint: Endpoint, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const others = new AbortController();
  const signal = AbortSignal.any([outer, others.signal]);
  try {
    return await Promise.any(endpoints.map((endpoint) => work(endpoint, signal)));
  } finally {
    others.abort(new Error('another address was first'));
  }
}

export function connectTo(
  { address, port }: Endpoint,
  signal: AbortSignal,
): Promise<{ socket: Socket; address: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const give = () => {
      socket.destroy();
      reject(asError(signal.reason));
    };
    signal.addEventListener('abort', give, { once: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      signal.removeEventListener('abort', give);
      if (signal.aborted) give();
      else resolve({ socket, address });
      // Until TLS adds its listeners, an error must not end the program.
      socket.on('error', () => undefined);
    });
  });
}
