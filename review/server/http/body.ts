// Bodies of requests: JSON of a limited size, and nothing that a form of another site could send.

import { bodyLimit } from 'hono/body-limit';
import type { MiddlewareHandler } from 'hono';
import { parseJson } from '../../../main/shared/json.ts';
import { ReviewFailure } from '../failure.ts';
import type { Env, ReviewContext } from './context.ts';
import { invalid } from './queries.ts';

export function maxBody(maxSize: number): MiddlewareHandler<Env> {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw new ReviewFailure('TOO_LARGE', 'That is more than can be saved at once. Make it shorter.');
    },
  });
}

/** @throws ReviewFailure INVALID_REQUEST */
export async function jsonBody(c: ReviewContext): Promise<unknown> {
  if (!/^application\/json(?:;|$)/.test(c.req.header('content-type') ?? '')) throw invalid('content-type');
  const value = parseJson(await c.req.text());
  if (value === undefined) throw invalid('body');
  return value;
}
