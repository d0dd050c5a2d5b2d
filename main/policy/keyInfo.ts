// The description of a policy key, and schemas that several keys share.

import { z } from 'zod';

/** `live`: at once; `when-idle`: as soon as no contact is open; `restart`: when Sightline starts again. */
export type Applied = 'live' | 'when-idle' | 'restart';

export interface KeyInfo<T> {
  readonly schema: z.ZodType<T>;
  /** How the text of a flag or variable is converted before the schema checks it. */
  readonly form: 'text' | 'integer' | 'boolean' | 'list';
  /** When a running Sightline applies a change. */
  readonly applied: Applied;
  /**
   * Whether the user's settings file may set it. Never a key that decides access, what is recorded, what the agent sees
   * of it, where it goes, or which program runs.
   */
  readonly userMaySet?: true;
  /** null: derived from other keys or the platform; `defaultText` says how. */
  readonly default: T | null;
  readonly defaultText?: string;
  readonly description: string;
}

type Described = 'userMaySet' | 'defaultText' | 'description';

const applied =
  (when: Applied) =>
  <S extends z.ZodType, const D extends z.output<S> | null>(
    info: Pick<KeyInfo<z.output<S>>, Described> & { readonly schema: S; readonly default: D },
  ) => ({
    ...info,
    form: formOf(info.schema),
    applied: when,
  });
export const live = applied('live');
export const whenIdle = applied('when-idle');
export const atRestart = applied('restart');

function formOf(schema: z.ZodType): KeyInfo<unknown>['form'] {
  if (schema instanceof z.ZodPipe) return formOf(schema.in as z.ZodType);
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  return schema instanceof z.ZodNumber ? 'integer' : 'text';
}

export const integer = (min: number, max: number) => z.number().int().min(min).max(max);
export const path = z.string().min(1, 'must not be empty');
export const region = z
  .string()
  .regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, 'must be a region, for example eu-central-1');
/** An URL that secrets may be sent to: over TLS, or within this machine. */
export const safeUrl = z
  .string()
  .refine(isSafeUrl, 'must be an https URL (http is for loopback addresses only)');

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  );
}
