// Sends a file of the library, whole or one range of it. The stream ends with the session, and never has another length than
// was announced, whatever happens to the file meanwhile.

import type { Context } from 'hono';
import { ReviewFailure } from '../failure.ts';
import type { ReviewFile } from '../library/ports.ts';
import { rangeOf } from './range.ts';

export interface Sending {
  readonly file: ReviewFile;
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the session ends. */
  readonly ended: AbortSignal;
  /** Counts the stream; returns what closes it. */
  readonly open: () => () => void;
}

/** @throws ReviewFailure */
export async function sendFile(c: Context, { file, headers, ended, open }: Sending): Promise<Response> {
  const { sizeBytes, etag } = file;
  const ifRange = c.req.header('if-range');
  const wanted = ifRange === undefined || ifRange === etag ? c.req.header('range') : undefined;
  const range = rangeOf(wanted, sizeBytes);
  if (range.kind === 'unsatisfiable') {
    c.header('content-range', `bytes */${sizeBytes}`);
    throw new ReviewFailure(
      'RANGE_NOT_SATISFIABLE',
      'The player asked for a part that the file does not have. Reload the page.',
    );
  }
  const [start, end] = range.kind === 'part' ? [range.start, range.end] : [0, sizeBytes - 1];
  const length = end - start + 1;
  const answer = {
    ...{ 'accept-ranges': 'bytes', etag, 'content-length': String(length), ...headers },
    ...(range.kind === 'part' ? { 'content-range': `bytes ${start}-${end}/${sizeBytes}` } : {}),
  };
  const status = range.kind === 'part' ? 206 : 200;
  if (c.req.method === 'HEAD' || length === 0) return c.body(null, status, answer);
  const close = open();
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  const finish = (): void => {
    ended.removeEventListener('abort', stop);
    close();
  };
  ended.addEventListener('abort', stop);
  try {
    if (ended.aborted) throw new ReviewFailure('SIGN_IN_REQUIRED', 'Your session has ended. Sign in again.');
    const stream = await file.read(start, end, abort.signal);
    return c.body(exactly(stream, length, abort, finish), status, answer);
  } catch (error) {
    finish();
    throw error;
  }
}

/** The same bytes. Too few, too many, or the end of the session break the connection. */
function exactly(
  stream: ReadableStream<Uint8Array>,
  length: number,
  abort: AbortController,
  finish: () => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let left = length;
  const give = (controller: ReadableStreamDefaultController<Uint8Array>, error: unknown): void => {
    finish();
    controller.error(error);
    abort.abort();
    void reader.cancel(error).catch(() => undefined);
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        // Also while nobody reads: a paused player keeps its connection.
        abort.signal.addEventListener('abort', () => {
          finish();
          try {
            controller.error(new Error('the session has ended'));
          } catch {
            // It was closed before.
          }
        });
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) throw new Error('the file has become shorter');
          if (value.byteLength > left) throw new Error('the file has become longer');
          left -= value.byteLength;
          controller.enqueue(value);
          if (left > 0) return;
          finish();
          controller.close();
        } catch (error) {
          give(controller, error);
        }
      },
      async cancel(reason) {
        finish();
        abort.abort();
        await reader.cancel(reason).catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
