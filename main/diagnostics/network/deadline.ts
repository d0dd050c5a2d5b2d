// Deadlines for work on the network, one inside the other, and a limit to how much of it goes on at the same time.

import { errno } from '../../shared/errors.ts';

/** Nobody answered in time. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Runs `work` until it ends, `limitMs` have passed or `outer` is aborted. The signal that it is given tells it to let go
 * of its sockets; work that cannot be called off (a name's lookup) is left alone.
 * @throws NoAnswerError when the time is over; outer's reason when that was first; what `work` throws
 */
export async function within<T>(
  limitMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer.throwIfAborted();
  const controller = new AbortController();
  const { signal } = controller;
  const passOn = () => controller.abort(outer.reason);
  outer.addEventListener('abort', passOn, { once: true });
  const timer = setTimeout(
    () => controller.abort(new NoAnswerError(`no answer within ${limitMs / 1000} s`)),
    limitMs,
  );
  try {
    return await Promise.race([rejectOnAbort(signal), work(signal)]);
  } finally {
    clearTimeout(timer);
    outer.removeEventListener('abort', passOn);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(asError(signal.reason)), { once: true });
  });
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

export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

/** What a socket or a lookup died of, in words for whoever minds the network. */
export function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return [...new Set(error.errors.map(wordsOf))].join('; ');
  const code = errno(error);
  const words = code === undefined ? undefined : systemWords[code];
  if (words !== undefined) return `${words} (${code ?? ''})`;
  return asError(error).message;
}

const systemWords: Readonly<Record<string, string>> = {
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
