// Deadlines, connections and error texts that the steps of the network's checks share.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { withDeadline } from '../../platform/deadline.ts';
import { errno } from '../../shared/errors.ts';
import type { Endpoint } from './types.ts';

/** The deadline passed. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';

  constructor(limitMs: number) {
    super(`no answer within ${limitMs / 1000} s`);
  }
}

/**
 * Runs `work` until it ends, `limitMs` have passed or `outer` is aborted. Its signal asks it to release its sockets; work
 * that cannot be cancelled (a DNS lookup) is abandoned.
 * @throws NoAnswerError after the deadline; outer's reason if it aborts first; errors of `work`
 */
export async function within<T>(
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const own = new AbortController();
  const signal = AbortSignal.any([outer, own.signal]);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
  });
  return withDeadline(Promise.race([aborted, work(signal)]), limitMs, () => {
    const late = new NoAnswerError(limitMs);
    own.abort(late);
    return late;
  });
}

/** What an aborted signal or a socket failed with. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

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

export async function connectTo(
  { address, port }: Endpoint,
  signal: AbortSignal,
): Promise<{ socket: Socket; address: string }> {
  const socket = connect({ host: address, port });
  // Until TLS adds its listeners, an error must not end the program.
  socket.on('error', () => undefined);
  try {
    await once(socket, 'connect', { signal });
    return { socket, address };
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? asError(signal.reason) : error;
  }
}

/** The error of a socket or lookup, in terms for network administrators. */
export function networkMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return [...new Set(error.errors.map(networkMessage))].join('; ');
  const code = errno(error) ?? '';
  const text = systemMessages[code];
  return text === undefined ? asError(error).message : `${text} (${code})`;
}

const systemMessages: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known to DNS',
  EAI_AGAIN: 'the DNS server does not answer',
  EAI_FAIL: 'the DNS server failed',
  ENODATA: 'the name has no address',
  ECONNREFUSED: 'refused',
  ECONNRESET: 'cut off',
  EPIPE: 'cut off',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no way to the network',
  EACCES: 'this machine does not allow it',
  EPERM: 'this machine does not allow it',
};
