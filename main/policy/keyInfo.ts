// What is said of a policy key, and the shapes that more than one key has.

import { z } from 'zod';

/** `live`: at once; `when-idle`: as soon as no contact is on; `restart`: when Sightline is next started. */
export type Applied = 'live' | 'when-idle' | 'restart';

export interface KeyInfo<T> {
  readonly schema: z.ZodType<T>;
  /** How a flag's or a variable's text is read before the schema sees it. */
  readonly form: 'text' | 'integer' | 'boolean' | 'list';
  /** When a change of the policy takes effect in a Sightline that runs. */
  readonly applied: Applied;
  /**
   * Whether it may stand in the user's own settings file. Only what neither lets anybody in, nor decides what is
   * recorded, what the agent sees of it, where it goes, or which program is run.
   */
  readonly userMaySet?: true;
  /** null: worked out from other keys or from the platform; `defaultText` says how. */
  readonly default: T | null;
  readonly defaultText?: string;
  readonly description: string;
}

export const key = <T>(info: KeyInfo<T>): KeyInfo<T> => info;
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
