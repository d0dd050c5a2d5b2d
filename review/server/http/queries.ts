// What the page may ask, as the contract says it: every parameter has a form and a size. Unknown ones are refused.

import { z } from 'zod';
import { channelSchema } from '../../../main/shared/names.ts';
import { MAX_ROWS, problems, sortKeys, type PageAction, type RecordingQuery } from '../../contract.ts';
import { ReviewFailure } from '../failure.ts';

const MAX_TEXT = 300;
const words = z.string().max(MAX_TEXT);
const whole = z
  .string()
  .regex(/^\d{1,13}$/)
  .transform(Number);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const moment = z.iso.datetime();

const filters = {
  text: words.optional(),
  agent: words.optional(),
  queue: words.optional(),
  channel: channelSchema.optional(),
  from: moment.optional(),
  to: moment.optional(),
  minDurationMs: whole.optional(),
  maxDurationMs: whole.optional(),
  suspended: flag.optional(),
  problem: z.enum([...problems, 'any']).optional(),
  trials: flag.optional(),
  sort: z.enum(sortKeys).optional(),
  descending: flag.optional(),
};
const recordingQuerySchema = z.strictObject({
  ...filters,
  offset: whole.optional(),
  limit: whole.pipe(z.number().min(1).max(MAX_ROWS)).optional(),
});

export function recordingQuery(parameters: Parameters): RecordingQuery {
  return withoutUndefined(parsed(recordingQuerySchema, single(parameters)));
}

/** What is looked for, without where the list is scrolled to and how it is sorted: for the audit log. */
export function searchedFor(query: RecordingQuery): Record<string, string | number | boolean> {
  const { offset: _, limit: __, sort: ___, descending: ____, ...rest } = query;
  return withoutUndefined(rest);
}

export const keyFrameQuery = (parameters: Parameters): { readonly atMs: number } =>
  parsed(z.strictObject({ atMs: whole.pipe(z.number().max(1e10)) }), single(parameters));

export const audioQuery = (parameters: Parameters): { readonly kind: 'redacted' | 'original' } =>
  parsed(z.strictObject({ kind: z.enum(['redacted', 'original']) }), single(parameters));

export function auditQuery(
  parameters: Parameters,
  maxRows: number,
): { readonly before: number; readonly limit: number } {
  const { before = Number.MAX_SAFE_INTEGER, limit = 100 } = parsed(
    z.strictObject({ before: whole.optional(), limit: whole.optional() }),
    single(parameters),
  );
  return { before, limit: Math.min(Math.max(1, limit), maxRows) };
}

const actionSchema = z.strictObject({
  action: z.enum(['snapshot', 'share-link']),
  atMs: z.number().int().nonnegative().max(1e10),
});
export const pageAction = (body: unknown): PageAction => parsed(actionSchema, body);

/** @throws ReviewFailure INVALID_REQUEST */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  const [issue] = error.issues;
  throw invalid(`${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`);
}

export type Parameters = Readonly<Record<string, readonly string[]>>;

/** Of two values of one name nobody knows which is meant. */
function single(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, values]) => {
      const [value = '', ...more] = values;
      if (more.length > 0) throw invalid(`${name.slice(0, 40)}: twice`);
      return [name, value];
    }),
  );
}

export function invalid(why: string): ReviewFailure {
  return new ReviewFailure(
    'INVALID_REQUEST',
    `The review server did not understand the request (${why.slice(0, 200)}). Reload the page.`,
  );
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}
