// The description of a policy key, and schemas that several keys share.

import { isAbsolute } from 'node:path';
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
export const absolutePath = path.refine((text) => isAbsolute(text), 'must be an absolute path');
export const region = z
  .string()
  .regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, 'must be a region, for example eu-central-1');
/** An URL that secrets may be sent to: over TLS, or within this machine. */
export const safeUrl = z
  .string()
  .refine(isSafeUrl, 'must be an https URL (http is for loopback addresses only)');

/** The same, of a service that gets no credentials with it: policy is no secret. */
export const serviceUrl = safeUrl.refine(
  (text) => !/^[^/]*\/\/[^/]*@/.test(text),
  'must not hold a user name or a password',
);

/** A proxy, or with `pac+` a script that names one (PAC). User and password may be in it. */
export const proxyUrl = z
  .string()
  .max(2048)
  .refine(
    isProxyUrl,
    'must be direct, http://proxy:port, https://proxy:port, or the address of a script after pac+, for example pac+http://wpad/wpad.dat',
  );

function isProxyUrl(text: string): boolean {
  if (text === 'direct') return true;
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, search, username, password } = new URL(text);
  if (text.startsWith('pac+')) return /^pac\+(https?|file):$/.test(protocol) && !text.includes('@');
  const isOnlyHost = hostname !== '' && ['', '/'].includes(pathname) && search === '';
  return /^https?:$/.test(protocol) && isOnlyHost && [username, password].every(isDecodable);
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isSafeUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', '[::1]', 'localhost'].includes(hostname))
  );
}
