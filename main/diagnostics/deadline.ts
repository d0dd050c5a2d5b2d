// Deadlines, one inside the other, and a limit on how much work runs at the same time.

import { errno } from '../shared/errors.ts';

/** The deadline passed. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Runs `work` until it ends, `limitMs` have passed or `outer` is aborted. Its signal tells it to release its sockets; work
 * that cannot be cancelled (a DNS lookup) is abandoned.
 * @throws NoAnswerError after the deadline; outer's reason if it aborts first; errors of `work`
 */
export async function within<T>(
  limitMs: number,
  outer: AbortSignal | null,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const own = new AbortController();
  const timer = setTimeout(
    () => own.abort(new NoAnswerError(`no answer within ${limitMs / 1000} s`)),
    limitMs,
  );
  const signal = outer === null ? own.signal : AbortSignal.any([outer, own.signal]);
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
  });
  try {
    return await Promise.race([aborted, work(signal)]);
  } finally {
    clearTimeout(timer);
  }
}

/** Results in the order of the items. */
export async function mapAtOnce<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const take = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, take));
  return results;
}

/** What an aborted signal or a socket failed with. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** The error of a socket or lookup, in terms for network administrators. */
export function networkMessage(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return [...new Set(error.errors.map(networkMessage))].join('; ');
  const code = errno(error);
  const text = code === undefined ? undefined : systemMessages[code];
  if (text !== undefined) return `${text} (${code ?? ''})`;
  return asError(error).message;
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
